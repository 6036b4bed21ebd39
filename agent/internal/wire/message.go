package wire

import (
	"time"

	"assay/internal/sandbox"
)

// Op names what a request asks for.
type Op string

// The operations. Each tells the fields of Request that it takes besides
// Protocol, what follows the request's Head as data, and the Heads of its answer.
const (
	OpHello   Op = "hello"    // answer: Hello
	OpExec    Op = "exec"     // Command. Answer, held until the command ends: Ended, and the outputs as data
	OpAttach  Op = "attach"   // ID. Answer as for OpExec
	OpKill    Op = "kill"     // ID. Answer: none
	OpKillAll Op = "kill_all" // Answer: none
	OpForget  Op = "forget"   // ID. Answer: none
	OpSpool   Op = "spool"    // ID. Answer: Spool, and what is kept as data
	OpRead    Op = "read"     // Path, Limit. Answer: File, and its content as data
	OpCollect Op = "collect"  // Collect. Answer: a File for each, and its content as data
	OpList    Op = "list"     // Path. Answer: a File for each, without content
	OpLstat   Op = "lstat"    // Path, Name. Answer: File, without content
	OpLayer   Op = "layer"    // Path; the tar as data. Answer: none
	OpProtect Op = "protect"  // Protect. Answer: none
	OpReplace Op = "replace"  // Path, OldSize; the two strings, one after the other, as data. Answer: sandbox.ReplaceResult
	OpWait    Op = "wait"     // Answer, held until the agent ends itself: Death
)

// Request is the Head of a request.
type Request struct {
	Protocol int                     `json:"protocol"`
	Op       Op                      `json:"op"`
	ID       string                  `json:"id,omitempty"`
	Command  *sandbox.Command        `json:"command,omitempty"`
	Path     []byte                  `json:"path,omitempty"` // bytes: names need not be UTF-8
	Name     []byte                  `json:"name,omitempty"` // relative to Path
	Limit    int64                   `json:"limit,omitempty"`
	OldSize  int64                   `json:"old_size,omitempty"`
	Collect  *sandbox.CollectRequest `json:"collect,omitempty"`
	Protect  *sandbox.ProtectRequest `json:"protect,omitempty"`
}

// Hello is who answers.
type Hello struct {
	Protocol  int       `json:"protocol"`
	Version   string    `json:"version"`    // of the agent's build, for people to read
	Sandbox   string    `json:"sandbox"`    // Config.Sandbox
	StartedAt time.Time `json:"started_at"` // of the agent
}

// Ended is the end of a command. Its outputs follow as data: standard output's
// head and tail, then standard error's.
type Ended struct {
	Exit     sandbox.ExitStatus `json:"exit"`
	Started  time.Time          `json:"started"`
	Duration time.Duration      `json:"duration"`
	Stdout   Stream             `json:"stdout"`
	Stderr   Stream             `json:"stderr"`
}

// Stream tells the sizes of one captured output, in bytes.
type Stream struct {
	Head  int64 `json:"head"`
	Tail  int64 `json:"tail"`
	Total int64 `json:"total"`
}

// Spool tells the sizes of a standard output that was kept, in bytes.
type Spool struct {
	Total int64 `json:"total"` // printed
	Kept  int64 `json:"kept"`  // the first so many of them
}

// File announces the content of one file.
type File struct {
	Name []byte `json:"name,omitempty"` // relative to the request's root
	Size int64  `json:"size"`
	Mode uint32 `json:"mode"` // io/fs.FileMode

	Target []byte `json:"target,omitempty"` // of a link, in the answer to an lstat
}

// Death is why the agent ends itself.
type Death struct {
	Reason sandbox.Death `json:"reason"`
}

// Bounds that both sides keep, in bytes.
const (
	MaxOutput      = sandbox.MaxOutputLimit // kept of one output stream
	MaxReplaceFile = 16 << 20               // a file to edit, and each string of the edit
	MaxListed      = 1 << 20                // names below the root of a list, or of a tree that is protected
)
