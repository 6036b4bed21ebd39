// Package sandbox is the port behind which untrusted code runs: what a sandbox
// is, and what every runtime must keep. Runtimes live in the folders below;
// package sandboxtest holds the suite that each of them passes.
//
// # Lifecycle
//
// A sandbox is made from an image and lives until it is destroyed, its deadline
// passes, or its init process (the guest agent) dies:
//
//		Create ──> running ──> dead ──> destroyed
//		              │          ▲          ▲
//		              ├─ deadline, agent died, host rebooted
//		              └───────── Destroy ───┘
//
//	  - Create returns a running sandbox that accepts commands, or an error and
//	    nothing left behind. A Create whose context ends cleans up before it returns.
//	  - A dead sandbox keeps its resources (mounts, disk, cgroup) until Destroy.
//	    Destroy works in every state, and again after it has succeeded.
//	  - A sandbox does not depend on the process that made it: after kill -9 of the
//	    server, List tells what is there and Open takes it over from its Handle.
//	    The deadline is kept by the sandbox itself, so it ends in time with nobody watching.
//
// # Two questions, two answers
//
// Every operation that runs something answers two separate questions. The error
// is about us: could the command be run, and was its end seen? The ExitStatus is
// about the command. A dropped connection is an error, never an exit status; a
// command that fails is an exit status, never an error.
//
// # A worked sequence
//
//	sb, err := rt.Create(ctx, spec)               // running
//	res, err := sb.Exec(ctx, Command{ID: "int_1", Argv: []string{"bash", "-c", "make"}})
//	        // the server is killed here; "make" goes on
//	sb, err = rt.Open(ctx, handle)                // the next server
//	res, err = sb.Attach(ctx, "int_1")            // the true end of "make"
//	err = sb.Forget(ctx, "int_1")                 // the end is stored: the agent may drop it
//	err = sb.Destroy(ctx)
package sandbox

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// Errors that callers tell apart; runtimes wrap them with what they were doing.
var (
	// ErrGone says that the sandbox is dead or destroyed, and that this was proven: its
	// init process has ended, or nothing is left in its cgroup.
	ErrGone = errors.New("sandbox is gone")
	// ErrUnreachable says that a sandbox did not answer. Nothing proves that it is dead,
	// and what was asked of it may have been done: it may answer the next time.
	ErrUnreachable = errors.New("sandbox does not answer")
	// ErrUnknownCommand says that the sandbox has no command of that id: it was
	// never started there, or its end was forgotten.
	ErrUnknownCommand = errors.New("unknown command")
	// ErrNotStarted says that a command was not started, because the sandbox has no
	// room for another process, or nothing left that one takes.
	ErrNotStarted = errors.New("command not started")
	// ErrUnavailable says that this host cannot run sandboxes; its message
	// names the remedy.
	ErrUnavailable = errors.New("sandbox runtime unavailable")
	// ErrImage says that the image is missing or cannot be unpacked.
	ErrImage = errors.New("image unavailable")
	// ErrTooLarge says that a bound of the caller was passed.
	ErrTooLarge = errors.New("too large")
	// ErrNoRoom says that what was to be written does not fit on the sandbox's disk, or
	// is of more files than it takes. A disk of the host that is full is another error.
	ErrNoRoom = errors.New("no room on the disk of the sandbox")
)

// Runtime makes sandboxes. It is safe for concurrent use.
type Runtime interface {
	// Create makes and starts a sandbox. spec.ID must be new; a leftover of the
	// same id is an error.
	Create(ctx context.Context, spec Spec) (Sandbox, error)
	// Open takes over a sandbox that an earlier process made, once it has answered. It
	// fails with ErrGone when it is proven that the sandbox is no longer running; any
	// other error says nothing of that, and the next Open may succeed. Opening one
	// again is how to find out whether it answers.
	Open(ctx context.Context, h Handle) (Sandbox, error)
	// List tells every sandbox that has anything left on this host, running or
	// dead, whoever made it. Its handles can be given to Open and Destroy.
	List(ctx context.Context) ([]Handle, error)
	// Destroy frees whatever is left of a sandbox, in any state; nil when
	// nothing is.
	Destroy(ctx context.Context, h Handle) error
	// Check proves that sandboxes can be made here, cheaply enough for a health
	// probe. Its error wraps ErrUnavailable and names the remedy.
	Check(ctx context.Context) error
	// Location names where sandboxes run: a node or region, for people to read.
	Location() string
}

