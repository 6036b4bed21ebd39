package main

import (
	"sync"
	"time"

	"assay/client/wire"
)

// book is what users were told, and what was done to them: the truth that every
// later answer is held against. It is safe for concurrent use.
type book struct {
	*counts

	mu       sync.Mutex
	sessions map[string]*session
	commands []*command
	jobs     []*job
	faults   []fault
}

// session is one that was accepted.
type session struct {
	id     string
	sent   time.Time // when it was asked for
	asked  bool      // to be closed, perhaps not heard
	closed bool      // and that it is was told
	hog    bool      // a command tried to use up its memory
	final  *wire.Session
	told   time.Time // when its end was, or that it is closed
}

// command is one that was accepted.
type command struct {
	session string
	id      string
	text    string
	token   string // it writes to the journal of its session
	ends    bool   // whether it writes there that it ended
	sent    time.Time
	want    int // exit code
	stdout  string
	any     bool // stdout is not known
	files   bool // it needs files of its sandbox, which a full disk may have made read-only
	final   *wire.Interaction
	told    time.Time // when its end was
}

// job is a verification that was accepted.
type job struct {
	session string
	id      string
	sent    time.Time
	want    *bool // whether the work solves the task; nil when a fault of the disk may have spoilt it
	final   *wire.Job
	told    time.Time // when its end was
}

// trouble is a kind of fault.
type trouble string

// The faults.
const (
	serverDown   trouble = "server down"
	runtimeDied  trouble = "runtime killed"
	agentDied    trouble = "agent killed"
	processDied  trouble = "process killed"
	diskFull     trouble = "disk full"
	diskReadOnly trouble = "disk read-only"
	rebooted     trouble = "host rebooted"
	agentHung    trouble = "agent hangs"
	epollRefused trouble = "epoll refused"
	commitsCut   trouble = "commits cut"
)

// fault is something that was done to the server or to one of its sandboxes.
type fault struct {
	kind    trouble
	sandbox string // "" for all
	from    time.Time
	to      time.Time // zero while it lasts
}

// margin is how much longer than it lasts a fault excuses what follows from it:
// things are noticed, stored and answered later on a busy machine.
const margin = 10 * time.Second

func newBook(c *counts) *book { return &book{counts: c, sessions: make(map[string]*session)} }

// begin notes that a fault begins; the function returned, that it is over.
func (b *book) begin(kind trouble, sandbox string) (over func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := len(b.faults)
	b.faults = append(b.faults, fault{kind: kind, sandbox: sandbox, from: time.Now()})
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.faults[i].to = time.Now()
	}
}

// suffered is how many faults of some kinds there were from a time on, up to another,
// of a sandbox or of all.
func (b *book) suffered(sandbox string, from, to time.Time, kinds ...trouble) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sufferedLocked(sandbox, from, to, kinds...)
}

func (b *book) sufferedLocked(sandbox string, from, to time.Time, kinds ...trouble) (n int) {
	for _, f := range b.faults {
		ended := !f.to.IsZero() && f.to.Add(margin).Before(from)
		if ended || f.from.After(to) || f.sandbox != "" && f.sandbox != sandbox {
			continue
		}
		for _, k := range kinds {
			if f.kind == k {
				n++
			}
		}
	}
	return n
}

// accept notes a session whose acceptance was told, or that was found as a stray, and
// returns what is known of it.
func (b *book) accept(s *session) *session {
	b.mu.Lock()
	defer b.mu.Unlock()
	if have := b.sessions[s.id]; have != nil {
		return have
	}
	b.sessions[s.id] = s
	b.count(didSession)
	return s
}

func (b *book) add(c *command) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.commands = append(b.commands, c)
	b.count(didCommand)
}

func (b *book) addJob(j *job) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.jobs = append(b.jobs, j)
	b.count(didVerification)
}

// underWay is how many verifications have no end yet, as far as was told.
func (b *book) underWay() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, j := range b.jobs {
		if j.final == nil {
			n++
		}
	}
	return n
}

// end is the end of a command that was told; nil when none was.
func (b *book) end(c *command) *wire.Interaction {
	b.mu.Lock()
	defer b.mu.Unlock()
	return c.final
}

// ask notes that a session is to be closed, and close that it was told to be.
func (b *book) ask(s *session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.asked = true
}

func (b *book) close(s *session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.closed = true
	if s.final == nil {
		s.told = time.Now()
	}
}

// What is counted.
const (
	didSession      = "sessions"
	didCommand      = "commands"
	didVerification = "verifications"
	didVerdict      = "verdicts"
	didEdit         = "edits"
	didExpire       = "sessions expired"
	didEnd          = "true ends of commands"
	didUnknown      = "commands whose end is unknown"
	didFail         = "verifications that end as error"
	didGone         = "creates whose client went away"
	didAgain        = "requests made twice"
	didLost         = "sandboxes lost"
	didRefuse       = "answers 5xx during a fault of the disk"
	killedServer    = "kills of the server"
	killedStart     = "kills of the server while it starts"
	killedRuntime   = "kills of the runtime"
	killedAgent     = "kills of an agent"
	killedProcess   = "kills of a process in a sandbox"
	filledDisk      = "disks filled"
	brokeDisk       = "disks made read-only"
	hungAgent       = "hung agents"
	hungAtStart     = "unreachable agents at start"
	refusedEpoll    = "refused epoll"
	cutCommit       = "cut commits"
	hungUp          = "hang-ups"
	didPutRight     = "discrepancies put right after faults"
	toldUnreachable = "sessions told to be unreachable"
)

// faultNames are the faults that the report counts by name.
var faultNames = []string{
	killedServer, killedStart, killedRuntime, killedAgent, killedProcess, filledDisk, brokeDisk,
	hungAgent, hungAtStart, refusedEpoll, cutCommit, hungUp,
}
