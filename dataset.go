package assay

import (
	"strings"
	"time"
)

// Dataset is a named set of samples.
type Dataset struct {
	Name        string
	Description string
	SampleCount int // of latest versions
	CreatedAt   time.Time
}

// Sample is one version of one task: the columns of a SWE-bench row, and how to
// run and judge it. Samples never change; a changed row is a new version.
type Sample struct {
	Dataset            string
	ID                 string // unique in its dataset; the row's instance_id
	Version            int    // from 1
	Latest             bool
	VersionDescription string
	Description        string
	CreatedAt          time.Time

	Repo                   string
	BaseCommit             string
	EnvironmentSetupCommit string
	ProblemStatement       string
	HintsText              string
	Patch                  string // the reference fix
	NonCodePatch           string
	TestPatch              string // what the fix did to the tests
	FailToPass             []string
	PassToPass             []string
	FailToFail             []string

	Task Task
}

// Task is how a sample is run and judged: the defaults of its dataset with the
// sample's own overrides laid on. It is stored as JSON and written in YAML;
// docs/dataset-format.md defines it.
type Task struct {
	Image     string            `json:"image" yaml:"image"`     // reference; {dataset}, {instance_id} and {language} are replaced
	Workdir   string            `json:"workdir" yaml:"workdir"` // absolute path of the work tree in the image
	Language  string            `json:"language" yaml:"language"`
	Env       map[string]string `json:"env,omitempty" yaml:"env,omitempty"` // on top of the image's
	Network   string            `json:"network" yaml:"network"`             // "none" or "full"
	Resources Resources         `json:"resources" yaml:"resources"`
	Grading   Grading           `json:"grading" yaml:"grading"`
	Verifier  Verifier          `json:"verifier" yaml:"verifier"`
}

// Resources bounds a sandbox of a sample. Zero takes the server's default.
type Resources struct {
	CPUs     float64 `json:"cpus,omitempty" yaml:"cpus,omitempty"`
	MemoryMB int64   `json:"memory_mb,omitempty" yaml:"memory_mb,omitempty"` // MiB
	PIDs     int64   `json:"pids,omitempty" yaml:"pids,omitempty"`
	DiskMB   int64   `json:"disk_mb,omitempty" yaml:"disk_mb,omitempty"` // MiB that may be written
}

// Verifier is what judges a work tree.
type Verifier struct {
	Kind           VerifierKind `json:"kind" yaml:"kind"`
	Command        string       `json:"command" yaml:"command"`                 // run as bash -c in the work tree
	TimeoutSeconds int          `json:"timeout_seconds" yaml:"timeout_seconds"` // of the command
	Reports        []ReportSpec `json:"reports" yaml:"reports"`
}

// ReportSpec names a report that the verifier leaves, and its format.
type ReportSpec struct {
	Path   string `json:"path" yaml:"path"`     // "{reports}/NAME", relative to the work tree (may hold * a component), or "-" for standard output
	Format string `json:"format" yaml:"format"` // see package testreport
}

// VerifierKind is the kind of tool that judges.
type VerifierKind string

// The kinds on the wire.
const (
	VerifierTestSuite      VerifierKind = "test_suite"
	VerifierStaticAnalysis VerifierKind = "static_analysis"
	VerifierLinter         VerifierKind = "linter"
	VerifierCustom         VerifierKind = "custom"
)

// Grading is the rule that turns test outcomes into a verdict.
type Grading string

// GradingSWEBench: solved if and only if every fail_to_pass and every
// pass_to_pass test was seen to pass. Tests outside the lists are ignored.
const GradingSWEBench Grading = "swe-bench"

// ReportsPlaceholder stands, in ReportSpec.Path, for the directory that the
// verifier's environment names in EnvReports.
const ReportsPlaceholder = "{reports}"

// EnvReports is the environment variable that tells a verifier where to leave its
// reports: a fresh directory outside the work tree.
const EnvReports = "ASSAY_REPORTS"

// ImageFor returns the image reference of a sample, with the placeholders filled in.
func (t Task) ImageFor(dataset, instanceID string) string {
	return strings.NewReplacer(
		"{dataset}", dataset,
		"{instance_id}", instanceID,
		"{language}", t.Language,
	).Replace(t.Image)
}
