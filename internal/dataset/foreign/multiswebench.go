package foreign

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"assay"
)

// multiFormats are the formats that find the same names as the log parsers of
// Multi-SWE-bench, by language. It has a parser a repository; those of Go and Rust
// agree with each other.
var multiFormats = map[string]string{"go": goTestText, "golang": goTestText, "rust": cargoTest}

// convertMultiSWEBench reads a row of Multi-SWE-bench. Its images bring the script
// that runs the tests.
//
// https://github.com/multi-swe-bench/multi-swe-bench
func convertMultiSWEBench(c *columns, o Options) *assay.Sample {
	org, repo := c.need("org"), c.need("repo")
	_, n := c.value("number")
	number, err := wholeNumber(n)
	if err != nil {
		c.fault("number", "is %v: %v", n, err)
	}
	base := c.within("base")
	s := &assay.Sample{
		Dataset:          o.Dataset,
		ID:               fmt.Sprintf("%s__%s-%d", org, repo, number),
		Repo:             org + "/" + repo,
		BaseCommit:       base.text("sha"),
		ProblemStatement: multiProblem(c),
		HintsText:        c.text("hints"),
		Patch:            c.need("fix_patch"),
		TestPatch:        c.text("test_patch"),
		FailToPass:       c.testNames("f2p_tests", "s2p_tests", "n2p_tests"),
		PassToPass:       c.testNames("p2p_tests"),
		FailToFail:       []string{},
		Task:             newTask(),
	}
	c.adopt(base, "base")
	t := &s.Task
	t.Image = strings.ToLower(fmt.Sprintf("mswebench/%s_m_%s:pr-%d", org, repo, number))
	t.Workdir = "/home/" + repo
	if t.Language = o.Language; t.Language == "" {
		t.Language = c.text("lang")
	}
	v := &t.Verifier
	v.User = assay.UserRoot
	v.ExitCode = assay.ExitIgnored
	v.Command = "exec 2>&1\nbash /home/run.sh\n"
	format := multiFormats[strings.ToLower(t.Language)]
	if format == "" {
		format = "multi-swe-bench-" + strings.ToLower(t.Language)
	}
	v.Reports = []assay.ReportSpec{{Path: "-", Format: format}}
	return s
}

// testNames returns the names of the tests of objects whose keys they are, sorted.
func (c *columns) testNames(columns ...string) []string {
	names := []string{}
	for _, column := range columns {
		names = slices.AppendSeq(names, maps.Keys(c.object(column)))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// multiProblem is the text of the issues, as the project shows it to agents: the pull
// request's own text tells of the fix.
func multiProblem(c *columns) string {
	_, v := c.value("resolved_issues")
	issues, _ := v.([]any)
	var parts []string
	for _, issue := range issues {
		fields, _ := issue.(map[string]any)
		of := &columns{row: fields}
		parts = append(parts, titled(of.text("title"), of.text("body")))
		c.adopt(of, "resolved_issues")
	}
	if len(parts) == 0 {
		return titled(c.text("title"), c.text("body"))
	}
	return strings.Join(parts, "\n\n")
}

// titled puts a title above a text.
func titled(title, body string) string {
	return strings.TrimSpace(strings.TrimSpace(title) + "\n\n" + strings.TrimSpace(body))
}
