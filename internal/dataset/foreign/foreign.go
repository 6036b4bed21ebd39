// Package foreign reads the datasets of others as they are published, and turns
// their rows and task folders into samples: SWE-bench and its relatives, Codeset,
// GitBug-Java, Harbor and Terminal-Bench. docs/datasets.md says what becomes of what.
//
// A row becomes a sample, or it has faults (something in it is wrong), or it is
// unsupported (nothing is wrong, but Assay could not judge it). Whether the parts of
// a sample fit each other is for the caller to check.
package foreign

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"assay"
)

// Options is what the user says about all rows of a dataset.
type Options struct {
	Dataset  string // the name of the dataset
	Language string // of the code; "" as the rows say
}

// Record is what became of a row or of a task folder.
type Record struct {
	File string // relative to the folder that is read
	Line int    // the line of a .jsonl, else the number of the row in its file, from 1; 0 for a task folder

	Sample      *assay.Sample // nil when there are faults
	Faults      []Fault
	Unsupported string // why the sample cannot be judged; "" when it can
	NoCommand   string // why no command is known that judges the sample; "" when one is
	Network     bool   // the task is made for sandboxes that reach the internet

	Steps     StepsTaken // steps of its own commands that were taken out
	LaysTests bool       // its own commands lay the tests in a way that is not known, and still do
}

// Fault is something wrong in a row.
type Fault struct {
	Column  string // "" for the whole row
	Message string
}

// convert makes a sample of a row that has the columns of its format.
type convert func(c *columns, o Options) *assay.Sample

// format is a kind of dataset of rows.
type format struct {
	name    string
	has     []string // columns that its rows have, in either case
	lacks   []string // columns that its rows do not have, which tells it from its relatives
	convert convert
}

// formats are the kinds of datasets of rows. A row fits one of them, except that one
// from before version 5 of SWE-bench may be SWE-Gym's as well: there, the user says.
// Task folders are recognised by their files: see harborName and terminalBenchName.
var formats = []format{
	{"swe-bench", classicColumns, []string{"install_config", "before_repo_set_cmd", "non_code_patch", "test_cmds"}, convertSWEBench},
	{"swe-gym", classicColumns, []string{
		"install_config", "before_repo_set_cmd", "non_code_patch", "test_cmds",
		"environment_setup_commit", "eval_script", "image", "image_assets",
	}, convertSWEGym},
	{"swe-bench-pro", []string{"instance_id", "fail_to_pass", "before_repo_set_cmd", "selected_test_files_to_run"}, nil, convertSWEBenchPro},
	{"swe-bench-live", []string{"instance_id", "FAIL_TO_PASS", "test_cmds", "log_parser"}, []string{"install_config"}, convertSWEBenchLive},
	{"swe-rebench", []string{"instance_id", "FAIL_TO_PASS", "install_config"}, nil, convertSWERebench},
	{"multi-swe-bench", []string{"org", "repo", "number", "fix_patch"}, nil, convertMultiSWEBench},
	{"r2e-gym", []string{"docker_image", "repo_name", "parsed_commit_content"}, nil, convertR2EGym},
	{"codeset-gym", []string{"instance_id", "FAIL_TO_PASS", "FAIL_TO_FAIL", "non_code_patch"}, nil, convertCodeset},
	{"gitbug-java", []string{"bug_patch", "actions_runs", "commit_hash"}, nil, convertGitBugJava},
}

// classicColumns are those that every row of SWE-bench has.
var classicColumns = []string{"instance_id", "FAIL_TO_PASS", "patch", "test_patch", "version"}

// Formats lists the names of all formats that are read, sorted.
func Formats() []string {
	names := []string{harborName, terminalBenchName}
	for _, f := range formats {
		names = append(names, f.name)
	}
	slices.Sort(names)
	return names
}

func (f format) fits(columns map[string]any) bool {
	there := func(name string) bool {
		for key := range columns {
			if strings.EqualFold(key, name) {
				return true
			}
		}
		return false
	}
	return !slices.ContainsFunc(f.has, func(name string) bool { return !there(name) }) && !slices.ContainsFunc(f.lacks, there)
}

// recognise returns the format of the rows of a file by the columns of its first.
func recognise(row map[string]any) (format, error) {
	var fitting []format
	for _, f := range formats {
		if f.fits(row) {
			fitting = append(fitting, f)
		}
	}
	if len(fitting) == 1 {
		return fitting[0], nil
	}
	candidates := Formats()
	if len(fitting) > 0 {
		candidates = nil
		for _, f := range fitting {
			candidates = append(candidates, f.name)
		}
	}
	const enough = 40
	seen := slices.Sorted(maps.Keys(row))
	if len(seen) > enough {
		seen = append(seen[:enough], "...")
	}
	return format{}, fmt.Errorf("the format is not recognised by its columns (%s): say which it is with --format: %s",
		strings.Join(seen, ", "), strings.Join(candidates, ", "))
}

// formatCalled returns the format of rows that is called name.
func formatCalled(name string) (format, bool) {
	at := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
	if at < 0 {
		return format{}, false
	}
	return formats[at], true
}

// newTask is a task as all formats begin it. Sandboxes have no network, whatever the
// original gave them: "full" is the host's own.
func newTask() assay.Task {
	return assay.Task{
		Network: "none",
		Grading: assay.GradingSWEBench,
		Verifier: assay.Verifier{
			Kind:           assay.VerifierTestSuite,
			TimeoutSeconds: 1800,
		},
	}
}
