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
	commands := c.tests("rebuild_cmds")
	commands = append(commands, c.tests("test_cmds")...)
	commands = append(commands, c.tests("print_cmds")...)
	logCommands(s, commands, parser)
	return s
}

// logCommands makes the verifier of commands whose output is the report, as one log.
func logCommands(s *assay.Sample, commands []string, parser string) {
	v := &s.Task.Verifier
	v.User, v.ExitCode = assay.UserRoot, assay.ExitIgnored
	v.Reports = logReport(parser)
	for _, r := range v.Reports {
		v.TruncatedIDs = r.Format == pytestText && truncatesIDs(s.FailToPass, s.PassToPass)
	}
	if len(commands) > 0 {
		v.Command = "exec 2>&1\n" + strings.Join(commands, "\n") + "\n"
	}
}
