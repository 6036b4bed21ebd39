package assay

import "strings"

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

	// CommandFor, when set, runs some of the tests alone: {files} and {tests} in it become
	// quoted words, see package narrow.
	CommandFor string `json:"command_for,omitempty" yaml:"command_for,omitempty"`

	// User runs the command in the clean sandbox: UserNobody, the default, or UserRoot.
	User string `json:"user,omitempty" yaml:"user,omitempty"`
	// ExitCode says what the command's exit code is worth. Defaults to ExitChecked.
	ExitCode ExitCodeRule `json:"exit_code,omitempty" yaml:"exit_code,omitempty"`
	// Protected are patterns (package steering) of files of the work tree that the agent's
	// changes do not reach, beside those that steer the language's test runners.
	Protected []string `json:"protected,omitempty" yaml:"protected,omitempty"`
	// Unprotected are patterns of files that the agent's changes do reach, although they
	// steer a test runner.
	Unprotected []string `json:"unprotected,omitempty" yaml:"unprotected,omitempty"`
	// Ignored says what becomes of new files that the image's own .gitignore files ignore.
	// Defaults to IgnoredAuto.
	Ignored IgnoredRule `json:"ignored,omitempty" yaml:"ignored,omitempty"`
	// Canaries are tests that must be seen to fail.
	Canaries []Canary `json:"canaries,omitempty" yaml:"canaries,omitempty"`
	// SecondRun says when a work that looks solved is run once more, with other names for
	// its fail_to_pass tests. Defaults to SecondRunOnSuspicion.
	SecondRun SecondRunRule `json:"second_run,omitempty" yaml:"second_run,omitempty"`
	// TruncatedIDs lets an expected test whose name has more "[" than "]" stand for the
	// tests whose names it is up to a space, as the lists of SWE-bench have them.
	TruncatedIDs bool `json:"truncated_ids,omitempty" yaml:"truncated_ids,omitempty"`
	// Quarantined are expected tests that are listed and not graded, because the operator
	// saw them flake.
	Quarantined []string `json:"quarantined,omitempty" yaml:"quarantined,omitempty"`
}

// The users that a verifier runs as.
const (
	UserNobody = "nobody" // id 65534: reads the image, and changes nothing that it or the work tree had
	UserRoot   = "root"   // for verifiers that install packages or write into the image; a weaker wall
)

// ExitCodeRule says what the exit code of a verifier's command is worth.
type ExitCodeRule string

const (
	// ExitChecked: the code is 0 if and only if no test failed. A report that says
	// otherwise is contradicted.
	ExitChecked ExitCodeRule = "checked"
	// ExitIgnored: the code says nothing, as where the command ends with something else
	// than the suite.
	ExitIgnored ExitCodeRule = "ignored"
)

// SecondRunRule says when a work that looks solved is run once more. Its tests have
// names then that nobody knew: code that lets the tests pass that it knows does
// not know them, and what lets all others pass lets the canaries pass.
type SecondRunRule string

// The rules of second runs.
const (
	SecondRunOnSuspicion SecondRunRule = "suspicion" // when the work has code that reaches for what judges it
	SecondRunAlways      SecondRunRule = "always"
	SecondRunNever       SecondRunRule = "never"
)

// IgnoredRule says what becomes of files of a work that the image has not, and that the
// .gitignore files of the image ignore: environments, dependencies, build output.
type IgnoredRule string

// The rules of ignored files. What the reference fix touches is never left out.
const (
	IgnoredAuto    IgnoredRule = "auto"    // left out when they are more than MaxIgnored, or too large with the rest
	IgnoredInclude IgnoredRule = "include" // part of the work as all else is
	IgnoredExclude IgnoredRule = "exclude" // left out
)

// MaxIgnored is how many ignored files are part of a work by IgnoredAuto.
const MaxIgnored = 2000

// NoncePlaceholder stands, in a Canary, for letters that are drawn anew for each
// verification and that nobody in the sandbox can know before: lower case, at least 26.
const NoncePlaceholder = "{nonce}"

// Canary is a test that must be seen to fail. It is laid beside the restored tests
// before the suite runs: a runner that was made to let everything pass lets it pass
// too, and a report that was written beforehand does not know it.
type Canary struct {
	Path string `json:"path" yaml:"path"` // of a file of the work tree; Text is appended when it is there, else it is made
	Text string `json:"text" yaml:"text"`
	ID   string `json:"id" yaml:"id"` // of the test, as the report names it; each of the three may hold {nonce}, and ID must
}

// ReportSpec names a report that the verifier leaves, and its format.
type ReportSpec struct {
	Path   string `json:"path" yaml:"path"`     // "{reports}/NAME", relative to the work tree or absolute (may hold * a component), or "-" for standard output
	Format string `json:"format" yaml:"format"` // see package testreport
	// Witness makes it a second witness and no source of results: its numbers of tests
	// must agree with those of the other reports.
	Witness bool `json:"witness,omitempty" yaml:"witness,omitempty"`
	// Begin and End, when set, are lines: the report is what stands between them, and is
	// cut short without the second.
	Begin string `json:"begin,omitempty" yaml:"begin,omitempty"`
	End   string `json:"end,omitempty" yaml:"end,omitempty"`
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

const (
	// GradingSWEBench: solved if and only if every fail_to_pass and every
	// pass_to_pass test was seen to pass. Tests outside the lists are ignored.
	GradingSWEBench Grading = "swe-bench"
	// GradingExact: solved if and only if the tests that passed are those of
	// fail_to_pass and pass_to_pass, no more and no less, and those that failed are
	// those of fail_to_fail. Skipped tests are ignored. The rule of codeset-gym.
	GradingExact Grading = "exact"
)

// ReportsPlaceholder stands, in ReportSpec.Path, for the directory that the
// verifier's environment names in EnvReports.
const ReportsPlaceholder = "{reports}"

// EnvReports is the environment variable that tells a verifier where to leave its
// reports: a fresh directory outside the work tree.
const EnvReports = "ASSAY_REPORTS"

// In returns the sample in the image with a digest, which is not the one that its name means by
// now, perhaps; as it is when there is no digest.
func (s *Sample) In(digest string) *Sample {
	if digest == "" {
		return s
	}
	in := *s
	in.Task.Image = digest
	return &in
}

// ImageFor returns the image reference of a sample, with the placeholders filled in.
func (t Task) ImageFor(dataset, instanceID string) string {
	return strings.NewReplacer(
		"{dataset}", dataset,
		"{instance_id}", instanceID,
		"{language}", t.Language,
	).Replace(t.Image)
}