// Sandbox is a running sandbox. It is safe for concurrent use.
type Sandbox interface {
	// Handle is what to store to find the sandbox again.
	Handle() Handle
	// Exec runs a command to its end. It is idempotent by cmd.ID: when the
	// sandbox already has a command of that id, Exec waits for that one. When ctx
	// ends, Exec returns its error and the command goes on; see Kill.
	Exec(ctx context.Context, cmd Command) (Result, error)
	// Attach waits for the end of a command that was started earlier, perhaps by
	// another process. It never starts one: ErrUnknownCommand.
	Attach(ctx context.Context, id string) (Result, error)
	// Kill kills the whole process tree of a running command, daemons included.
	Kill(ctx context.Context, id string) error
	// KillAll kills every process of the sandbox but its init, and returns when
	// none is left.
	KillAll(ctx context.Context) error
	// ReadSpool hands to fn what was kept of the standard output of a command that was
	// run with Command.Spool and has ended, as often as one likes, until Forget. total
	// is how many bytes it printed before it ended; r ends after those that were kept,
	// which are fewer when Command.Spool or the sandbox's disk were too small. r is
	// streamed, valid during the call, and what fn leaves of it is skipped. When
	// ReadSpool fails, what fn has read is not to be believed; an error of fn is
	// returned. ErrUnknownCommand when nothing was asked to be kept under that id, or
	// it was forgotten.
	ReadSpool(ctx context.Context, id string, fn func(total int64, r io.Reader) error) error
	// Forget lets the sandbox drop the stored end of a finished command.
	Forget(ctx context.Context, id string) error
	// Wait returns when the sandbox is dead, with the reason. An error, ctx's or another,
	// is none: it says that nobody watches any more, and Wait can be called again.
	Wait(ctx context.Context) (Death, error)
	// Destroy kills everything in the sandbox and frees all it holds on the host.
	Destroy(ctx context.Context) error
	FileTransfer
}

// FileTransfer moves files. Paths are absolute or relative to the work tree, and
// are resolved inside the sandbox: no link leads out of it.
type FileTransfer interface {
	// ReadFile reads a regular file. fs.ErrNotExist when there is none, also where a
	// file stands in the place of a directory of the path, or links lead nowhere;
	// ErrTooLarge beyond limit bytes; fs.ErrInvalid for devices, FIFOs and directories.
	ReadFile(ctx context.Context, path string, limit int64) ([]byte, fs.FileMode, error)
	// Collect hands regular files that match patterns below root (path.Match
	// syntax, a component at a time; no link is followed) to fn in sorted
	// order. fn's reader is valid during the call.
	Collect(ctx context.Context, req CollectRequest, fn func(name string, size int64, r io.Reader) error) error
	// List hands the names of everything below root to fn, a directory before what it
	// holds; no link is followed. fs.ErrNotExist when root is no directory, ErrTooLarge
	// beyond a million names.
	List(ctx context.Context, root string, fn func(name string, mode fs.FileMode) error) error
	// Lstat tells what is at name, which is local and clean, below root; no link is
	// followed. fs.ErrNotExist when nothing is, or when it would lie below a link or file.
	Lstat(ctx context.Context, root, name string) (fs.FileMode, error)
	// Readlink tells where the link at name, as for Lstat, leads. fs.ErrInvalid when it is
	// none.
	Readlink(ctx context.Context, root, name string) (string, error)
	// ApplyLayer lays an OCI layer tar on the directory root (made when absent):
	// entries replace what is there, ".wh." entries delete. Nothing outside root
	// is touched whatever the tar or the tree holds. ErrNoRoom when it does not fit.
	//
	// The files and symbolic links that it lays are newer than all that was there
	// before, in the image, made by commands, or laid by an earlier layer; what a
	// command makes afterwards is newer than they are. So nothing that was built of
	// what they replace passes for up to date. The tar's own times tell their order
	// only: what is older there than another file stays older, what is equal stays
	// equal, and the next time is a microsecond on. Directories take part in nothing
	// of this, nor do runtimes without processes.
	ApplyLayer(ctx context.Context, root string, layer io.Reader) error
	// ProtectTree readies a tree for a user who may read it, run it and add to it, but
	// change nothing that is there.
	ProtectTree(ctx context.Context, req ProtectRequest) error
	// Replace replaces the one occurrence of a string in a text file, atomically.
	Replace(ctx context.Context, req ReplaceRequest) (ReplaceResult, error)
}

