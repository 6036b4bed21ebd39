package foreign

import (
	"path"
	"regexp"
	"strings"

	"assay"
	"assay/internal/testid"
)

// convertSWERebench reads a row of SWE-rebench V2.
//
// Its harness asks that the tests that passed are exactly the expected ones, and does
// not look at those that failed. Grading "exact" would; "swe-bench" lets more tests
// pass than expected, which it does not. The latter is nearer: a suite with a test
// that always fails stays solvable.
//
// https://github.com/SWE-rebench/SWE-rebench-V2/blob/main/scripts/eval.py
func convertSWERebench(c *columns, o Options) *assay.Sample {
	s := sweSample(c, o)
	s.FailToPass = withoutTimings(c.tests("FAIL_TO_PASS"))
	s.PassToPass = withoutTimings(c.tests("PASS_TO_PASS"))
	s.ProblemStatement = withSection(s.ProblemStatement, "Interface:", c.text("interface"))
	t := &s.Task
	t.Image = c.need("image_name")
	if _, name, ok := strings.Cut(s.Repo, "/"); ok {
		t.Workdir = path.Join("/", name)
	} else {
		c.fault("repo", "%q is not of the form owner/name", s.Repo)
	}
	config := c.within("install_config")
	parser := config.text("log_parser")
	commands := config.commands("test_cmd")
	c.adopt(config, "install_config")
	if t.Language == "" {
		if t.Language = c.text("language"); t.Language == "" {
			t.Language = languageOf(parser)
		}
	}
	if len(commands) == 0 {
		c.fault("install_config.test_cmd", "is empty or not there")
	}
	logCommands(s, "exec 2>&1\n"+c.withoutSteps(laidFor(s), strings.Join(commands, "\n"))+"\n", parser)
	return s
}

// commands returns a column that holds a command, or a list of them.
func (c *columns) commands(name string) []string {
	if column, v := c.value(name); v != nil {
		if one, ok := v.(string); ok {
			return []string{one}
		}
		return c.list(column, nil, "")
	}
	return nil
}

// timings are what some runners write behind, or into, the name of a test: SWE-rebench
// takes it out of the names that it expects and of those that it sees.
var timings = []*regexp.Regexp{
	regexp.MustCompile(`(?i)\s*\[\s*\d+(?:\.\d+)?\s*(?:ms|s)\s*\]\s*$`),
	regexp.MustCompile(`(?i)\s+in\s+\d+(?:\.\d+)?\s+(?:msec|sec)\b`),
	regexp.MustCompile(`(?i)\s*\(\s*\d+(?:\.\d+)?\s*(?:ms|s)\s*\)\s*$`),
}

func withoutTimings(names []string) []string {
	for i, name := range names {
		given, rest := testid.CutParameters(name) // "test_waits[5s]" has no timing
		for _, timing := range timings {
			rest = timing.ReplaceAllString(rest, "")
		}
		names[i] = strings.TrimSpace(given + rest)
	}
	return unique(names)
}
