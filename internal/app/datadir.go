package app

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// openDataDir makes or checks the data directory. What lies in it (secrets, root
// file systems with foreign set-user-id programs) is nobody else's business, so a
// directory that others may enter is refused.
func openDataDir(name string) (dataDir, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("find the data directory %s: %w", name, err)
	}
	switch err := os.Mkdir(abs, 0o700); {
	case errors.Is(err, fs.ErrNotExist):
		return "", noParent(abs)
	case err != nil && !errors.Is(err, fs.ErrExist):
		return "", fmt.Errorf("make the data directory: %w", err)
	}
	if err := checkDataDir(abs); err != nil {
		return "", err
	}
	return dataDir(abs), nil
}

// noParent refuses a data directory of which even the directory above is not there: its name is
// mistyped, more often than not.
func noParent(abs string) error {
	return fmt.Errorf("the data directory %s is not there, and neither is %s; give the right --data-dir, or make the directory above first", abs, filepath.Dir(abs))
}

// checkDataDir refuses a directory that is open to others, somebody else's, or cannot be
// written.
func checkDataDir(abs string) error {
	var st unix.Stat_t
	if err := unix.Stat(abs, &st); err != nil {
		return fmt.Errorf("look at the data directory %s: %w", abs, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return fmt.Errorf("the data directory %s is no directory; give another --data-dir", abs)
	}
	if perm := st.Mode & 0o777; perm&0o077 != 0 {
		return fmt.Errorf("the data directory %s may be read by others (mode %04o); run: chmod 700 %s", abs, perm, abs)
	}
	if uid := os.Geteuid(); int(st.Uid) != uid {
		return fmt.Errorf("the data directory %s belongs to user %d, and this program runs as user %d; run it as the owner, or give another --data-dir", abs, st.Uid, uid)
	}
	if err := unix.Access(abs, unix.W_OK); err != nil { // root, too, is refused where the file system is read-only
		return fmt.Errorf("the data directory %s cannot be written (%w); mount its file system for writing, or give another --data-dir", abs, err)
	}
	return nil
}

// errServed says that another process serves the data directory.
var errServed = errors.New("another assay server uses this data directory; stop it first, or give another --data-dir")

// lock takes a lock file of the data directory for this process. It is freed when
// the file is closed, and when the process ends in whatever way.
func (d dataDir) lock(name string, busy error) (*os.File, error) {
	f, err := os.OpenFile(d.path(name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, busy
	}
	return nil, fmt.Errorf("lock the data directory: %w", err)
}

// secret returns the 32 random bytes kept in a file of the data directory, made at
// the first call. A server and a verb that make it at the same time get the same.
func (d dataDir) secret(name string) ([]byte, error) {
	key, err := d.readSecret(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = make([]byte, 32)
	rand.Read(key)
	tmp := d.path(name + "." + strings.ToLower(rand.Text()))
	if err := os.WriteFile(tmp, key, 0o600); err != nil {
		return nil, fmt.Errorf("store %s: %w", name, err)
	}
	err = os.Link(tmp, d.path(name)) // which, unlike a rename, replaces nobody's
	err = errors.Join(err, os.Remove(tmp))
	if errors.Is(err, fs.ErrExist) {
		return d.readSecret(name)
	}
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", name, err)
	}
	return key, nil
}

func (d dataDir) readSecret(name string) ([]byte, error) {
	key, err := os.ReadFile(d.path(name))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(key) != 32 {
		return nil, fmt.Errorf("%s holds %d bytes instead of 32; restore it from a backup, or remove it to have a new one made: what was signed or sealed with it is worth nothing then", d.path(name), len(key))
	}
	return key, nil
}
