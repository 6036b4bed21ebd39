package oci_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"assay/internal/image"
	"assay/internal/sandbox"
	"assay/internal/sandbox/oci"
	"assay/internal/sandbox/sandboxtest"
	"assay/internal/sandbox/sandboxtest/rootfs"
)

// shared is what all tests use: building it takes longer than most of them.
var shared struct {
	agent  string
	images *image.Store
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "assay-oci-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = prepare(dir)
	}
	if err != nil {
		println("prepare the tests of sandboxes:", err.Error())
		return 1
	}
	return m.Run()
}

func prepare(dir string) error {
	shared.agent = filepath.Join(dir, "assay-agent")
	build := exec.Command("go", "build", "-trimpath", "-o", shared.agent, "assay/cmd/assay-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return errors.New(string(out))
	}
	layout := filepath.Join(dir, "layout")
	if err := rootfs.Write(layout, sandboxtest.Workdir, sandboxtest.Tree); err != nil {
		return err
	}
	images, err := image.Open(filepath.Join(dir, "images"), image.Options{Shift: oci.DefaultIDs})
	if err != nil {
		return err
	}
	shared.images = images
	_, err = images.Load(context.Background(), layout, nil)
	return err
}

// newRuntime makes a Runtime of its own, or another one on the same directory.
func newRuntime(t testing.TB, dir string) *oci.Runtime {
	t.Helper()
	rt, err := oci.New(oci.Config{Dir: dir, Agent: shared.agent, Images: shared.images})
	if err != nil {
		t.Fatal(err)
	}
	if err := rt.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rt.Close() })
	return rt
}

func TestCreateExecDestroy(t *testing.T) {
	rt := newRuntime(t, t.TempDir())
	sb, err := rt.Create(t.Context(), sandbox.Spec{ID: "one", Image: rootfs.Name, Workdir: sandboxtest.Workdir, Deadline: time.Now().Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	res, err := sb.Exec(t.Context(), sandbox.Command{ID: "c", Argv: []string{"id", "-u"}})
	if err != nil || res.Exit.Code != 0 || string(res.Stdout.Head) != "0\n" {
		t.Errorf("id -u: %+v, %v", res, err)
	}
	if err := sb.Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
}
