package guest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"assay/agent/internal/wire"
	"assay/internal/sandbox"
)

// spool keeps what a command printed, up to a limit, in a file without a name on the
// sandbox's disk. Its descriptor is out of reach for the processes of the sandbox (see
// seal), and whoever found another way to the file is found out: what is handed out
// must be what was written.
//
// One goroutine writes, until the command has ended; then any may send.
type spool struct {
	file  *os.File  // nil when none could be made: nothing is kept then
	left  int64     // bytes that may still be kept
	kept  int64     // bytes in file
	total int64     // bytes that were printed
	sum   hash.Hash // of what is in file
}

// newSpool makes a spool on the disk that dir is on. When there is no room for one, it
// keeps nothing.
func newSpool(dir string, limit int64) (*spool, error) {
	s := &spool{sum: sha256.New()}
	file, err := namelessFile(dir)
	if err != nil {
		return s, err
	}
	s.file, s.left = file, limit
	return s, nil
}

// namelessFile makes a file that no path leads to.
func namelessFile(dir string) (*os.File, error) {
	// O_EXCL: nobody can give it a name (open(2)).
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_EXCL|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err == nil {
		return os.NewFile(uintptr(fd), "spool"), nil
	}
	if !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EISDIR) && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return nil, fmt.Errorf("make a spool: %w", err)
	}
	// gVisor, and overlayfs before Linux 6.1, have files without a name only when
	// they had one: for a moment, in a folder that root alone may enter.
	hidden, err := os.MkdirTemp(dir, ".assay-spool-")
	if err != nil {
		return nil, fmt.Errorf("make a spool: %w", err)
	}
	defer os.RemoveAll(hidden) // it is empty, or the file could not be made
	name := filepath.Join(hidden, "spool")
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make a spool: %w", err)
	}
	if err := os.Remove(name); err != nil {
		file.Close()
		return nil, fmt.Errorf("make a spool: %w", err)
	}
	return file, nil
}

// write keeps p, as far as the limit and the disk let it. After a write that failed
// nothing is kept any more: what is kept is a beginning, without holes.
func (s *spool) write(p []byte) {
	s.total += int64(len(p))
	if s.left == 0 {
		return
	}
	n, err := s.file.Write(p[:min(int64(len(p)), s.left)])
	s.sum.Write(p[:n])
	s.kept += int64(n)
	s.left -= int64(n)
	if err != nil {
		s.left = 0
	}
}

// send hands out what was kept. It fails when that is not what was written, and with
// ErrUnknownCommand when the spool was closed meanwhile.
func (s *spool) send(to io.ReaderFrom) error {
	if s.kept == 0 {
		return nil
	}
	sum := sha256.New()
	n, err := to.ReadFrom(io.TeeReader(io.NewSectionReader(s.file, 0, s.kept), sum))
	switch {
	case errors.Is(err, os.ErrClosed):
		return fmt.Errorf("%w: it was forgotten while its output was read", sandbox.ErrUnknownCommand)
	case err != nil:
		return err
	case n != s.kept || !bytes.Equal(sum.Sum(nil), s.sum.Sum(nil)):
		return &wire.Error{Code: wire.CodeInternal, Message: "what was kept of the output is not what was printed: somebody altered it, or the disk lost it"}
	}
	return nil
}

// close lets go of the file. It may be called twice, and on nil.
func (s *spool) close() {
	if s != nil && s.file != nil {
		s.file.Close() // nothing has a name that could be lost
	}
}
