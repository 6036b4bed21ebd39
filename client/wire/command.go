package wire

import (
	"time"

	"assay"
)

// MaxCommandBytes bounds a command: Linux takes no longer argument of a program
// (MAX_ARG_STRLEN, 32 pages, with the final NUL).
const MaxCommandBytes = 128<<10 - 1

// ExecRequest asks for a command.
type ExecRequest struct {
	Command        string  `json:"command" minLength:"1" maxLength:"131071" pattern:"^[^\\x00]*$" patternDescription:"free of NUL characters" example:"go test ./..." doc:"Run as bash -c in the work tree. At most 131071 bytes: Linux takes no longer argument"`
	CommandTimeout Integer `json:"command_timeout,omitempty" nullable:"true" minimum:"1" doc:"Seconds until the command and all it started are killed (exit code 124). 300 when not given"`
	Timeout        Integer `json:"timeout,omitempty" nullable:"true" minimum:"1" deprecated:"true" doc:"Old name of command_timeout, which wins"`
}

// ExecAccepted is the answer to ExecRequest. The command may still run: GET the
// interaction. The other fields are for the Python SDK below 0.4.0, whose exec waits
// for the end of the command.
type ExecAccepted struct {
	InteractionID        string                  `json:"interaction_id" example:"int_0dfm6k3b2tvc1r8h5n7pqa4e9s"`
	Status               assay.InteractionStatus `json:"status" enum:"pending,processing,completed,failed"`
	ExitCode             *int                    `json:"exit_code,omitempty" doc:"For the Python SDK below 0.4.0 only; -1000 when the end was not seen"`
	Stdout               *string                 `json:"stdout,omitempty" doc:"For the Python SDK below 0.4.0 only"`
	Stderr               *string                 `json:"stderr,omitempty" doc:"For the Python SDK below 0.4.0 only"`
	ExecutionTimeSeconds *float64                `json:"execution_time_seconds,omitempty" doc:"For the Python SDK below 0.4.0 only"`
}

// Interaction is one command that ran in a session. What is null is not known yet.
type Interaction struct {
	InteractionID        string                  `json:"interaction_id" example:"int_0dfm6k3b2tvc1r8h5n7pqa4e9s"`
	SessionID            string                  `json:"session_id" example:"ses_0dfm6k3b2tvc1r8h5n7pqa4e9s"`
	CreatedAt            time.Time               `json:"created_at"`
	Status               assay.InteractionStatus `json:"status" enum:"pending,processing,completed,failed" doc:"completed: it ended, with whatever exit code. failed: it could not be run, or its end was not seen"`
	ExitCode             *int                    `json:"exit_code" doc:"As bash tells it; 124 after a timeout; -1000 when the command could not be run or its end was not seen"`
	Stdout               *string                 `json:"stdout" doc:"First and last 512 KiB; bytes that are not UTF-8 became U+FFFD"`
	Stderr               *string                 `json:"stderr" doc:"As stdout"`
	StdoutBytes          int64                   `json:"stdout_bytes" doc:"What the command wrote"`
	StderrBytes          int64                   `json:"stderr_bytes" doc:"What the command wrote"`
	StdoutTruncated      bool                    `json:"stdout_truncated" doc:"Whether the middle of stdout was left out"`
	StderrTruncated      bool                    `json:"stderr_truncated" doc:"Whether the middle of stderr was left out"`
	ExecutionTimeSeconds *float64                `json:"execution_time_seconds"`
	Success              *bool                   `json:"success" doc:"Whether the exit code is 0"`
	Message              *string                 `json:"message" doc:"Says what is to be said beyond the exit code"`
}

// Final tells whether the command has ended.
func (i *Interaction) Final() bool { return i.Status.Final() }

// ReplaceRequest asks for one edit of a file.
type ReplaceRequest struct {
	FilePath     string `json:"file_path" minLength:"1" maxLength:"4096" pattern:"^[^\\x00]*$" patternDescription:"free of NUL characters" example:"mux.go" doc:"A relative path starts at the work tree"`
	StrToReplace string `json:"str_to_replace" minLength:"1" doc:"Must occur exactly once in the file"`
	StrToInsert  string `json:"str_to_insert" doc:"What to put in its place"`
}

// ApplyRequest asks for a unified diff to be applied to the work tree.
type ApplyRequest struct {
	Diff string `json:"diff" minLength:"1" doc:"A unified diff; paths are relative to the work tree"`
}

// EditResult says whether an edit was made. When it was not, Message says why and
// what to do.
type EditResult struct {
	Success bool   `json:"success"`
	Message string `json:"message"`
}
