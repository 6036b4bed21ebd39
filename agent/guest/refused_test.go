package guest

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// refusedPipe makes a pipe as newPipe does where the kernel refuses to watch it: its
// reading end does not block, and the poller does not know it.
func refusedPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	r = os.NewFile(uintptr(p[0]), "refused") // the poller is asked for files that do not block
	if err := unix.SetNonblock(p[0], true); err != nil {
		t.Fatal(err)
	}
	if err := r.SetReadDeadline(time.Time{}); !errors.Is(err, os.ErrNoDeadline) {
		t.Fatalf("the poller knows the pipe: %v", err)
	}
	return r, os.NewFile(uintptr(p[1]), "output")
}

func TestOutputThatIsNotPolledIsReadWhole(t *testing.T) {
	r, w := refusedPipe(t)
	s := newStream(r, 1<<20, nil, make(chan struct{}, 1))
	want := strings.Repeat("0123456789abcdef", 20_000) // more than a pipe holds
	if _, err := w.WriteString(want); err != nil {
		t.Fatal(err) // EPIPE, when nobody reads
	}
	w.Close()
	<-s.settled
	if got := s.settle(); string(got.Head)+string(got.Tail) != want {
		t.Errorf("%d bytes of %d were read", got.Total, len(want))
	}
}

// A process that outlives its command keeps its pipe, also when that is not polled.
func TestOutputThatIsNotPolledIsReadOnForOthers(t *testing.T) {
	r, w := refusedPipe(t)
	s := newStream(r, 1<<20, nil, make(chan struct{}, 1))
	if _, err := w.WriteString("before"); err != nil {
		t.Fatal(err)
	}
	if got := s.settle(); string(got.Head) != "before" {
		t.Errorf("read %q", got.Head)
	}
	if _, err := w.WriteString(strings.Repeat("after", 100_000)); err != nil {
		t.Errorf("who writes on: %v", err)
	}
	w.Close()
}

func TestDeadlineTakesNoDescriptor(t *testing.T) {
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	d, err := newDeadline(time.Millisecond)
	if err == nil {
		err = d.wait()
	}
	if rerr := unix.Setrlimit(unix.RLIMIT_NOFILE, &old); rerr != nil {
		t.Fatal(rerr)
	}
	if err != nil {
		t.Error(err)
	}
}
