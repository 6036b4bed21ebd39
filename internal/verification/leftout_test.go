package verification_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/verification"
)

// ignoring is a court whose image ignores files, and has one that it ignores itself. The
// sample's settings are changed by change.
func ignoring(t *testing.T, rule assay.IgnoredRule, limits sandbox.ChangeLimits) *court {
	t.Helper()
	c := newCourt(t, func(cfg *verification.Config) { cfg.Changes = limits })
	for name, content := range map[string]string{".gitignore": ".venv/\n*.log\nmade/\n", "made/old.txt": "old\n"} {
		c.image["/work/"+name] = memory.File{Content: []byte(content)}
		if err := os.MkdirAll(filepath.Join(c.images.dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(c.images.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sample, err := c.store.Sample(t.Context(), "d", "s", 0)
	if err != nil {
		t.Fatal(err)
	}
	sample.Task.Verifier.Ignored = rule
	sample.Patch += "--- /dev/null\n+++ b/made/fix.txt\n@@ -0,0 +1 @@\n+fix\n"
	if _, err := c.store.ImportDataset(t.Context(), &assay.Dataset{Name: "d"}, []*assay.Sample{sample}); err != nil {
		t.Fatal(err)
	}
	return c
}

// many are n files in a directory, and the fix.
func many(dir string, n int) map[string]string {
	files := map[string]string{"a.txt": "fixed\n"}
	for i := range n {
		files[fmt.Sprintf("%s/lib/%d.py", dir, i)] = "x\n"
	}
	return files
}

func TestIgnoredFilesMayBeLeftOut(t *testing.T) {
	roomy := sandbox.ChangeLimits{MaxFiles: 20_000, MaxBytes: 1 << 20}
	with := func(files map[string]string, more ...string) map[string]string {
		for _, name := range more {
			files[name] = name + "\n"
		}
		return files
	}
	for _, tt := range []struct {
		name    string
		rule    assay.IgnoredRule
		limits  sandbox.ChangeLimits
		files   map[string]string
		leftOut []string
		has     string // names that the patch has
		hasNot  string
	}{
		{"some", "", roomy, with(many(".venv", 3), "a.log"), nil, ".venv/lib/2.py a.log", ""},
		{"many", "", roomy, with(many(".venv", assay.MaxIgnored+1), "sub/a.log", "b.txt", ".gitignore"), []string{".venv/", "sub/a.log"}, "b.txt .gitignore", ".venv/lib a.log"},
		{"more than a work may have", "", sandbox.ChangeLimits{MaxFiles: 20, MaxBytes: 1 << 20}, with(many(".venv", 30), "b.txt"), []string{".venv/"}, "b.txt", ".venv"},
		{"more bytes than a work may have", assay.IgnoredAuto, sandbox.ChangeLimits{MaxFiles: 20, MaxBytes: 500}, with(many("sub", 2), "b.txt", strings.Repeat("x", 200)+".log", strings.Repeat("y", 200)+".log", strings.Repeat("z", 200)+".log"),
			[]string{strings.Repeat("x", 200) + ".log", strings.Repeat("y", 200) + ".log", strings.Repeat("z", 200) + ".log"}, "b.txt", "xxx"},
		{"what the image has, and what the fix touches", assay.IgnoredExclude, roomy, with(many(".venv", 1), "made/old.txt", "made/fix.txt", "made/more.txt"), []string{".venv/", "made/more.txt"}, "made/old.txt made/fix.txt", ".venv made/more.txt"},
		{"none", assay.IgnoredExclude, roomy, many("sub", 1), nil, "sub/lib/0.py", ""},
		{"by the work's own word", assay.IgnoredExclude, roomy, with(map[string]string{"a.txt": "fixed\n"}, "sub/b.txt", "sub/.gitignore"), nil, "sub/b.txt", ""},
		{"all of many", assay.IgnoredInclude, roomy, many(".venv", assay.MaxIgnored+1), nil, ".venv/lib/2000.py", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := ignoring(t, tt.rule, tt.limits)
			if tt.files["sub/.gitignore"] != "" {
				tt.files["sub/.gitignore"] = "*\n"
			}
			v := c.judgedBy(user, tt.files)
			if got := v.Verdict.Evidence.LeftOut; !slices.Equal(got, tt.leftOut) || !v.Verdict.Solved {
				t.Errorf("left out %q (solved: %t), want %q", got, v.Verdict.Solved, tt.leftOut)
			}
			for _, id := range []string{v.ID, ""} {
				text, _ := c.diff(v.SessionID, id)
				for name := range strings.FieldsSeq(tt.has) {
					if !strings.Contains(text, name) {
						t.Errorf("the patch has no %s", name)
					}
				}
				for name := range strings.FieldsSeq(tt.hasNot) {
					if strings.Contains(text, name) {
						t.Errorf("the patch has %s", name)
					}
				}
			}
			if left, err := os.ReadDir(c.dir); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestTooMuchThatIsNotIgnoredIsNotSolved(t *testing.T) {
	limits := sandbox.ChangeLimits{MaxFiles: 20, MaxBytes: 1 << 20}
	for rule, files := range map[assay.IgnoredRule]map[string]string{assay.IgnoredInclude: many(".venv", 30), assay.IgnoredAuto: many("sub", 30), assay.IgnoredExclude: many("sub", 30)} {
		c := ignoring(t, rule, limits)
		v := c.started(c.session(files))
		c.work()
		got := c.outcome(v)
		if got.Verdict == nil || got.Verdict.Solved || !got.Verdict.Evidence.NotRun || !strings.Contains(got.Verdict.Reason, "more than 20 files") {
			t.Errorf("%s: it is %s: %+v, %+v", rule, got.Status, got.Failure, got.Verdict)
		}
		if e := got.Verdict.Evidence; e.ImageDigest == "" || !e.AnswersOpen || e.LeftOut != nil {
			t.Errorf("%s: the evidence is %+v", rule, e)
		}
		if _, err := c.Envelope(t.Context(), user, v.SessionID, v.ID); err != nil {
			t.Errorf("%s: the envelope: %v", rule, err)
		}
		c.nothingWaits()
	}
}

// A work tree that is gone is told as that also where ignored files may be left out.
func TestATreeThatIsGoneHasNothingToLeaveOut(t *testing.T) {
	for _, rule := range []assay.IgnoredRule{assay.IgnoredInclude, assay.IgnoredAuto, assay.IgnoredExclude} {
		c := ignoring(t, rule, sandbox.ChangeLimits{})
		v := c.started(c.spoiled("removed"))
		c.work()
		if got := c.outcome(v); got.Verdict == nil || !strings.Contains(got.Verdict.Reason, "/work is gone") {
			t.Errorf("%s: it is %s: %+v, %+v", rule, got.Status, got.Failure, got.Verdict)
		}
	}
}
