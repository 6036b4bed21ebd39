package guest

import (
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"assay/agent"
)

// seal closes the agent to the processes that it will start, which have its user
// id.
//
// Not dumpable: /proc/1/{mem,fd,environ,root,...} and ptrace take CAP_SYS_PTRACE
// then (ptrace(2)). A saved user id of its own: prlimit(2) on the agent takes
// CAP_SYS_RESOURCE then, so nobody sets its limit of open files to zero. A
// command loses both with its execve.
//
// A runtime does more by making the agent's binary unreadable in the sandbox (mode
// 0711, owned by an id that is not mapped): the kernel then takes the agent for a
// process of the user namespace outside (would_dump in fs/exec.c), and whatever
// capabilities somebody gains inside do not count.
func seal() error {
	// The runtime may have leaked descriptors.
	if err := unix.CloseRange(agent.ListenFD, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil && !errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("close descriptors on exec: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("forbid tracing the agent: %w", err)
	}
	// Any id but the commands' will do. Without CAP_SETUID, or where only one id is
	// mapped, this wall is missing: behind it are denials of one's own service only.
	const daemon = 1
	if err := syscall.Setresuid(-1, -1, daemon); err != nil && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("set saved user id: %w", err)
	}
	// The kernel shields PID 1 from signals without a handler, but the Go runtime
	// has handlers that exit. Ignoring them instead would be inherited by commands.
	signal.Notify(make(chan os.Signal, 1), unwanted...)
	return nil
}

// unwanted are the signals that would end a Go program.
var unwanted = []os.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT,
	syscall.SIGBUS, syscall.SIGFPE, syscall.SIGUSR1, syscall.SIGSEGV, syscall.SIGUSR2, syscall.SIGPIPE,
	syscall.SIGALRM, syscall.SIGTERM, syscall.SIGSTKFLT, syscall.SIGXCPU, syscall.SIGXFSZ,
	syscall.SIGVTALRM, syscall.SIGPROF, syscall.SIGIO, syscall.SIGPWR, syscall.SIGSYS,
}

// checkPeer refuses connections from inside the sandbox. The socket is out of
// reach there; this is the second wall. Linux tells the peer's PID as the reader's
// PID namespace sees it (pid_vnr in sock_getsockopt): 0 for a process outside.
func checkPeer(conn net.Conn) error {
	uc, ok := conn.(*net.UnixConn)
	if !ok {
		return fmt.Errorf("peer over %T", conn)
	}
	raw, err := uc.SyscallConn()
	if err != nil {
		return err
	}
	var cred *unix.Ucred
	var cerr error
	if err := raw.Control(func(fd uintptr) {
		cred, cerr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return err
	}
	if cerr != nil {
		return cerr
	}
	if cred.Pid != 0 {
		return fmt.Errorf("peer %d is inside the sandbox", cred.Pid)
	}
	return nil
}
