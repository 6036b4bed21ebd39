package guest

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"assay/internal/sandbox"
)

// stream captures one output of a command. Its goroutine reads the pipe until
// nobody can write to it any more: a background process that outlives its command
// would be killed by SIGPIPE if the pipe were closed. What it writes then is
// dropped, and it costs a parked goroutine and a descriptor, of which there are
// maxBackground at most.
type stream struct {
	f       *os.File
	capture capture
	spool   *spool // nil when only the capture is wanted
	polled  bool   // the kernel tells when there is something to read; see look
	ending  atomic.Bool
	end     chan struct{} // closed with ending
	settled chan struct{} // closed when capture and spool are complete

	background chan struct{} // shared by all streams; holds one for each that is read on
}

// maxBackground bounds the pipes that are read on after the end of their command;
// beyond, they are closed.
const maxBackground = 512

func newStream(f *os.File, limit int64, whole *spool, background chan struct{}) *stream {
	s := &stream{f: f, capture: newCapture(limit), spool: whole, end: make(chan struct{}), settled: make(chan struct{}), background: background}
	s.polled = f.SetReadDeadline(time.Time{}) == nil // a file that is not polled has no deadlines
	go s.run()
	return s
}

// settle ends the capture with what the pipe holds at this moment.
func (s *stream) settle() sandbox.Output {
	select {
	case <-s.settled:
	default:
		s.ending.Store(true)
		close(s.end)
		s.f.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck // fails only at the end of the stream
		<-s.settled
	}
	return s.capture.output()
}

func (s *stream) run() {
	defer s.f.Close()
	raw, err := s.f.SyscallConn()
	if err != nil {
		close(s.settled)
		return
	}
	if s.polled {
		err = s.read(raw, s.write, &s.ending)
	} else {
		err = s.look(raw, s.write, s.end)
	}
	open := errors.Is(err, os.ErrDeadlineExceeded)
	if open {
		open = s.drain(raw)
	}
	close(s.settled)
	if open {
		s.discard(raw)
	}
}

func (s *stream) write(p []byte) {
	s.capture.write(p)
	if s.spool != nil {
		s.spool.write(p)
	}
}

// discard reads on for the sake of those who write.
func (s *stream) discard(raw syscall.RawConn) {
	select {
	case s.background <- struct{}{}:
	default:
		return
	}
	defer func() { <-s.background }()
	if !s.polled {
		s.look(raw, func([]byte) {}, nil) //nolint:errcheck // nobody wants it
	} else if s.f.SetReadDeadline(time.Time{}) == nil {
		s.read(raw, func([]byte) {}, new(atomic.Bool)) //nolint:errcheck // nobody wants it
	}
}

// buffers lends the memory that pipes are read into, while there is something to
// read. A pipe holds 64 KiB (pipe(7)).
var buffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// read hands what comes to fn until the end of the stream, nil, or the deadline.
func (s *stream) read(raw syscall.RawConn, fn func([]byte), stop *atomic.Bool) error {
	return raw.Read(func(fd uintptr) bool {
		buf := buffers.Get().(*[64 << 10]byte)
		defer buffers.Put(buf)
		for !stop.Load() {
			n, err := unix.Read(int(fd), buf[:])
			switch {
			case n > 0:
				fn(buf[:n])
			case err == unix.EAGAIN:
				return false
			case err != unix.EINTR:
				return true
			}
		}
		return false
	})
}

// longestLook is the longest pause between two looks at a pipe.
const longestLook = 20 * time.Millisecond

// look is read for a pipe that the kernel refused to watch, as it does when the user has
// as many watches as one may have, or it is out of memory: it looks again and again. It
// takes neither a descriptor nor a thread, which may be refused as well. stop ends it.
func (s *stream) look(raw syscall.RawConn, fn func([]byte), stop <-chan struct{}) error {
	buf := buffers.Get().(*[64 << 10]byte)
	defer buffers.Put(buf)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for pause := time.Millisecond; ; pause = min(2*pause, longestLook) {
		select {
		case <-stop:
			return os.ErrDeadlineExceeded
		case <-timer.C:
		}
		var n int
		var err error
		if cerr := raw.Control(func(fd uintptr) { n, err = unix.Read(int(fd), buf[:]) }); cerr != nil {
			return cerr
		}
		switch {
		case n > 0:
			fn(buf[:n])
			pause = time.Microsecond
		case err != unix.EAGAIN && err != unix.EINTR:
			return nil
		}
		timer.Reset(pause)
	}
}

// drain reads what the pipe holds now, and tells whether more can come.
func (s *stream) drain(raw syscall.RawConn) bool {
	open := true
	err := raw.Control(func(fd uintptr) {
		left, err := unix.IoctlGetInt(int(fd), unix.TIOCINQ)
		if err != nil {
			left = 0
		}
		buf := buffers.Get().(*[64 << 10]byte)
		defer buffers.Put(buf)
		for left > 0 {
			n, err := unix.Read(int(fd), buf[:min(left, len(buf))])
			if err == unix.EINTR {
				continue
			}
			if n <= 0 {
				open = err == unix.EAGAIN
				return
			}
			s.write(buf[:n])
			left -= n
		}
	})
	return open && err == nil
}

// capture keeps the first and the last half of limit bytes. Its memory grows as
// they come.
type capture struct {
	head, tail         []byte
	headLimit, tailMax int
	next               int // where the next byte of a full tail goes: its oldest one
	total              int64
}

func newCapture(limit int64) capture {
	return capture{headLimit: int(limit - limit/2), tailMax: int(limit / 2)}
}

func (c *capture) write(p []byte) {
	c.total += int64(len(p))
	n := min(len(p), c.headLimit-len(c.head))
	c.head = grow(c.head, p[:n], c.headLimit)
	p = p[n:]
	if len(p) >= c.tailMax { // nothing of what was there stays
		p = p[len(p)-c.tailMax:]
		c.tail, c.next = c.tail[:0], 0
	}
	n = min(len(p), c.tailMax-len(c.tail))
	c.tail = grow(c.tail, p[:n], c.tailMax)
	for p = p[n:]; len(p) > 0; p = p[n:] {
		n = copy(c.tail[c.next:], p)
		c.next = (c.next + n) % c.tailMax
	}
}

// grow appends p to b, never taking more memory than limit.
func grow(b, p []byte, limit int) []byte {
	if need := len(b) + len(p); need > cap(b) {
		bigger := make([]byte, len(b), min(limit, max(need, 2*cap(b))))
		copy(bigger, b)
		b = bigger
	}
	return append(b, p...)
}

// output hands out what was kept. The capture is of no use afterwards.
func (c *capture) output() sandbox.Output {
	tail := c.tail
	if c.next > 0 {
		tail = append(append(make([]byte, 0, len(tail)), c.tail[c.next:]...), c.tail[:c.next]...)
	}
	return sandbox.Output{Head: c.head, Tail: tail, Total: c.total}
}
