package memory_test

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/sandbox/sandboxtest"
)

const image = "img"

func images() map[string]memory.Image {
	files := make(map[string]memory.File)
	for _, f := range sandboxtest.Tree {
		file := memory.File{Content: []byte(f.Content), Link: f.Link, Mode: fs.FileMode(f.Mode)}
		if strings.HasSuffix(f.Name, "/") {
			file.Mode = fs.ModeDir | 0o755
		}
		name := f.Name
		if !path.IsAbs(name) {
			name = sandboxtest.Workdir + "/" + name
		}
		files[name] = file
	}
	return map[string]memory.Image{image: {Files: files}}
}

func TestConformance(t *testing.T) {
	defer goleak.VerifyNone(t)
	sandboxtest.Run(t, func(*testing.T) sandboxtest.Factory {
		rt := memory.New(memory.Options{Images: images()})
		return sandboxtest.Factory{
			Runtime:   rt,
			Image:     image,
			Reopen:    func(*testing.T) sandbox.Runtime { return rt.Reopen() },
			Leftovers: func(*testing.T) []string { return rt.Names() },
			Snapshots: true,
			Load:      true,
		}
	})
}

func spec(id string) sandbox.Spec {
	return sandbox.Spec{ID: id, Image: image, Workdir: sandboxtest.Workdir, Deadline: time.Now().Add(time.Hour)}
}

func TestFaults(t *testing.T) {
	fault := errors.New("fault")
	rt := memory.New(memory.Options{Images: images()})
	sb, err := rt.Create(t.Context(), spec("one"))
	if err != nil {
		t.Fatal(err)
	}
	once := true
	rt.SetFaults(memory.Faults{
		Create: func(ctx context.Context, _ sandbox.Spec) error { <-ctx.Done(); return ctx.Err() },
		Check:  func(context.Context) error { return fault },
		Destroy: func(context.Context, sandbox.Handle) error {
			if once {
				once = false
				return fault
			}
			return nil
		},
		LoseExec: func(sandbox.Command) error { return fault },
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := rt.Create(ctx, spec("two")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("create: %v", err)
	}
	if err := rt.Check(t.Context()); !errors.Is(err, fault) {
		t.Errorf("check: %v", err)
	}
	if _, err := sb.Exec(t.Context(), sandbox.Command{ID: "c", Argv: []string{"echo", "on"}}); !errors.Is(err, fault) {
		t.Errorf("exec: %v", err)
	}
	if res, err := sb.Attach(t.Context(), "c"); err != nil || string(res.Stdout.Head) != "on\n" {
		t.Errorf("the command whose caller was lost: %+v, %v", res, err)
	}
	if err := sb.Destroy(t.Context()); !errors.Is(err, fault) {
		t.Errorf("destroy: %v", err)
	}
	if err := sb.Destroy(t.Context()); err != nil {
		t.Errorf("destroy again: %v", err)
	}
	if names := rt.Names(); len(names) > 0 {
		t.Errorf("left: %v", names)
	}
}

func TestDeathOnDemand(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	rt := memory.New(memory.Options{Images: images(), Now: func() time.Time { return now }})
	early, late := spec("early"), spec("late")
	early.Deadline, late.Deadline = now.Add(time.Minute), now.Add(time.Hour)
	first, err := rt.Create(t.Context(), early)
	if err != nil {
		t.Fatal(err)
	}
	second, err := rt.Create(t.Context(), late)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Minute)
	rt.ExpireDue()
	if death, err := first.Wait(t.Context()); err != nil || death != sandbox.DeathExpired {
		t.Errorf("first: %q, %v", death, err)
	}
	if _, err := rt.Open(t.Context(), second.Handle()); err != nil {
		t.Errorf("second: %v", err)
	}
	rt.Kill("late", sandbox.DeathOOM)
	if death, err := second.Wait(t.Context()); err != nil || death != sandbox.DeathOOM {
		t.Errorf("second: %q, %v", death, err)
	}
}

func TestLoad(t *testing.T) {
	rt := memory.New(memory.Options{Images: images()})
	if load, err := rt.Load(t.Context()); err != nil || load.CPUs != 1 || load.CPUBusy != 0 || load.Wall.IsZero() {
		t.Errorf("at first: %+v, %v", load, err)
	}
	want := sandbox.Load{CPUs: 4, CPUBusy: time.Hour, IOStalled: time.Second}
	rt.SetLoad(func(context.Context) (sandbox.Load, error) { return want, nil })
	if load, err := rt.Reopen().Load(t.Context()); err != nil || load != want {
		t.Errorf("set: %+v, %v", load, err)
	}
}

func TestPrograms(t *testing.T) {
	rt := memory.New(memory.Options{Images: images(), Program: func(_ context.Context, p *memory.Process) sandbox.ExitStatus {
		p.Files.Put(p.Dir+"/made", memory.File{Content: []byte(p.Env["A"] + p.Env["B"] + p.Env["C"])})
		return sandbox.ExitStatus{Code: 3}
	}})
	one := spec("one")
	one.Env = map[string]string{"B": ""}
	sb, err := rt.Create(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	res, err := sb.Exec(t.Context(), sandbox.Command{ID: "c", Argv: []string{"make"},
		Env: map[string]string{"A": "a"}, EnvDefaults: map[string]string{"A": "x", "B": "x", "C": "c"}})
	if err != nil || res.Exit.Code != 3 {
		t.Errorf("exec: %+v, %v", res, err)
	}
	if content, _, err := sb.ReadFile(t.Context(), "made", 10); err != nil || string(content) != "ac" {
		t.Errorf("read: %q, %v", content, err)
	}
}
