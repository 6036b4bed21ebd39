package oci

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// A sandbox whose changes are read is frozen, and the server that reads them may be killed.
// So a process of its own is told before what would thaw it, through a pipe: when that ends
// without a word, it does so (see ThawLeft), and ends.

// thawing is what thaws a sandbox, as the guard is told. Without File and Run it is thawed.
type thawing struct {
	ID   string   `json:"id"` // "" says that the server ends in order
	File string   `json:"file,omitempty"`
	Text string   `json:"text,omitempty"` // is written to File
	Run  []string `json:"run,omitempty"`  // a program, in place of that
}

// tellBound is how long the guard may take to be told; a pipe takes a thousand tellings that
// nobody has read.
const tellBound = time.Second

// guard is the server's side of that process. A nil one guards nothing.
type guard struct {
	command []string
	log     *slog.Logger

	mu     sync.Mutex
	frozen map[string]thawing // by id
	pipe   *os.File           // nil while there is no process
	closed bool
	work   sync.WaitGroup // of the processes
}

func newGuard(command []string, log *slog.Logger) *guard {
	if len(command) == 0 {
		return nil
	}
	return &guard{command: command, log: log, frozen: make(map[string]thawing)}
}

// freezing is told before a sandbox is frozen.
func (g *guard) freezing(how thawing) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.frozen[how.ID] = how
	g.tell(how)
}

// thawed is told when it is no more.
func (g *guard) thawed(id string) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, was := g.frozen[id]; was {
		delete(g.frozen, id)
		g.tell(thawing{ID: id})
	}
}

// tell tells the process, and starts another when it is gone. The lock is held.
func (g *guard) tell(what thawing) {
	if g.closed {
		return
	}
	err := errors.New("it does not run")
	if g.pipe != nil {
		err = write(g.pipe, what)
	}
	if err == nil {
		return
	}
	if err = g.start(); err != nil {
		g.log.Warn("nobody would thaw a sandbox that is frozen if this server were killed now", "err", err)
	}
}

// start starts the process, and tells it everything. The lock is held.
func (g *guard) start() error {
	g.drop()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()                                     // it is the process's
	cmd := exec.Command(g.command[0], g.command[1:]...) //nolint:noctx // this program itself, which ends with its pipe
	cmd.Stdin, cmd.Dir, cmd.Env = r, "/", []string{"PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // what kills the server's group misses it
	if err := cmd.Start(); err != nil {
		return errors.Join(fmt.Errorf("start %s: %w", g.command[0], err), w.Close())
	}
	g.pipe = w
	g.work.Go(func() { _ = cmd.Wait() }) // that it is gone is seen by who tells it something
	for _, how := range g.frozen {
		if err := write(w, how); err != nil {
			return fmt.Errorf("tell %s: %w", g.command[0], err)
		}
	}
	return nil
}

func (g *guard) drop() {
	if g.pipe != nil {
		g.pipe.Close() // nobody reads it
		g.pipe = nil
	}
}

func write(pipe *os.File, what thawing) error {
	line, err := json.Marshal(what)
	if err != nil {
		return err
	}
	if err := pipe.SetWriteDeadline(time.Now().Add(tellBound)); err != nil {
		return err
	}
	_, err = pipe.Write(append(line, '\n'))
	return err
}

// close ends the process and waits for it.
func (g *guard) close() {
	if g == nil {
		return
	}
	g.mu.Lock()
	if !g.closed {
		g.tellEnd()
	}
	g.mu.Unlock()
	g.work.Wait()
}

// tellEnd says that the server ends in order; what is frozen then is thawed nevertheless. The
// lock is held.
func (g *guard) tellEnd() {
	g.closed = true
	if g.pipe != nil && len(g.frozen) == 0 {
		_ = write(g.pipe, thawing{}) // the end of the pipe tells as much
	}
	g.drop()
}
