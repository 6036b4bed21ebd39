package e2e_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"assay"
	"assay/client/wire"
	"assay/e2e/harness"
)

// starterSample is a sample of the starter dataset as it lies in its folder, with the answers.
func starterSample(t *testing.T, id string) *assay.Sample {
	t.Helper()
	samples, err := harness.Samples(world.folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples {
		if s.ID == id {
			return s
		}
	}
	t.Fatalf("no sample %s", id)
	return nil
}

// A real bug, its real suite: the reference patch solves it, and what the agent does
// to the tests changes nothing.
func TestVerdictOnARealBug(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	sample := starterSample(t, semver)
	s := c.open(t, semver)

	before := c.judge(t, s)
	if before.IsSuccess || before.Passed == 0 || before.Failed == 0 {
		t.Errorf("before the fix: %s", before.Reason)
	}
	for _, name := range sample.FailToPass {
		if !slices.ContainsFunc(before.Failures, func(o wire.TestOutcome) bool { return o.Name == name && o.Expected == "fail_to_pass" }) {
			t.Errorf("before the fix, %s is no failure", name)
		}
	}

	// Tests that cannot fail do not travel.
	c.output(t, s, `printf 'package semver\nimport "testing"\nfunc TestNewVersion(t *testing.T) {}\nfunc TestStrictNewVersion(t *testing.T) {}\n' > version_test.go`)
	if forged := c.judge(t, s); forged.IsSuccess || forged.Passed != before.Passed {
		t.Errorf("forged tests: %s", forged.Reason)
	}
	// Nor does a program of their own.
	c.output(t, s, `printf 'package semver\nimport ("os"; "testing")\nfunc TestMain(m *testing.M) { os.Exit(0) }\n' > main_test.go`)
	if j := c.judge(t, s); j.IsSuccess || j.Passed != before.Passed || !slices.ContainsFunc(j.Tampering, func(t wire.Tampering) bool { return t.Path == "main_test.go" }) {
		t.Errorf("a suite with a program of its own: %s, %+v", j.Reason, j.Tampering)
	}
	// Code that ends the process of its tests is the work's doing, and no error of ours.
	c.output(t, s, `git checkout -q . && git clean -fdq && printf 'package semver\nimport "os"\nfunc init() { os.Exit(0) }\n' > exits.go`)
	if j := c.judge(t, s); j.IsSuccess {
		t.Errorf("a suite that exits: %s", j.Reason)
	}
	c.output(t, s, "git clean -fdq")

	fix, err := json.Marshal(sample.Patch)
	if err != nil {
		t.Fatal(err)
	}
	got := must[wire.EditResult](t, c.call(t, "POST", "/sessions/"+s+"/apply", `{"diff":`+string(fix)+`}`), 200)
	if !got.Success {
		t.Fatalf("apply the reference patch: %s", got.Message)
	}
	// The suite has its own tests; and a tree that was moved away and back, with a
	// file renamed in it, is the tree that it now is.
	c.output(t, s, "rm version_test.go && cd / && cp -a /testbed /moved && rm -r /testbed && mv /moved /testbed && cd /testbed && mv version.go renamed.go")
	after := c.judge(t, s)
	if !after.IsSuccess || len(after.Missing) != 0 {
		t.Errorf("after the fix: %s", after.Reason)
	}
	if got := c.output(t, s, "ls version_test.go 2>&1 | grep -c 'No such file'"); got != "1\n" {
		t.Error("the verification changed the session")
	}
}

func TestWorkTravels(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	const forged = `echo '<testsuite name="check"><testcase classname="check" name="answer"/><testcase classname="check" name="calm"/></testsuite>' > "$ASSAY_REPORTS/report.xml"`
	steps := []struct {
		name, work string
		solved     bool
	}{
		{"nothing", "true", false},
		{"a forged test", "echo '" + strings.ReplaceAll(forged, "'", `'\''`) + "' > check.sh", false},
		{"a directory in place of the test", "rm check.sh; mkdir check.sh; echo no > check.sh/x", false},
		{"a link in place of the test", "rm -r check.sh; ln -s answer check.sh", false},
		{"an old report", "mkdir -p reports; echo '<testsuite/>' > reports/report.xml", false},
		{"a wrong answer", "echo no > answer", false},
		{"the answer, as a program of the image says", "rm answer; printf 'yes\n' > answer", true},
		{"a deleted test", "rm -f check.sh", true},
		{"the repository's own data", "git config core.hooksPath /tmp; rm -rf .git/objects", true},
		{"a file that is no text", "head -c 100000 /dev/urandom > blob; mkfifo pipe", true},
		{"a link instead of the answer", "mv answer real; ln -s real answer", true},
		{"the answer outside of the work tree", "rm answer real; echo yes > /tmp/answer; ln -s /tmp/answer answer", false},
	}
	for _, step := range steps {
		c.output(t, s, step.work)
		if got := c.judge(t, s); got.IsSuccess != step.solved {
			t.Errorf("%s: solved is %t: %s", step.name, got.IsSuccess, got.Reason)
		}
	}
}

// What is judged is the work at the moment of the request, and the session goes on
// meanwhile as if nothing were.
func TestSessionGoesOnDuringVerification(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	c.output(t, s, "echo yes > answer; echo 2 > pause")
	command := c.exec(t, s, "for i in 1 2 3; do sleep 0.2; echo $i; done")
	id := c.verify(t, s)
	c.output(t, s, "echo no > answer; pkill -f 'check[.]sh'; true")
	if got := c.edit(t, s, "answer", "no", "never"); !got.Success {
		t.Errorf("edit during a verification: %s", got.Message)
	}
	if in := c.end(t, s, command); *in.Stdout != "1\n2\n3\n" || *in.ExitCode != 0 {
		t.Errorf("a command during a verification: %s", show(in))
	}
	j := c.job(t, s, id)
	if j.Result == nil || !j.Result.IsSuccess {
		t.Errorf("the work as it was at the request is not judged: %s %+v %+v", j.Status, j.Error, j.Result)
	}
	if got := c.output(t, s, "cat answer; ls check.sh 2>/dev/null; ls -d /tmp/assay-reports* 2>/dev/null; true"); got != "never\n" {
		t.Errorf("the session sees %q", got)
	}
}

// A verification is finished even if its session is closed meanwhile.
func TestVerdictAfterTheSession(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	c.output(t, s, "echo yes > answer; echo 1 > pause")
	id := c.verify(t, s)
	c.close(t, s)
	if j := c.job(t, s, id); j.Result == nil || !j.Result.IsSuccess {
		t.Errorf("verification is %s: %+v", j.Status, j.Error)
	}
	refused(t, c.call(t, "POST", "/sessions/"+s+"/verify", nil), 409, assay.CodeSessionEnded)
}

// A fault of the platform is never a verdict.
func TestFaultsAreNoVerdicts(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	for sample, code := range map[string]assay.Code{
		"never-runs": assay.CodeSuiteNotRun,
		"stale":      assay.CodePatchFailed,
	} {
		s := c.open(t, sample)
		j := c.job(t, s, c.verify(t, s))
		if j.Status != assay.VerificationError || j.Result != nil || j.Error == nil || j.Error.Code != string(code) {
			t.Errorf("%s: %s, %+v, %+v; want error %s", sample, j.Status, j.Error, j.Result, code)
		}
		c.close(t, s)
	}
}

func TestMissingImage(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	id := c.create(t, "no-image")
	s := c.session(t, id)
	if s.Status != assay.SessionError || s.Error == nil || s.Error.Code != string(assay.CodeImageUnavailable) {
		t.Errorf("session is %s: %+v; want error image_unavailable", s.Status, s.Error)
	}
	if s.CreatedAt != nil || s.DurationSeconds != nil && *s.DurationSeconds != 0 {
		t.Error("a session that never was ready has a duration")
	}
	r := c.call(t, "POST", "/sessions/"+id+"/exec", wire.ExecRequest{Command: "true"})
	refused(t, r, 409, assay.CodeSessionEnded)
	c.close(t, id)
}

// A suite that ran is judged by what it reported, also when it was killed. It runs alone, as
// TestVerifiersThatMisbehave does.
func TestSuitesCutShort(t *testing.T) {
	c := sharedCaller(t)
	for sample, why := range map[string]string{
		"cut-short":     "its timeout",
		"half-reported": "a missing test",
	} {
		s := c.open(t, sample)
		c.output(t, s, "echo yes > answer")
		got := c.judge(t, s)
		if got.IsSuccess {
			t.Errorf("%s: solved in spite of %s: %s", sample, why, got.Reason)
		}
		if got.TimedOut != (sample == "cut-short") {
			t.Errorf("%s: timed_out is %t", sample, got.TimedOut)
		}
		if sample == "half-reported" && !slices.Equal(got.Missing, []string{"check::calm"}) {
			t.Errorf("%s: missing is %q", sample, got.Missing)
		}
		c.close(t, s)
	}
}
