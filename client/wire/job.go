package wire

import (
	"time"

	"assay"
)

// JobStarted is the answer to the start of a verification.
type JobStarted struct {
	JobID     string                   `json:"job_id" example:"ver_0dfm6k3b2tvc1r8h5n7pqa4e9s"`
	Status    assay.VerificationStatus `json:"status" enum:"pending,starting,running,completed,error,cancelled"`
	StartedAt time.Time                `json:"started_at"`
}

// Job is a verification. Completed means that the suite ran, whatever the verdict; error
// means that the server could not judge.
type Job struct {
	JobID         string                   `json:"job_id" example:"ver_0dfm6k3b2tvc1r8h5n7pqa4e9s"`
	SessionID     string                   `json:"session_id" example:"ses_0dfm6k3b2tvc1r8h5n7pqa4e9s"`
	SampleID      string                   `json:"sample_id" example:"gorilla__mux-578"`
	Status        assay.VerificationStatus `json:"status" enum:"pending,starting,running,completed,error,cancelled"`
	CreatedAt     time.Time                `json:"created_at"`
	StartedAt     *time.Time               `json:"started_at"`
	CompletedAt   *time.Time               `json:"completed_at"`
	ContainerInfo *ContainerInfo           `json:"container_info" doc:"Always null: the clean sandbox of a verification is nobody's to reach"`
	Error         *Failure                 `json:"error" doc:"Why the server could not judge; null else"`
	Result        *JobResult               `json:"result" doc:"The verdict; null until completed"`

	Withdrawn       *Withdrawal `json:"withdrawn" doc:"Set once the operator took the verdict back, which then counts for nothing; null else. Not in the Codeset API, as what follows"`
	DetailsWithheld bool        `json:"details_withheld" doc:"Whether no more is told than whether the task is solved and how sure that is, by the feedback of the key or of the dataset: lists and texts are empty then, and numbers 0"`
}

// Withdrawal says that the operator took a verdict back.
type Withdrawal struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// WithdrawnPath is below which a server tells whether verdicts were taken back, by the id of
// the verification. It stands beside BasePath, not below it.
const WithdrawnPath = "/.well-known/assay-withdrawn/"

// VerdictStanding tells whether a verdict still stands. Of an id that the server does not
// know it is as of one that was not withdrawn.
type VerdictStanding struct {
	VerificationID string      `json:"verification_id"`
	Withdrawn      *Withdrawal `json:"withdrawn"`
}

// Final tells whether the verification has ended.
func (j *Job) Final() bool { return j.Status.Final() }

// ToolTestSuite is the form of all results, and the only one that the SDKs read.
const ToolTestSuite = "test_suite"

// JobResult is a verdict.
type JobResult struct {
	Tool                     string        `json:"tool" enum:"test_suite" doc:"The form of this result, whatever kind of tool judged: the sample's verifier names that"`
	IsSuccess                bool          `json:"is_success" doc:"Whether the work solves the task"`
	Total                    int           `json:"total" doc:"Tests that reported an outcome"`
	Passed                   int           `json:"passed"`
	Failed                   int           `json:"failed"`
	Skipped                  int           `json:"skipped"`
	ExecutionDurationSeconds float64       `json:"execution_duration_seconds" doc:"Of the suite"`
	Failures                 []TestOutcome `json:"failures" nullable:"false"`
	Passes                   []TestOutcome `json:"passes" nullable:"false"`
	Skips                    []TestOutcome `json:"skips" nullable:"false"`
	Stdout                   string        `json:"stdout" doc:"Of the verifier, bounded as a command's"`
	Stderr                   string        `json:"stderr"`

	Reason          string        `json:"reason" doc:"Why solved or not, in a sentence. Not in the Codeset API, as what follows"`
	Grading         assay.Grading `json:"grading" example:"swe-bench" doc:"The rule that made the verdict"`
	Missing         []string      `json:"missing" nullable:"false" doc:"Expected tests that no report names"`
	ExitCode        int           `json:"exit_code" doc:"Of the verifier; -1000 when it was not run"`
	TimedOut        bool          `json:"timed_out" doc:"Whether the suite was cut short"`
	StdoutTruncated bool          `json:"stdout_truncated"`
	StderrTruncated bool          `json:"stderr_truncated"`
	StdoutBytes     int64         `json:"stdout_bytes"`
	StderrBytes     int64         `json:"stderr_bytes"`

	Contradictions []string    `json:"contradictions" nullable:"false" doc:"What the pieces of evidence say against each other, a sentence each. With one, nothing is solved"`
	Tampering      []Tampering `json:"tampering" nullable:"false" doc:"What the work did to its own judging. It does not change the verdict. Of kind added it is no alarm: tests of the work's own stay behind, and most work has some"`
	Evidence       Evidence    `json:"evidence" doc:"What the verdict rests on"`
}

// Tampering is one thing that the work did to its own judging.
type Tampering struct {
	Kind   assay.TamperingKind `json:"kind" example:"test" doc:"test, steering, report, escape, code, history or forgery; added is no alarm; there may be more"`
	Path   string              `json:"path,omitempty" doc:"Relative to the work tree"`
	Detail string              `json:"detail" doc:"A sentence"`
}

