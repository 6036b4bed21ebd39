package evaluate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
)

// writing is a suite that writes what its code says, a file a line, before or after a
// suite that always passes has run, whoever its user is.
func writing(always ...string) memory.Program {
	return func(_ context.Context, p *memory.Process) sandbox.ExitStatus {
		code, _ := p.Files.Get("/work/pkg/code.py")
		for _, line := range append(strings.Split(string(code.Content), "\n"), always...) {
			verb, rest, _ := strings.Cut(line, " ")
			name, content, _ := strings.Cut(rest, " ")
			switch verb {
			case "write":
				p.Files.Put(name, memory.File{Content: []byte(content)})
			case "again":
				was, _ := p.Files.Get(name)
				p.Files.Put(name, memory.File{Content: []byte("forged")})
				p.Files.Put(name, was)
			case "remove":
				p.Files.Remove(name)
			case "link":
				p.Files.Put(name, memory.File{Link: content})
			}
		}
		p.Files.Put("/work/report.xml", memory.File{Content: []byte(`<testsuite name="s"><testcase classname="tests.test_code" name="test_x"/></testsuite>`)})
		return sandbox.ExitStatus{}
	}
}

// lookAt judges work that writes while its suite runs.
func lookAt(t *testing.T, work string, always ...string) (v *assay.Verdict, suites int) {
	t.Helper()
	inner := writing(always...)
	files := map[string]memory.File{"/usr/lib/python3/site-packages/pytest/main.py": {Content: []byte("run\n")}, "/etc/conf": {Content: []byte("a\n")}}
	for name, content := range tree {
		files["/work/"+name] = memory.File{Content: []byte(content)}
	}
	e := New(Config{Runtime: memory.New(memory.Options{Images: map[string]memory.Image{"img": {Files: files}}, Program: func(ctx context.Context, p *memory.Process) sandbox.ExitStatus {
		suites++
		return inner(ctx, p)
	}})})
	defer e.Close()
	sample := fixing()
	verdict, err := e.EvaluatePatch(t.Context(), sample, "--- a/pkg/code.py\n+++ b/pkg/code.py\n@@ -1 +1,"+fmt.Sprint(1+strings.Count(work, "\n"))+" @@\n-x = 1\n+"+strings.ReplaceAll(work, "\n", "\n+")+"\n")
	if err != nil {
		t.Fatal(err)
	}
	return verdict, suites
}

// Work that writes to what it is judged by, while it is judged, is not solved.
func TestRewritingIsNotSolved(t *testing.T) {
	for _, work := range []string{
		"write /work/tests/test_code.py def test_x(): pass",
		"again /work/tests/test_code.py",
		"again /work/tests/data/in.txt",
		"remove /work/tests/data/in.txt",
		"link /work/tests/data/in.txt ../test_code.py",
		"again /work/conftest.py",
		"write /work/sub/conftest.py x",
		"write /work/json.py x\nwrite /work/json/__init__.py x",
		"again /work/setup.cfg",
		"again /usr/lib/python3/site-packages/pytest/main.py",
		"write /usr/lib/python3/site-packages/z.pth x",
		"again /etc/conf",
	} {
		v, suites := lookAt(t, work)
		if v.Solved || len(v.Contradictions) != 1+strings.Count(work, "\n") || !strings.HasPrefix(v.Reason, "what the tests are run from was changed under them: while the suite ran, ") {
			t.Errorf("%q: solved %t, %q, %q", work, v.Solved, v.Reason, v.Contradictions)
		}
		if !slices.ContainsFunc(v.Tampering, func(t assay.Tampering) bool { return t.Kind == assay.TamperingForgery }) {
			t.Errorf("%q: told as %+v", work, v.Tampering)
		}
		if suites != 2 { // the work's, and that of the reference
			t.Errorf("%q: %d suites", work, suites)
		}
	}
}

// What honest suites write is no alarm, and costs nothing.
func TestHonestSuitesWrite(t *testing.T) {
	for _, work := range []string{
		"write /work/tests/__pycache__/test_code.cpython-312.pyc x", "write /work/.coverage x", "write /work/tests/out.txt x",
		"write /work/tests/test_tmp.py x", "again /work/pkg/code.py", "write /tmp/x y", "again /work/docs/index.txt", "write /work/build/lib/conftest.txt x",
		"write /usr/lib/python3/site-packages/pytest/__pycache__/main.pyc x", "write /root/.cache/x y", "again /work/.git/config",
	} {
		if v, suites := lookAt(t, work); !v.Solved || len(v.Contradictions)+len(v.Tampering) > 0 || suites != 1 {
			t.Errorf("%q: %s, %q, %+v, %d suites", work, v.Reason, v.Contradictions, v.Tampering, suites)
		}
	}
}

// What a suite writes by itself is nobody's, but what it leaves of the tests is the same.
func TestWhatTheReferenceRewritesIsNoAlarm(t *testing.T) {
	for _, always := range []string{"write /work/tests/data/in.txt x", "again /work/conftest.py", "write /usr/lib/python3/site-packages/p.pth x", "again /work/tests/test_code.py"} {
		if v, suites := lookAt(t, "x = 2", always); !v.Solved || len(v.Tampering) > 0 || suites != 2 {
			t.Errorf("%q: %s, %+v, %d suites", always, v.Reason, v.Tampering, suites)
		}
	}
	if v, _ := lookAt(t, "write /work/tests/test_code.py forged", "write /work/tests/data/in.txt x"); v.Solved {
		t.Error("a test is rewritten beside what the suite writes, and that is solved")
	}
}

// What a suite writes with the reference fix is asked once a sample.
func TestTheReferenceIsLookedAtOnce(t *testing.T) {
	suites := 0
	inner := writing("again /work/conftest.py")
	e := New(Config{Runtime: runtimeOf(func(ctx context.Context, p *memory.Process) sandbox.ExitStatus {
		suites++
		return inner(ctx, p)
	})})
	defer e.Close()
	sample := fixing()
	for want := 2; want <= 4; want++ {
		v, err := e.EvaluatePatch(t.Context(), sample, sample.Patch)
		if err != nil || !v.Solved || suites != want {
			t.Errorf("%d suites, want %d: %+v, %v", suites, want, v, err)
		}
	}
	trial, err := e.Try(t.Context(), TrialRequest{ID: "ver_9", Sample: sample, Work: PatchWork(sample, "")})
	if err != nil || len(trial.Rewritten) != 1 || trial.Rewritten[0].String() != "conftest.py was written to" {
		t.Errorf("%+v, %v", trial, err)
	}
}

// A runtime that cannot tell lets work be judged as it would be without.
func TestNoAfterLookWhereTheRuntimeCannotTell(t *testing.T) {
	e := New(Config{Runtime: blind{runtimeOf(writing())}})
	defer e.Close()
	sample := fixing()
	v, err := e.EvaluatePatch(t.Context(), sample, "--- a/pkg/code.py\n+++ b/pkg/code.py\n@@ -1 +1 @@\n-x = 1\n+again /work/conftest.py\n")
	if err != nil || !v.Solved {
		t.Errorf("%+v, %v", v, err)
	}
}

// blind makes sandboxes that cannot tell what was written.
type blind struct{ sandbox.Runtime }

func (b blind) Create(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	box, err := b.Runtime.Create(ctx, spec)
	return struct{ sandbox.Sandbox }{box}, err
}
