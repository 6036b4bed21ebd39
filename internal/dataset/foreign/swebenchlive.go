package foreign

import (
	"strings"

	"assay"
)

// convertSWEBenchLive reads a row of SWE-bench-Live, of its MultiLang form, which
// brings the commands that build, test and print.
//
// https://github.com/microsoft/SWE-bench-Live
func convertSWEBenchLive(c *columns, o Options) *assay.Sample {
	s := sweSample(c, o)
	s.FailToPass, s.PassToPass = c.tests("FAIL_TO_PASS"), c.tests("PASS_TO_PASS")
	t := &s.Task
	if t.Image = c.text("docker_image"); t.Image == "" {
		t.Image = "starryzhang/sweb.eval.x86_64." + strings.ToLower(strings.ReplaceAll(s.ID, "__", "_1776_"))
	}
	t.Workdir = "/testbed"
	parser := strings.TrimSpace(c.text("log_parser"))
	if strings.ContainsAny(parser, " \n(") {
		c.cannotJudge("its log parser is a program of its own")
		parser = "program"
	}
	if t.Language == "" {
		if t.Language = c.text("language"); t.Language == "" {
			t.Language = languageOf(parser)
		}
	}
	tests := c.commands("test_cmds")
	if len(tests) == 0 {
		c.fault("test_cmds", "is empty")
	}
	run := c.withoutSteps(laidFor(s), strings.Join(append(c.commands("rebuild_cmds"), tests...), "\n"))
	if show := c.commands("print_cmds"); len(show) > 0 { // what they print is the report, and no more
		run = "{\n" + run + "\n} >&2\n" + strings.Join(show, "\n")
	} else {
		run = "exec 2>&1\n" + run
	}
	logCommands(s, run+"\n", parser)
	return s
}

// logCommands makes the verifier of a command whose output is the report.
func logCommands(s *assay.Sample, command, parser string) {
	v := &s.Task.Verifier
	v.User, v.ExitCode = assay.UserRoot, assay.ExitIgnored
	v.Reports = logReport(parser)
	for _, r := range v.Reports {
		v.TruncatedIDs = r.Format == pytestText && truncatesIDs(s.FailToPass, s.PassToPass)
	}
	v.Command = command
}