// Evidence is what a verdict rests on.
type Evidence struct {
	Grader        string          `json:"grader" example:"3" doc:"Version of the rules that made the verdict"`
	ImageDigest   string          `json:"image_digest" doc:"Of the image that was judged in; empty when the server has none"`
	SampleVersion int             `json:"sample_version"`
	PatchSHA256   string          `json:"patch_sha256" doc:"Of the judged patch, byte for byte as GET /sessions/{session_id}/diff serves it; empty when none could be made"`
	CachedFrom    string          `json:"cached_from,omitempty" doc:"Set of a verdict that was given on the same work before: the id of that verification, or its SHA-256 when it is another user's"`
	SecondRun     assay.SecondRun `json:"second_run,omitempty" enum:"agreed,disagreed,impossible" doc:"What came of running the suite once more, with other names for its tests; absent when it was not"`
	NotRun        bool            `json:"not_run,omitempty" doc:"No suite was run, because the work cannot be judged as it is: the reason says why, and exit_code is -1000"`
	AnswersOpen   bool            `json:"answers_open" doc:"Whether the session's user could read the answers of the sample (reference fix, tests, lists) over this API when the verdict was given"`
	Rounds        int             `json:"rounds,omitempty" doc:"Rounds of altered tests that the work was judged by; absent without any, as all that follows up to doubted"`

	Odds            float64         `json:"odds,omitempty" minimum:"0" maximum:"1" example:"0.142857" doc:"Chance of who guesses best to come through the rounds with the fail_to_pass test that is guessed most easily"`
	OddsWithRetries float64         `json:"odds_with_retries,omitempty" minimum:"0" maximum:"1" doc:"The same, with the works of this user that were not solved counted in"`
	OddsOfAll       float64         `json:"odds_of_all,omitempty" minimum:"0" maximum:"1" doc:"Chance of who guesses all fail_to_pass tests"`
	Covered         *Covered        `json:"covered,omitempty" doc:"How many fail_to_pass tests can be altered so that only who knows the answer tells"`
	Exposure        *Exposure       `json:"exposure,omitempty" doc:"What became of the works of this user on this version of the sample"`
	Assurance       assay.Assurance `json:"assurance,omitempty" enum:"uncontrolled,controlled_partial,controlled,blind_partial,blind" doc:"What the verdict holds against"`
	Fresh           *FreshTruths    `json:"fresh,omitempty" doc:"True tests with inputs that nobody has seen"`
	Doubted         int             `json:"doubted,omitempty" doc:"Of the fail_to_pass tests, those that count as not covered, since the work passes altered inputs of them"`

	Expected    Expected  `json:"expected" doc:"The lists that the verdict was graded by"`
	LeftOut     []string  `json:"left_out" nullable:"false" doc:"New files and directories that were no part of the judged work, because the image's own .gitignore files ignore them; see verifier.ignored of the dataset format"`
	Quarantined []string  `json:"quarantined" nullable:"false" doc:"Expected tests that were not graded"`
	Resources   Usage     `json:"resources" doc:"What the clean sandbox used"`
	Durations   Durations `json:"durations" doc:"Where the time went"`
}

// Covered tells how many tests are covered.
type Covered struct {
	Covered int `json:"covered" minimum:"0"`
	Of      int `json:"of" minimum:"0" doc:"fail_to_pass tests that are graded"`
}

// Exposure counts the works of a user on a version of a sample.
type Exposure struct {
	Plays   int `json:"plays" minimum:"0" doc:"Works that were judged, each once, this one included"`
	Reached int `json:"reached" minimum:"0" doc:"Of these, those that looked solved and came to rounds"`
	Refused int `json:"refused" minimum:"0" doc:"Of these, those that rounds refused"`
}

// FreshTruths counts true tests with inputs that nobody has seen.
type FreshTruths struct {
	Checked int `json:"checked" minimum:"0"`
	Differs int `json:"differs" minimum:"0" doc:"Of these, those with which the work does something else than the reference fix"`
}

// Expected is lists of expected tests.
type Expected struct {
	FailToPass []string `json:"fail_to_pass" nullable:"false"`
	PassToPass []string `json:"pass_to_pass" nullable:"false"`
	FailToFail []string `json:"fail_to_fail" nullable:"false"`
}

// Usage is what a sandbox used.
type Usage struct {
	CPUSeconds      float64 `json:"cpu_seconds"`
	MemoryPeakBytes int64   `json:"memory_peak_bytes" doc:"0 when the host does not tell"`
	OOMKills        int64   `json:"oom_kills"`
}

// Durations is where the time of a verification went.
type Durations struct {
	CreateSeconds float64 `json:"create_seconds" doc:"Making the clean sandbox"`
	LaySeconds    float64 `json:"lay_seconds" doc:"Laying the work and the restored tests"`
	SuiteSeconds  float64 `json:"suite_seconds"`
	GradeSeconds  float64 `json:"grade_seconds" doc:"Reading the reports included"`
}

// TestOutcome is what one test did.
type TestOutcome struct {
	Name            string  `json:"name"`
	Expected        string  `json:"expected,omitempty" doc:"The list of the sample that names the test, such as fail_to_pass"`
	DurationSeconds float64 `json:"duration_seconds,omitempty"`
	Message         string  `json:"message"`
	Details         string  `json:"details"`
}