// Snapshotter is implemented by sandboxes that can tell what changed since their
// image, without help of anything that runs in them.
type Snapshotter interface {
	// Changes writes an OCI layer tar (names relative to root) of everything
	// below root that differs from the image, as of one moment: the sandbox is
	// frozen meanwhile. A *WorkError when that cannot be, for what is below root: it
	// is beyond the limits (ErrTooLarge), or root is no directory (fs.ErrNotExist).
	Changes(ctx context.Context, root string, limits ChangeLimits, w io.Writer) error
}

// Marker is implemented by sandboxes that can tell what was written in them, without help of
// anything that runs in them.
type Marker interface {
	// Mark notes what is there. Nothing may run in the sandbox meanwhile.
	Mark(ctx context.Context) (Mark, error)
}

// Mark is a moment of a sandbox. It costs what was written until then, and not what the
// image has.
type Mark interface {
	// Written hands to fn what was written since, in no order, each name once. Nothing may
	// run in the sandbox meanwhile, and fn may read its files. An error of fn ends it.
	Written(ctx context.Context, fn func(Written) error) error
}

// Written is a name below which something else is than when it was marked, or the same
// written anew: a file that was changed and then changed back is told, and one that was
// opened to be written. Directories are told only where something else was before.
type Written struct {
	Name string      // absolute and clean
	Had  bool        // there was something that is not there any more, or was written to
	Gone bool        // nothing is there now
	Type fs.FileMode // of what is there now, as fs.FileMode.Type
}

// Checker is implemented by sandboxes whose host can fail them while they go on.
type Checker interface {
	// Check fails when the sandbox's programs may have failed for no fault of theirs:
	// its disk took no writes.
	Check(ctx context.Context) error
}

// StatsReader is implemented by sandboxes whose resources are metered.
type StatsReader interface {
	Stats(ctx context.Context) (Stats, error)
}

// Spec says what to make.
type Spec struct {
	ID       string            // names the sandbox on its host: lower-case letters, digits, '-' and '_', the first a letter or digit; at most 64 bytes
	Image    string            // reference in the runtime's image store
	Workdir  string            // absolute path of the work tree; relative paths start here
	Env      map[string]string // on top of the image's environment
	Deadline time.Time         // when the sandbox ends itself; required
	Limits   Limits
	Network  Network
	Labels   map[string]string // kept in the Handle, for people and reconcilers
	// Background sandboxes get the CPUs when no other sandbox of the host wants them, and
	// are the first to be killed where its memory ends. Runtimes without shares ignore it.
	Background bool
}

// Limits bounds a sandbox. Zero fields take the runtime's defaults.
type Limits struct {
	CPUs        float64 // cores
	MemoryBytes int64
	PIDs        int64
	DiskBytes   int64 // what may be written, over all of the file system
}

// Network is what a sandbox can reach.
type Network string

const (
	// NetworkNone is a loopback interface of its own and nothing else. The default.
	NetworkNone Network = "none"
	// NetworkFull is the host's network.
	NetworkFull Network = "full"
)

// Handle finds a sandbox again. It is stored as JSON.
type Handle struct {
	Version   int               `json:"version"` // of this structure; HandleVersion
	Runtime   string            `json:"runtime"` // "oci", "memory", ...
	ID        string            `json:"id"`
	Workdir   string            `json:"workdir,omitempty"`
	CreatedAt time.Time         `json:"created_at"`
	Deadline  time.Time         `json:"deadline"`
	Labels    map[string]string `json:"labels,omitempty"`
}

// HandleVersion is the version of Handle that this code writes.
const HandleVersion = 1

// Command is a program to run. Its standard input is /dev/null and it leads a
// process group of its own.
type Command struct {
	ID string `json:"id"` // unique in the sandbox; names the command in Attach, Kill and Forget
	// RequestID is the request on whose behalf it runs, for logs; "" for none.
	RequestID string `json:"request_id,omitempty"`

	Argv []string          `json:"argv"`
	Dir  string            `json:"dir,omitempty"` // defaults to the work tree
	Env  map[string]string `json:"env,omitempty"` // on top of the sandbox's environment
	// EnvDefaults are set where neither the sandbox's environment (the image's and
	// Spec.Env) nor Env sets them, not even to nothing.
	EnvDefaults map[string]string `json:"env_defaults,omitempty"`

	UID     uint32        `json:"uid,omitempty"` // user and group inside that it runs as, without supplementary groups; 0 is root
	Timeout time.Duration `json:"timeout"`       // the whole tree is killed then; 0 is none
	// OutputLimit is how many bytes of each stream are kept: the first and the
	// last half. At most MaxOutputLimit; for more, see Spool. Defaults to
	// DefaultOutputLimit.
	OutputLimit int64 `json:"output_limit,omitempty"`
	// Spool is how many bytes of standard output are kept whole besides, from its
	// first on, for ReadSpool: on the sandbox's own disk and a part of its limit, in
	// a file that no process of the sandbox can reach. When that disk is full, the
	// command goes on and the rest is not kept. Defaults to none.
	Spool int64 `json:"spool,omitempty"`
}

