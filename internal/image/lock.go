package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// The store-wide locks; all others are named by a digest.
const (
	lockContent = "content"
	lockIndex   = "index"
)

const (
	shared    = unix.LOCK_SH
	exclusive = unix.LOCK_EX
)

// lockPoll is how often a lock that is held is tried again. The kernel wakes
// waiters of flock(2), but a waiter there cannot be called off by a context.
const lockPoll = 20 * time.Millisecond

var errLocked = errors.New("locked by another user of the image store")

// lock takes a lock, waiting for it as long as ctx allows.
func (s *Store) lock(ctx context.Context, name string, how int) (unlock func(), err error) {
	for {
		unlock, err := s.tryLock(name, how)
		if !errors.Is(err, errLocked) {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for lock %s: %w", name, context.Cause(ctx))
		case <-time.After(lockPoll):
		}
	}
}

// tryLock is lock without waiting: errLocked. Lock files stay, for removing one
// races with who has just opened it.
func (s *Store) tryLock(name string, how int) (unlock func(), err error) {
	f, err := os.OpenFile(s.path("locks", name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
	if err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return func() { f.Close() }, nil
}
