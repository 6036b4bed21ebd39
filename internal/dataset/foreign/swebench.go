package foreign

import (
	"regexp"
	"strings"

	"assay"
)

// sweSample takes the columns that SWE-bench and its relatives have in common.
func sweSample(c *columns, o Options) *assay.Sample {
	s := &assay.Sample{
		Dataset:                o.Dataset,
		ID:                     c.need("instance_id"),
		CreatedAt:              c.time("created_at"),
		Repo:                   c.text("repo"),
		BaseCommit:             c.text("base_commit"),
		EnvironmentSetupCommit: c.text("environment_setup_commit"),
		ProblemStatement:       c.need("problem_statement"),
		HintsText:              c.text("hints_text"),
		Patch:                  c.text("patch"),
		TestPatch:              c.text("test_patch"),
		FailToFail:             []string{},
		Task:                   newTask(),
	}
	s.Task.Language = o.Language
	return s
}

// The lines that SWE-bench's scripts write around the output of the tests.
const (
	startMarker = ">>>>> Start Test Output"
	endMarker   = ">>>>> End Test Output"
)

// convertSWEBench reads a row of SWE-bench, Lite, Verified, Multimodal or
// Multilingual. Since version 5 a row brings the script that judges it.
//
// https://github.com/SWE-bench/SWE-bench
func convertSWEBench(c *columns, o Options) *assay.Sample {
	s := sweSample(c, o)
	s.FailToPass, s.PassToPass = c.tests("FAIL_TO_PASS"), c.tests("PASS_TO_PASS")
	t := &s.Task
	if t.Image = c.text("image"); t.Image == "" {
		t.Image = "swebench/sweb.eval.x86_64." + strings.ToLower(strings.ReplaceAll(s.ID, "__", "_1776_")) + ":latest"
	}
	t.Workdir = "/testbed"
	parser := c.text("log_parser")
	if _, assets := c.value("image_assets"); parser == "" && assets == nil {
		parser = classicParser(s.Repo)
	}
	script := c.withoutSteps(laidFor(s), c.text("eval_script"))
	evalScript(s, script, parser)
	if script == "" {
		c.noCommand = "rows of SWE-bench bring it as eval_script since version 5, and this one does not"
	}
	if c.text("eval_type") == "fail_only" {
		c.cannotJudge("its eval_type is fail_only: its log names no test that passed, so that none can be seen to pass")
	}
	return s
}

// convertSWEGym reads a row of SWE-Gym: the columns of a classic SWE-bench row.
//
// https://github.com/SWE-Gym/SWE-Gym
func convertSWEGym(c *columns, o Options) *assay.Sample {
	s := sweSample(c, o)
	s.FailToPass, s.PassToPass = c.tests("FAIL_TO_PASS"), c.tests("PASS_TO_PASS")
	s.Task.Image = "xingyaoww/sweb.eval.x86_64." + strings.ToLower(strings.ReplaceAll(s.ID, "__", "_s_")) + ":latest"
	s.Task.Workdir = "/testbed"
	evalScript(s, "", "parse_log_pytest")
	c.noCommand = "rows of SWE-Gym bring none"
	return s
}

// classicParser returns the log parser of a row from before version 5: those that do
// not name one are of Python projects, of which two run no pytest.
func classicParser(repo string) string {
	switch repo {
	case "django/django":
		return "parse_log_django"
	case "sympy/sympy":
		return "parse_log_sympy"
	}
	return "parse_log_pytest"
}

// evalScript makes the verifier of a script of SWE-bench, which lost its steps that the
// clean room makes needless: it installs the project again and runs the tests between
// two markers, so that it needs root and its exit code is not theirs. Without a script,
// the command is for the user to give.
func evalScript(s *assay.Sample, script, parser string) {
	t := &s.Task
	t.Verifier.User, t.Verifier.ExitCode = assay.UserRoot, assay.ExitIgnored
	t.Verifier.Reports = logReport(parser)
	if t.Language == "" {
		t.Language = languageOf(parser)
	}
	for _, r := range t.Verifier.Reports {
		t.Verifier.TruncatedIDs = r.Format == pytestText && truncatesIDs(s.FailToPass, s.PassToPass)
	}
	if script == "" {
		return
	}
	// The markers are written by the shell as it traces itself, to standard error.
	t.Verifier.Command = "exec 2>&1\n" + script
	if runsTox.MatchString(script) {
		t.Verifier.Command = "{\n" + script + "\n} 2>&1 | grep -vE " + quoteShell(toxLines) + "\n"
	}
	begin, end := tracedLine(script, startMarker), tracedLine(script, endMarker)
	if begin != "" && end != "" {
		for i := range t.Verifier.Reports {
			t.Verifier.Reports[i].Begin, t.Verifier.Reports[i].End = begin, end
		}
	}
}

// Sphinx runs pytest through tox, which sums up below it what pytest has summed up: with
// that, the report would go on after its end.
var runsTox = regexp.MustCompile(`(?m)^tox `)

const toxLines = `^(  )?py[0-9.]+: |^  (congratulations|evaluation failed) |^\.pkg: |^_+ summary _+$|^ERROR: +(py[0-9.]+: |InvocationError )`

// tracedLine returns the line of output that tells that a script has come to a
// marker: what echo prints, or the trace of the command that does nothing; "" when the
// script has no such marker.
func tracedLine(script, marker string) string {
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		switch {
		case !strings.Contains(line, marker):
		case strings.HasPrefix(line, "echo "):
			return marker
		case strings.HasPrefix(line, ": "):
			return "+ : '" + marker + "'"
		}
	}
	return ""
}
