package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// storeVersion is the version of the layout on disk.
const storeVersion = 1

// parallelUnpacks is how many layers a store unpacks at a time: more would only
// fight for the disk.
const parallelUnpacks = 2

// openTimeout bounds Open's wait for the index, which others hold for an instant.
const openTimeout = 30 * time.Second

// Options configures a Store.
type Options struct {
	// Shift is how ids of layers are shifted. A store has one for all its life.
	// Defaults to none, which suits idmapped mounts.
	Shift IDShift
	// Limits bounds each layer. Defaults to the defaults of Limits.
	Limits Limits
	// Log defaults to slog.Default().
	Log *slog.Logger
	// Now defaults to time.Now.
	Now func() time.Time
}

// Store is a store of images in a directory. It is safe for concurrent use, also
// by several processes on the same directory.
type Store struct {
	dir      string
	opts     Options
	unpacks  chan struct{} // a token for each layer being unpacked
	patience patience
}

// storeFile is store.json.
type storeFile struct {
	Version int     `json:"version"`
	Shift   IDShift `json:"shift"`
}

// Open opens the store under dir, made with mode 0700 when absent. Leftovers of
// processes that died are swept, unless another process is bringing in images.
// It fails when dir is open to others or holds a store with another id shift.
func Open(dir string, opts Options) (*Store, error) {
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if err := opts.Shift.Validate(); err != nil {
		return nil, fmt.Errorf("open image store: %w", err)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open image store: %w", err)
	}
	s := &Store{
		dir:      dir,
		opts:     opts,
		unpacks:  make(chan struct{}, parallelUnpacks),
		patience: patience{delay: 500 * time.Millisecond, stall: time.Minute},
	}
	if err := s.init(); err != nil {
		return nil, fmt.Errorf("open image store %s: %w", dir, err)
	}
	return s, nil
}

func (s *Store) init() error {
	if strings.ContainsAny(s.dir, ":,\\") {
		return errors.New("its path holds one of the characters : , \\ which overlayfs mounts cannot take; choose another directory")
	}
	for _, sub := range []string{"", "blobs/sha256", "layers/sha256", "covers/sha256", "leases", "partial", "tmp", "locks"} {
		if err := os.MkdirAll(s.path(sub), 0o700); err != nil {
			return err
		}
	}
	info, err := os.Stat(s.dir)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("its mode %o lets others in; run: chmod 700 %s", info.Mode().Perm(), s.dir)
	}
	if err := s.checkFormat(); err != nil {
		return err
	}
	return s.sweep()
}

// checkFormat compares store.json with what this process wants, or writes it.
func (s *Store) checkFormat() error {
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	unlock, err := s.lock(ctx, lockIndex, exclusive)
	if err != nil {
		return err
	}
	defer unlock()
	want := storeFile{Version: storeVersion, Shift: s.opts.Shift}
	var have storeFile
	err = readJSON(s.path("store.json"), &have)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return writeJSON(s.path("store.json"), want)
	case err != nil:
		return err
	case have.Version != want.Version:
		return fmt.Errorf("it has format %d, this program reads %d; remove the directory and load the images again", have.Version, want.Version)
	case have.Shift != want.Shift:
		return fmt.Errorf("its layers are unpacked for the id range %s, the configuration says %s; put the old range back (id_base and id_size, or leave both out), or remove the directory and load the images again", showShift(have.Shift), showShift(want.Shift))
	}
	return nil
}

// StoredShift returns the shift that the layers of the store in dir are unpacked with: an
// error that is fs.ErrNotExist where there is none yet.
func StoredShift(dir string) (IDShift, error) {
	var have storeFile
	if err := readJSON(filepath.Join(dir, "store.json"), &have); err != nil {
		return IDShift{}, fmt.Errorf("read the id range of image store %s: %w", dir, err)
	}
	return have.Shift, nil
}

func showShift(s IDShift) string {
	if s == (IDShift{}) {
		return "none (not shifted)"
	}
	return fmt.Sprintf("uid %d, gid %d, size %d", s.UIDBase, s.GIDBase, s.Size)
}

// sweep removes what processes that died were writing.
func (s *Store) sweep() error {
	unlock, err := s.tryLock(lockContent, exclusive)
	if errors.Is(err, errLocked) {
		return nil // somebody is at work there
	}
	if err != nil {
		return err
	}
	defer unlock()
	unlockIndex, err := s.tryLock(lockIndex, exclusive)
	if errors.Is(err, errLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unlockIndex()
	for _, sub := range []string{"", "leases", "blobs/sha256"} {
		halves, err := filepath.Glob(s.path(sub, unfinished+"*"))
		if err != nil {
			return err
		}
		for _, name := range halves {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	return s.emptyTmp()
}

// unfinished is how names of files begin that are being written.
const unfinished = ".new-"

func (s *Store) emptyTmp() error {
	entries, err := os.ReadDir(s.path("tmp"))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.RemoveAll(s.path("tmp", entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

// readJSON reads a small file of our own.
func readJSON(name string, v any) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

func writeJSON(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeFile(name, data)
}

// writeFile replaces a file, wholly or not at all, and on disk when it returns.
func writeFile(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), unfinished+"*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	return syncDir(filepath.Dir(name))
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