// DefaultOutputLimit is how much of each output stream is kept, in bytes.
const DefaultOutputLimit = 1 << 20

// MaxOutputLimit is the largest Command.OutputLimit, in bytes: outputs are kept in the
// memory of the sandbox, and of who asks. A command that asks for more is not run.
const MaxOutputLimit = 16 << 20

// Result is the end of a command.
type Result struct {
	Exit     ExitStatus    `json:"exit"`
	Stdout   Output        `json:"stdout"`
	Stderr   Output        `json:"stderr"`
	Started  time.Time     `json:"started"`
	Duration time.Duration `json:"duration"`
}

// ExitStatus is how a command ended, as bash tells it.
type ExitStatus struct {
	Code      int  `json:"code"`             // 0..255; 128+n when killed by signal n; 124 when timed out; 127 and 126 when argv[0] cannot be found or run
	Signal    int  `json:"signal,omitempty"` // that killed it, else 0
	TimedOut  bool `json:"timed_out,omitempty"`
	OOMKilled bool `json:"oom_killed,omitempty"` // a process of the sandbox was killed for memory while this command ran, and this one died of SIGKILL
}

// Output is one captured stream. When Total exceeds len(Head)+len(Tail), the
// bytes between them were dropped.
type Output struct {
	Head  []byte `json:"head,omitempty"`
	Tail  []byte `json:"tail,omitempty"`
	Total int64  `json:"total"` // bytes written by the command
}

// Death is why a sandbox is no longer running.
type Death string

const (
	DeathExpired   Death = "expired"       // its deadline passed
	DeathOOM       Death = "out_of_memory" // its init was killed for memory
	DeathLost      Death = "lost"          // its init died, or the host restarted
	DeathDestroyed Death = "destroyed"     // by Destroy
)

// CollectRequest names files to fetch.
type CollectRequest struct {
	Root     string   `json:"root"`
	Patterns []string `json:"patterns"`
	MaxFiles int      `json:"max_files"` // ErrTooLarge beyond
	MaxBytes int64    `json:"max_bytes"` // over all files; ErrTooLarge beyond
}

// ProtectRequest says what to protect from whom. Afterwards everything below Root (no
// link is followed) can be read by all and written by root alone, nothing belongs to
// UID, and directories take new files from everybody but give up only the files of
// who asks (they are sticky).
type ProtectRequest struct {
	Root   string   `json:"root"`
	UID    uint32   `json:"uid"`
	Hidden []string `json:"hidden,omitempty"` // names in Root that root alone may enter
}

// ReplaceRequest is one edit. Old must occur exactly once.
type ReplaceRequest struct {
	Path string `json:"path"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// ReplaceResult says whether the edit was made. A refusal (no such file, not
// text, no or several occurrences) is a result, not an error; Message tells an
// agent what to do about it.
type ReplaceResult struct {
	Replaced bool   `json:"replaced"`
	Message  string `json:"message"`
}

// ChangeLimits bounds what Changes hands out. Zero allows nothing.
type ChangeLimits struct {
	MaxFiles int
	MaxBytes int64
	Omit     Omitter // nil leaves out nothing
	// Base, if set, is the image's tree at the root, which does not change: a file or link that
	// is there as it is here, but for its owner and its times, is left out. Runtimes that tell
	// no such files do not look at it.
	Base *os.Root
}

// Omitter tells what Changes leaves out.
type Omitter interface {
	// Omits is asked of each entry of the layer but whiteouts, a directory before what it
	// holds; with a directory all below it is left out. What is left out does not count, but for
	// MaxOmitted.
	// name is relative to the root. An error ends Changes, which wraps it.
	Omits(name string, directory bool) (bool, error)
}

// Stats is what a sandbox has used so far.
type Stats struct {
	CPU             time.Duration
	MemoryPeakBytes int64 // 0 when the host does not tell
	OOMKills        int64
}
