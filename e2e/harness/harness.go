// Package harness runs the built program as its operator would: a process, a data
// directory, a URL. The end-to-end tests and the demo share it.
package harness

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Program is the built assay with a data directory.
type Program struct {
	Path    string    // of the binary
	DataDir string    // made when absent
	Log     io.Writer // of the servers that Start starts. Defaults to nowhere
	// DatabaseURL is a PostgreSQL database. Defaults to SQLite in the data directory.
	DatabaseURL string
	// Env are further settings, as NAME=VALUE.
	Env []string
}

// Command is a verb of the command line that has not begun.
func (p Program) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.Path, args...)
	cmd.Env = append(os.Environ(), "ASSAY_DATA_DIR="+p.DataDir, "ASSAY_DATABASE_URL="+p.DatabaseURL)
	cmd.Env = append(cmd.Env, p.Env...)
	return cmd
}

// Run runs a verb of the command line and returns its standard output.
func (p Program) Run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := p.Command(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.Bytes(), fmt.Errorf("assay %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}

// Books is what assay billing check found.
type Books struct {
	OK           bool  `json:"ok"`
	Users        int64 `json:"users"`
	Transactions int64 `json:"transactions"`
	Sessions     int64 `json:"sessions_billed"`
	Deposits     int64 `json:"deposits_paid"`
}

// CheckBooks proves the ledger. An error tells that it is not in order, and why.
func (p Program) CheckBooks(ctx context.Context) (b Books, err error) {
	out, err := p.Run(ctx, "billing", "check", "--json")
	if err != nil {
		return b, fmt.Errorf("%w%s", err, out)
	}
	if err := json.Unmarshal(out, &b); err != nil {
		return b, fmt.Errorf("read the answer of assay billing check: %w", err)
	}
	if !b.OK {
		return b, fmt.Errorf("assay billing check says no and exits with 0: %s", out)
	}
	return b, nil
}

// Prepare imports the built starter dataset and loads its images. What is there
// already is left alone.
func (p Program) Prepare(ctx context.Context, starter string) error {
	if _, err := p.Run(ctx, "image", "load", filepath.Join(starter, "images")); err != nil {
		return err
	}
	_, err := p.Run(ctx, "dataset", "import", filepath.Join(starter, "dataset"))
	return err
}

// User is somebody who may call the API.
type User struct {
	UserID string `json:"user_id"`
	Key    string `json:"key"`
}

// NewUser makes a user with a key.
func (p Program) NewUser(ctx context.Context, name string) (User, error) {
	out, err := p.Run(ctx, "user", "create", "--name", name, "--email", strings.ToLower(name)+"@assay.invalid", "--json")
	if err != nil {
		return User{}, err
	}
	var u User
	if err := json.Unmarshal(out, &u); err != nil {
		return User{}, fmt.Errorf("read the answer of assay user create: %w", err)
	}
	if u.Key == "" {
		return User{}, fmt.Errorf("assay user create answered no key: %s", out)
	}
	return u, nil
}

// Server is a running assay serve.
type Server struct {
	URL string // of the server, without a path

	cmd    *exec.Cmd
	exited chan struct{} // closed when the process has ended
	err    error         // of the process, once exited is closed
}

// listening is what a server says on its standard output once it answers.
const listening = "assay is listening on "

// Start starts assay serve on a free port and returns once it answers.
func (p Program) Start(ctx context.Context, args ...string) (*Server, error) {
	// The server outlives ctx.
	cmd := p.Command(context.WithoutCancel(ctx), append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Stderr = p.Log
	// In a process group of its own: an interrupt at the terminal is for the
	// caller, who stops the server in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start assay serve: %w", err)
	}
	s := &Server{cmd: cmd, exited: make(chan struct{})}
	url := make(chan string, 1)
	go func() {
		defer close(s.exited)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if rest, ok := strings.CutPrefix(lines.Text(), listening); ok {
				url <- strings.TrimSpace(rest)
			}
		}
		s.err = cmd.Wait()
	}()
	select {
	case s.URL = <-url:
		return s, nil
	case <-s.exited:
		return nil, fmt.Errorf("assay serve ended at once: %w", errors.Join(s.err, errors.New("see its log")))
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), s.Kill())
	}
}

// APIBase is what clients take as their base URL.
func (s *Server) APIBase() string { return s.URL + "/api/v1" }

// Pid is the process id of the server.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// Kill kills the server as kill -9 does, and returns when it is gone.
func (s *Server) Kill() error {
	err := s.cmd.Process.Kill()
	<-s.exited
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Ended tells whether the server has ended.
func (s *Server) Ended() bool {
	select {
	case <-s.exited:
		return true
	default:
		return false
	}
}

// Wait waits until the server has ended by itself, and returns its exit error.
func (s *Server) Wait(ctx context.Context) error {
	select {
	case <-s.exited:
		return s.err
	case <-ctx.Done():
		return fmt.Errorf("assay serve does not end: %w", ctx.Err())
	}
}

// stopBound is how long a server may take to drain.
const stopBound = 90 * time.Second

// Stop asks the server to stop, and returns its exit error when it has.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.exited:
		return s.err
	case <-time.After(stopBound):
		return errors.Join(fmt.Errorf("assay serve did not stop within %s", stopBound), s.Kill())
	}
}
