package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

const (
	superuser = "assay"
	// startBound is how long a server may take to answer, on a busy machine.
	startBound = time.Minute
)

// Server is a PostgreSQL server.
type Server struct {
	dir       string // of the socket, with the data below it
	bin       string
	owner     *syscall.Credential // nil for this process's own
	databases atomic.Int64

	ended chan error // of the process; nil while there is none
	pid   int
	log   bytes.Buffer // read once the process has ended
}

// New starts a server for one test that stops it, which ends with the test. Others
// share one: see Database.
func New(tb testing.TB) *Server {
	tb.Helper()
	s, err := start()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.end(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// memory returns a folder in memory, where a database is copied in 10 ms instead of 300.
// The name of a socket in it is short enough; TMPDIR may be longer than the 107 bytes
// that there are.
func memory() string {
	const shared = "/dev/shm"
	var fs unix.Statfs_t
	if err := unix.Statfs(shared, &fs); err == nil && fs.Type == unix.TMPFS_MAGIC && fs.Bavail*uint64(fs.Bsize) > 1<<30 {
		return shared
	}
	return "/tmp"
}

// start makes a server and starts it.
func start() (_ *Server, err error) {
	s := &Server{}
	if s.bin, err = programs(); err != nil {
		return nil, err
	}
	if s.owner, err = owner(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp(memory(), "assay-pg-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("start PostgreSQL: %w", err), os.RemoveAll(s.dir))
		}
	}()
	if s.owner != nil {
		if err := os.Chown(s.dir, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			return nil, err
		}
	}
	initdb := s.command("initdb", "--pgdata", s.data(), "--username", superuser, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	return s, s.run()
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// programs finds the folder of PostgreSQL's programs: the newest of Debian's, or that
// of the PATH.
func programs() (string, error) {
	for _, pattern := range []string{"/usr/lib/postgresql/[1-9][0-9]/bin/initdb", "/usr/lib/postgresql/[1-9][0-9][0-9]/bin/initdb"} {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			return filepath.Dir(found[len(found)-1]), nil
		}
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("PostgreSQL is not installed, and these tests need it: make deps")
	}
	if initdb, err = filepath.EvalSymlinks(initdb); err != nil {
		return "", err
	}
	return filepath.Dir(initdb), nil
}

// owner is who runs the server: it refuses root, so that becomes the user of the
// package, or nobody.
func owner() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, err
	}
	uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
	gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(errUID, errGID)
}

// command is a program of PostgreSQL that dies with this process.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	// SIGQUIT makes the server end at once, with all its processes.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner, Pdeathsig: syscall.SIGQUIT}
	return cmd
}

// run starts the process and waits until it answers.
func (s *Server) run() error {
	cmd := s.command("postgres", "-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "fsync=off",
		"-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=300", "-c", "shared_buffers=64MB")
	s.log.Reset()
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		// The kernel ends the process with the thread that started it, so that must stay.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	s.pid, s.ended = cmd.Process.Pid, ended
	return s.await()
}

// await waits until the server answers.
func (s *Server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startBound)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.url("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case ended := <-s.ended:
			s.ended = nil
			return fmt.Errorf("it ended: %w: %s", ended, s.log.String())
		case <-again.C:
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("it does not answer: %w", err), s.Stop())
		}
	}
}

// Stop stops the server; its clients lose their connections. Start starts it again.
func (s *Server) Stop() error {
	if s.ended == nil {
		return nil
	}
	defer func() { s.ended = nil }()
	if err := syscall.Kill(s.pid, syscall.SIGINT); err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	if err := <-s.ended; err != nil {
		return fmt.Errorf("PostgreSQL ended: %w: %s", err, s.log.String())
	}
	return nil
}

// Start starts the server after Stop. Its databases are as they were.
func (s *Server) Start() error {
	if s.ended != nil {
		return nil
	}
	return s.run()
}

// end stops the server and removes what it kept.
func (s *Server) end() error { return errors.Join(s.Stop(), os.RemoveAll(s.dir)) }
