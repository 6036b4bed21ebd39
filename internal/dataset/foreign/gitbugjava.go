package foreign

import (
	"path"
	"strings"

	"assay"
	"assay/internal/testid"
)

// convertGitBugJava reads a row of GitBug-Java. It has no lists of tests, but what
// became of each test in three runs: before the fix, before it with its tests, and
// after it. Its own verdict is that no test failed and that as many ran as expected,
// for which "exact" stands, which also asks which ones.
//
// https://github.com/gitbugactions/gitbug-java
func convertGitBugJava(c *columns, o Options) *assay.Sample {
	repo, commit := c.need("repository"), c.need("commit_hash")
	s := &assay.Sample{
		Dataset:          o.Dataset,
		ID:               strings.ReplaceAll(repo, "/", "-") + "-" + commit[:min(len(commit), 12)],
		CreatedAt:        c.time("commit_timestamp"),
		Repo:             repo,
		BaseCommit:       c.text("previous_commit_hash"),
		ProblemStatement: gitbugProblem(c),
		Patch:            c.text("bug_patch"),
		NonCodePatch:     c.text("non_code_patch"),
		TestPatch:        c.text("test_patch"),
		Task:             newTask(),
	}
	before, after, tool := gitbugRuns(c)
	s.FailToPass, s.PassToPass, s.FailToFail = compareRuns(before, after)
	t := &s.Task
	t.Image = "gitbug-java/" + strings.ToLower(s.ID) + ":latest"
	t.Workdir = "/" + path.Base(repo)
	t.Language = "java"
	t.Grading = assay.GradingExact
	t.Verifier.User = assay.UserRoot // the build tools keep their caches in root's home
	t.Verifier.Command, t.Verifier.Reports = buildToolVerifier(tool)
	if t.Verifier.Command == "" {
		c.cannotJudge("its build tool is %q, not maven or gradle", tool)
	}
	return s
}

// buildToolVerifier runs the tests of a Java project, one module deep at most.
func buildToolVerifier(tool string) (string, []assay.ReportSpec) {
	var paths []string
	command := ""
	switch tool {
	case "maven":
		command = "if [ -f ./mvnw ]; then mvn='sh ./mvnw'; else mvn=mvn; fi\n$mvn --batch-mode --offline --fail-at-end test"
		paths = []string{"target/surefire-reports/TEST-*.xml", "*/target/surefire-reports/TEST-*.xml"}
	case "gradle":
		command = "if [ -f ./gradlew ]; then gradle='sh ./gradlew'; else gradle=gradle; fi\n$gradle --offline --no-daemon --continue test"
		paths = []string{"build/test-results/*/TEST-*.xml", "*/build/test-results/*/TEST-*.xml"}
	}
	var reports []assay.ReportSpec
	for _, p := range paths {
		reports = append(reports, assay.ReportSpec{Path: p, Format: junitXML})
	}
	return command, reports
}

// gitbugRuns returns what became of the tests before the fix, with the tests of the
// fix where that was run, and after it, and the build tool.
func gitbugRuns(c *columns) (before, after map[string]string, tool string) {
	_, v := c.value("actions_runs")
	runs, _ := v.([]any)
	if len(runs) != 3 {
		c.fault("actions_runs", "has %d runs, not 3", len(runs))
		return nil, nil, ""
	}
	before, tool = gitbugRun(c, runs[1])
	if runs[1] == nil {
		before, tool = gitbugRun(c, runs[0])
	}
	after, tool2 := gitbugRun(c, runs[2])
	if tool2 != "" {
		tool = tool2
	}
	return before, after, tool
}

// gitbugRun returns the outcome of each test of a run, which is a list of jobs. A test
// that ran several times has the worst of its outcomes.
func gitbugRun(c *columns, run any) (outcomes map[string]string, tool string) {
	jobs, _ := run.([]any)
	outcomes = map[string]string{}
	for _, j := range jobs {
		fields, _ := j.(map[string]any)
		job := &columns{row: fields}
		if t := job.text("build_tool"); t != "" {
			tool = t
		}
		tests, _ := fields["tests"].([]any)
		for _, t := range tests {
			fields, _ := t.(map[string]any)
			test := &columns{row: fields}
			name := test.text("name")
			if name != "" {
				name = testid.Join(test.text("classname"), name)
			}
			results, _ := fields["results"].([]any)
			for _, r := range results {
				fields, _ := r.(map[string]any)
				result := &columns{row: fields}
				outcomes[name] = worse(outcomes[name], outcomeCalled(result.text("result")))
				c.adopt(result, "actions_runs.tests.results")
			}
			c.adopt(test, "actions_runs.tests")
		}
		c.adopt(job, "actions_runs")
	}
	return outcomes, tool
}

// The outcomes of a test, as far as lists of tests go.
const (
	passed  = "passed"
	failed  = "failed"
	skipped = "skipped"
)

// outcomeCalled reads the words in which datasets name outcomes.
func outcomeCalled(word string) string {
	switch strings.ToLower(word) {
	case "passed", "pass", "ok":
		return passed
	case "skipped", "skip":
		return skipped
	}
	return failed
}

// worse returns the worse of two outcomes of one test; "" is none yet.
func worse(a, b string) string {
	if a == failed || b == failed {
		return failed
	}
	if a == passed || b == passed {
		return passed
	}
	return b
}

// gitbugProblem is the text of the issues, or else the message of the fix: it is what
// the dataset has.
func gitbugProblem(c *columns) string {
	_, v := c.value("issues")
	issues, _ := v.([]any)
	var parts []string
	for _, issue := range issues {
		fields, _ := issue.(map[string]any)
		of := &columns{row: fields}
		if text := titled(of.text("title"), of.text("body")); text != "" {
			parts = append(parts, text)
		}
		c.adopt(of, "issues")
	}
	if len(parts) == 0 {
		return strings.TrimSpace(c.text("commit_message"))
	}
	return strings.Join(parts, "\n\n")
}
