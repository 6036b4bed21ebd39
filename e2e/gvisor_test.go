package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"assay/client/wire"
	"assay/internal/sandbox/sandboxtest/runsc"
)

// The life of a session on the runtime for hostile code: commands, edits, a killed
// server, verdicts, and nothing left.
func TestGVisor(t *testing.T) {
	t.Parallel()
	binary, err := runsc.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p, "--oci-runtime", binary)
	c := newCaller(t, p, srv)
	sample := starterSample(t, semver)

	begun := time.Now()
	s := c.ready(t, c.create(t, semver))
	t.Logf("ready after %v", time.Since(begun))
	if got := c.output(t, s, "dmesg"); !strings.Contains(got, "gVisor") {
		t.Errorf("the kernel is none of gVisor's: %s", got)
	}
	begun = time.Now()
	c.output(t, s, "true")
	t.Logf("a command took %v", time.Since(begun))
	c.output(t, s, "echo here > f && git status --short")
	if got := c.edit(t, s, "f", "here", "there"); !got.Success {
		t.Errorf("edit: %s", got.Message)
	}
	begun = time.Now()
	if before := c.judge(t, s); before.IsSuccess || before.Passed == 0 || before.Failed == 0 {
		t.Errorf("before the fix: %s", before.Reason)
	}
	t.Logf("a verdict took %v", time.Since(begun))

	id := c.exec(t, s, "touch started; until [ -e go ]; do sleep 0.05; done; cat f; exit 7")
	appears(t, p, s, "started")
	if err := srv.Kill(); err != nil {
		t.Fatal(err)
	}
	c = c.at(start(t, p, "--oci-runtime", binary))
	c.output(t, s, "touch go")
	if in := c.end(t, s, id); *in.ExitCode != 7 || *in.Stdout != "there\n" {
		t.Errorf("a command that outlived its server: %s", show(in))
	}

	fix, err := json.Marshal(sample.Patch)
	if err != nil {
		t.Fatal(err)
	}
	if got := must[wire.EditResult](t, c.call(t, "POST", "/sessions/"+s+"/apply", `{"diff":`+string(fix)+`}`), 200); !got.Success {
		t.Fatalf("apply the reference patch: %s", got.Message)
	}
	if after := c.judge(t, s); !after.IsSuccess {
		t.Errorf("after the fix: %s", after.Reason)
	}
	c.close(t, s)
	if err := nothingLeft(p); err != nil {
		t.Error(err)
	}
}
