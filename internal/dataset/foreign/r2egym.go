package foreign

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"assay"
	"assay/internal/testid"
)

// convertR2EGym reads a row of R2E-Gym. Its images bring the tests in /r2e_tests and
// run_tests.sh in the work tree; its names of tests have no file, and dots between
// class and method, so the verifier writes pytest's summary in that way.
//
// https://github.com/R2E-Gym/R2E-Gym
func convertR2EGym(c *columns, o Options) *assay.Sample {
	commit := c.within("parsed_commit_content")
	repo := c.need("repo_name")
	sha := c.text("commit_hash")
	if sha == "" {
		sha = commit.text("new_commit_hash")
	}
	s := &assay.Sample{
		Dataset:          o.Dataset,
		ID:               repo + "-" + sha[:min(len(sha), 12)],
		CreatedAt:        commit.time("commit_date"),
		Repo:             repo,
		BaseCommit:       commit.text("old_commit_hash"),
		ProblemStatement: r2eIssue(c.need("problem_statement")),
		Patch:            r2ePatch(commit.row),
		Task:             newTask(),
	}
	c.adopt(commit, "parsed_commit_content")
	s.FailToPass, s.PassToPass, s.FailToFail = compareRuns(r2eBefore(c), r2eExpected(c))
	t := &s.Task
	t.Image = c.need("docker_image")
	t.Workdir = "/testbed"
	t.Language = "python"
	t.Grading = assay.GradingExact
	v := &t.Verifier
	v.User, v.ExitCode = assay.UserRoot, assay.ExitIgnored
	v.Protected = []string{"run_tests.sh", "r2e_tests", "r2e_tests/**"}
	v.Command = `rm -rf r2e_tests && ln -s /r2e_tests r2e_tests
bash run_tests.sh 2>&1 | sed -E -e 's/\x1b\[[0-9;]*m//g' -e '/^(PASSED|FAILED|ERROR) /{s/ [^ ]*\.py::/ /;s/::/./g}'
`
	v.Reports = []assay.ReportSpec{{Path: "-", Format: pytestText}}
	v.TruncatedIDs = truncatesIDs(s.FailToPass, s.PassToPass)
	return s
}

var issueTags = regexp.MustCompile(`(?s)\[ISSUE\](.*)\[/ISSUE\]`)

// r2eIssue returns what stands between the tags, as agents are told.
func r2eIssue(text string) string {
	if m := issueTags.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	return strings.TrimSpace(text)
}

// r2eExpected returns what must become of each test.
func r2eExpected(c *columns) map[string]string {
	outcomes := map[string]string{}
	for name, v := range c.object("expected_output_json") {
		if name, _ = testid.CutMessage(decolor(name)); name != "" {
			status, _ := v.(string)
			outcomes[name] = worse(outcomes[name], outcomeCalled(status))
		}
	}
	return outcomes
}

// r2eBefore returns what became of each test before the fix, from the log of that run;
// none when the row has no log. It tells apart only which list a test stands in:
// "exact" asks for all of them.
func r2eBefore(c *columns) map[string]string {
	outcomes := map[string]string{}
	_, summary, _ := strings.Cut(c.within("execution_result_content").text("old_commit_res_stdout"), "short test summary info")
	for line := range strings.Lines(summary) {
		status, rest, _ := strings.Cut(decolor(strings.TrimSpace(line)), " ")
		id, _ := testid.CutMessage(rest)
		if file, name, ok := strings.Cut(id, "::"); ok && strings.HasSuffix(file, ".py") {
			name = strings.ReplaceAll(name, "::", ".") // in parameters, too: so its names are made
			outcomes[name] = worse(outcomes[name], outcomeCalled(status))
		}
	}
	return outcomes
}

var colors = regexp.MustCompile("\x1b\\[[0-9;]*m")

func decolor(s string) string { return colors.ReplaceAllString(s, "") }

// r2eCommit is a commit as R2E-Gym takes it apart.
type r2eCommit struct {
	FileDiffs []struct {
		Header struct {
			File struct {
				Path string `json:"path"`
			} `json:"file"`
			MiscLine string `json:"misc_line"`
		} `json:"header"`
		IndexLine *struct {
			Old  string `json:"old_commit_hash"`
			New  string `json:"new_commit_hash"`
			Mode string `json:"mode"`
		} `json:"index_line"`
		MinusFile *struct {
			Path string `json:"path"`
		} `json:"minus_file"`
		PlusFile *struct {
			Path string `json:"path"`
		} `json:"plus_file"`
		Hunks []r2eHunk `json:"hunks"`
	} `json:"file_diffs"`
}

type r2eRange struct {
	Start  int  `json:"start"`
	Length *int `json:"length"`
}

type r2eHunk struct {
	Descriptor struct {
		Old     r2eRange `json:"old_range"`
		New     r2eRange `json:"new_range"`
		Section string   `json:"section"`
	} `json:"descriptor"`
	Lines struct {
		All []struct {
			Content string `json:"content"`
			Type    string `json:"type"`
		} `json:"all_lines"`
	} `json:"line_group"`
}

// r2ePatch puts the diff of the Python files that are no tests together again, which
// is R2E-Gym's reference fix. A commit that is not of that form gives "".
func r2ePatch(row map[string]any) string {
	text, err := json.Marshal(row)
	if err != nil {
		return ""
	}
	var commit r2eCommit
	if err := json.Unmarshal(text, &commit); err != nil {
		return ""
	}
	var b strings.Builder
	for _, f := range commit.FileDiffs {
		name := f.Header.File.Path
		if !strings.HasSuffix(name, ".py") || isR2ETest(name) {
			continue
		}
		fmt.Fprintf(&b, "diff --git a/%[1]s b/%[1]s\n", name)
		if f.Header.MiscLine != "" {
			b.WriteString(f.Header.MiscLine + "\n")
		}
		if i := f.IndexLine; i != nil {
			b.WriteString(strings.TrimSpace(fmt.Sprintf("index %s..%s %s", i.Old, i.New, i.Mode)) + "\n")
		}
		if f.MinusFile != nil && f.PlusFile != nil {
			fmt.Fprintf(&b, "--- %s\n+++ %s\n", f.MinusFile.Path, f.PlusFile.Path)
		}
		for _, h := range f.Hunks {
			h.write(&b)
		}
	}
	return b.String()
}

// isR2ETest tells tests from code as R2E-Gym does.
func isR2ETest(name string) bool {
	return strings.HasSuffix(name, "_test.py") || strings.HasPrefix(path.Base(name), "test_") ||
		slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool {
			return part == "test" || part == "tests" || part == "Test" || part == "Tests"
		})
}

func (h r2eHunk) write(b *strings.Builder) {
	fmt.Fprintf(b, "@@ -%s +%s @@", h.Descriptor.Old, h.Descriptor.New)
	if h.Descriptor.Section != "" {
		b.WriteString(" " + h.Descriptor.Section)
	}
	b.WriteByte('\n')
	for _, line := range h.Lines.All {
		switch line.Type {
		case "context":
			b.WriteByte(' ')
		case "added":
			b.WriteByte('+')
		case "deleted":
			b.WriteByte('-')
		case "note":
			b.WriteString(`\ `)
		}
		b.WriteString(line.Content + "\n")
	}
}

func (r r2eRange) String() string {
	if r.Length == nil {
		return fmt.Sprint(r.Start)
	}
	return fmt.Sprintf("%d,%d", r.Start, *r.Length)
}
