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
