package guest

import (
	"errors"
	"syscall"
	"testing"

	"assay/agent/internal/wire"
	"assay/internal/sandbox"
)

// A full sandbox is no end of a command, and is known as such on the other side.
func TestNoRoomForAProcessIsNoExitStatus(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE} {
		err := forkError("bash", errno)
		if _, refused := errors.AsType[*refusal](err); refused {
			t.Errorf("%v became an exit status", errno)
		}
		if !errors.Is(wire.AsError(err), sandbox.ErrNotStarted) {
			t.Errorf("%v crosses the wire as %v", errno, wire.AsError(err))
		}
	}
}

// Only a program that is nowhere is not found. Where the kernel does not tell, nothing is
// known of the command.
func TestOnlyWhatDoesNotExistIsNotFound(t *testing.T) {
	for _, c := range []struct {
		first error // of the first of two places
		there bool  // in the second
		code  int   // of the refusal; 0 for none
		err   error
	}{
		{syscall.ENOENT, false, 127, nil},
		{syscall.ENOTDIR, false, 127, nil},
		{syscall.ENOENT, true, 0, nil},
		{syscall.EMFILE, true, 0, nil},
		{syscall.EMFILE, false, 0, sandbox.ErrNotStarted},
		{syscall.ENOMEM, false, 0, sandbox.ErrNotStarted},
		{syscall.EACCES, false, 0, sandbox.ErrNotStarted},
		{syscall.EIO, false, 0, sandbox.ErrNotStarted},
	} {
		l := launcher{stat: func(path string) (uint32, error) {
			switch {
			case path == "/first/prog":
				return 0, c.first
			case c.there:
				return syscall.S_IFREG | 0o755, nil
			}
			return 0, syscall.ENOENT
		}}
		path, err := l.lookPath("prog", "/", "/first:/second")
		refused, _ := errors.AsType[*refusal](err)
		switch {
		case c.code != 0 && (refused == nil || refused.code != c.code):
			t.Errorf("%v: %v, want code %d", c.first, err, c.code)
		case c.err != nil && (refused != nil || !errors.Is(wire.AsError(err), c.err)):
			t.Errorf("%v: %v, want %v", c.first, err, c.err)
		case c.code == 0 && c.err == nil && (err != nil || path != "/second/prog"):
			t.Errorf("%v: %q, %v", c.first, path, err)
		}
	}
}
