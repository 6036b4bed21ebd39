package guest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"assay/internal/sandbox"
)

// resolve makes a path of a request absolute.
func (a *Agent) resolve(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(a.cfg.Workdir, path)
}

var (
	errNotRegular error = notRegularError("not a regular file")
	errDirectory  error = notRegularError("is a directory")
)

// notRegularError is what something is that is no regular file.
type notRegularError string

func (e notRegularError) Error() string        { return string(e) }
func (e notRegularError) Is(target error) bool { return target == fs.ErrInvalid }

// openRegular opens a regular file for reading. A FIFO or a device is neither
// waited for nor opened as a terminal. Files of procfs are refused: the agent's
// own would be among them.
func openRegular(path string) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if errors.Is(err, syscall.ENXIO) { // a socket, or a device without a driver
		err = &fs.PathError{Op: "open", Path: path, Err: errNotRegular}
	}
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = checkRegular(f, info)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

func checkRegular(f *os.File, info fs.FileInfo) error {
	if info.IsDir() {
		return &fs.PathError{Op: "open", Path: f.Name(), Err: errDirectory}
	}
	if !info.Mode().IsRegular() || onProcfs(f) {
		return &fs.PathError{Op: "open", Path: f.Name(), Err: errNotRegular}
	}
	return nil
}

func onProcfs(f *os.File) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(int(f.Fd()), &st) == nil && st.Type == unix.PROC_SUPER_MAGIC
}

// readFile reads a regular file of at most limit bytes. A path that leads nowhere, for
// whatever reason, is of no file.
func readFile(path string, limit int64) ([]byte, fs.FileMode, error) {
	f, info, err := openRegular(path)
	if isVanished(err) || errors.Is(err, unix.ENAMETOOLONG) {
		err = &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	content, err := readBounded(f, info, limit)
	return content, info.Mode(), err
}

// readBounded reads f, which may grow meanwhile.
func readBounded(f *os.File, info fs.FileInfo, limit int64) ([]byte, error) {
	if info.Size() > limit {
		return nil, tooLarge(f.Name(), limit)
	}
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = tooLarge(f.Name(), limit)
	}
	return content, err
}

func tooLarge(name string, limit int64) error {
	return fmt.Errorf("%s: %w: more than %d bytes", name, sandbox.ErrTooLarge, limit)
}
