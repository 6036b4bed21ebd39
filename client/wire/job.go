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
	ExitCode        int           `json:"exit_code" doc:"Of the verifier"`
	TimedOut        bool          `json:"timed_out" doc:"Whether the suite was cut short"`
	StdoutTruncated bool          `json:"stdout_truncated"`
	StderrTruncated bool          `json:"stderr_truncated"`
	StdoutBytes     int64         `json:"stdout_bytes"`
	StderrBytes     int64         `json:"stderr_bytes"`
}

// TestOutcome is what one test did.
type TestOutcome struct {
	Name            string  `json:"name"`
	Expected        string  `json:"expected,omitempty" doc:"The list of the sample that names the test, such as fail_to_pass"`
	DurationSeconds float64 `json:"duration_seconds,omitempty"`
	Message         string  `json:"message"`
	Details         string  `json:"details"`
}
