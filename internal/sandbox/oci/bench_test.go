package oci_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"assay/internal/sandbox"
	"assay/internal/sandbox/sandboxtest"
	"assay/internal/sandbox/sandboxtest/rootfs"
)

// BenchmarkRuntimes holds gVisor against runc, in turns. The reported numbers are
// medians.
func BenchmarkRuntimes(b *testing.B) {
	runtimes := make(map[string]sandbox.Runtime)
	for name, binary := range map[string]string{"runc": "runc", "gvisor": gvisor(b)} {
		h := newHost(b)
		h.binary = binary
		runtimes[name] = h.runtime(b)
	}
	works := map[string]string{
		"true":  "true",
		"forks": "for i in {1..100}; do /bin/true; done",
		"files": "mkdir d; for i in {1..500}; do echo $i > d/$i; done; cat d/* | wc -l; rm -r d",
		"bulk":  "head -c 64m /dev/zero > big; md5sum big; rm big",
		"spin":  "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done",
	}
	times := make(map[string][]time.Duration)
	for b.Loop() {
		for name, rt := range runtimes {
			measure := func(what string, fn func() error) {
				start := time.Now()
				if err := fn(); err != nil {
					b.Fatalf("%s on %s: %v", what, name, err)
				}
				times[what+"-"+name] = append(times[what+"-"+name], time.Since(start))
			}
			var sb sandbox.Sandbox
			measure("create", func() (err error) { sb, err = rt.Create(b.Context(), spec("box")); return err })
			for what, text := range works {
				measure(what, func() error {
					_, err := sb.Exec(b.Context(), sandbox.Command{ID: what, Argv: []string{"bash", "-c", text}})
					return err
				})
			}
			measure("changes", func() error {
				return sb.(sandbox.Snapshotter).Changes(b.Context(), "/", sandbox.ChangeLimits{MaxFiles: 1000, MaxBytes: 1 << 20}, io.Discard)
			})
			measure("destroy", func() error { return sb.Destroy(b.Context()) })
		}
	}
	report(b, times)
}

func report(b *testing.B, times map[string][]time.Duration) {
	for what, all := range times {
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, what+"-ms")
	}
}

// BenchmarkLife holds Create and Destroy against `runc run --detach` and `runc delete
// --force` of a prepared bundle with the same root file system and the same
// isolation, in turns. The reported numbers are medians.
func BenchmarkLife(b *testing.B) {
	h := newHost(b)
	rt := h.runtime(b)
	create := func(id string) sandbox.Sandbox {
		sb, err := rt.Create(b.Context(), sandbox.Spec{ID: id, Image: rootfs.Name, Workdir: sandboxtest.Workdir, Deadline: time.Now().Add(time.Hour)})
		if err != nil {
			b.Fatal(err)
		}
		return sb
	}
	model := create("model")
	defer model.Destroy(b.Context()) //nolint:errcheck // the benchmark is over
	bundle := prepareBundle(b, h)
	times := make(map[string][]time.Duration)
	measure := func(what string, fn func()) {
		start := time.Now()
		fn()
		times[what] = append(times[what], time.Since(start))
	}
	for b.Loop() {
		id := fmt.Sprintf("floor%d", len(times["floor-run"]))
		measure("floor-run", func() { runtimeBinary(b, bundle, "run", "--detach", "--bundle", bundle, id) })
		measure("floor-delete", func() { runtimeBinary(b, bundle, "delete", "--force", id) })
		var sb sandbox.Sandbox
		measure("create", func() { sb = create("box") })
		measure("exec", func() {
			if _, err := sb.Exec(b.Context(), sandbox.Command{ID: "c", Argv: []string{"true"}}); err != nil {
				b.Fatal(err)
			}
		})
		measure("changes", func() {
			if err := sb.(sandbox.Snapshotter).Changes(b.Context(), "/", sandbox.ChangeLimits{MaxFiles: 1000, MaxBytes: 1 << 20}, io.Discard); err != nil {
				b.Fatal(err)
			}
		})
		measure("destroy", func() {
			if err := sb.Destroy(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
		measure("check", func() {
			if err := rt.Check(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
	report(b, times)
}

// prepareBundle makes a bundle like that of the sandbox "model", over its root file
// system, that runs a program that waits.
func prepareBundle(b *testing.B, h host) string {
	b.Helper()
	var spec specs.Spec
	content, err := os.ReadFile(filepath.Join(h.dir, "sandboxes", "model", "bundle", "config.json"))
	if err == nil {
		err = json.Unmarshal(content, &spec)
	}
	if err != nil {
		b.Fatal(err)
	}
	spec.Process.Args = []string{"/bin/sleep", "3600"}
	spec.Linux.CgroupsPath = "/assay/floor"
	dir := b.TempDir()
	if content, err = json.Marshal(&spec); err == nil {
		err = os.WriteFile(filepath.Join(dir, "config.json"), content, 0o600)
	}
	if err != nil {
		b.Fatal(err)
	}
	return dir
}

func runtimeBinary(b *testing.B, dir string, args ...string) {
	b.Helper()
	cmd := exec.Command("runc", append([]string{"--root", filepath.Join(dir, "root")}, args...)...)
	if err := cmd.Run(); err != nil { // no pipes: a detached container would keep them open
		b.Fatalf("runc %v: %v", args, err)
	}
}
