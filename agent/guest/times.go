package guest

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// clock gives files their times: each later than all that it gave before, and than
// all that the system's clock has shown.
type clock struct {
	mu   sync.Mutex
	last int64 // the latest that was given, in nanoseconds since 1970
}

// apart is what lies between two times that are given, in nanoseconds: less is lost
// on some file systems.
const apart = 1000

// take returns the first of n times, which are apart from each other.
func (c *clock) take(n int) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := max(time.Now().UnixNano(), c.last) + apart
	c.last = first + int64(max(n-1, 0))*apart
	return first
}

// tick is the longest that the kernel gives the same time to whatever is written: a
// hundredth of a second (CONFIG_HZ_100).
const tick = 10 * time.Millisecond

// maxPass is more than all times of one layer, and a tick.
const maxPass = maxLayerEntries*apart + tick

// pass returns when whatever is written from now on is later than all that was given.
// A clock that was set back is not waited for.
func (c *clock) pass() {
	c.mu.Lock()
	left := time.Until(time.Unix(0, c.last)) + tick
	c.mu.Unlock()
	if left > 0 && left <= maxPass {
		<-time.After(left)
	}
}

// untimed marks names whose times are the kernel's.
const untimed = math.MinInt64

// nanoseconds is a time of a tar, in nanoseconds since 1970; times that do not fit (before
// 1678, after 2262) are taken for the nearest that does.
func nanoseconds(t time.Time) int64 {
	const most = math.MaxInt64 / int64(time.Second)
	switch s := t.Unix(); {
	case s >= most:
		return math.MaxInt64
	case s <= -most:
		return untimed + 1
	}
	return t.UnixNano()
}

// setTimes gives what the layer brought new times, in the order of those that the layer
// has: what is equal there stays equal. Names that a later entry took away are left out.
func (u *unpacker) setTimes(c *clock) error {
	told := slices.DeleteFunc(slices.Collect(maps.Values(u.fresh)), func(t int64) bool { return t == untimed })
	slices.Sort(told)
	told = slices.Compact(told)
	if len(told) == 0 {
		return nil
	}
	first := c.take(len(told))
	root, err := u.root.Open(".")
	if err != nil {
		return err
	}
	defer root.Close()
	at := parent{root: root}
	defer at.close()
	for _, name := range slices.Sorted(maps.Keys(u.fresh)) { // what is in one directory comes together
		if u.fresh[name] == untimed {
			continue
		}
		rank, _ := slices.BinarySearch(told, u.fresh[name])
		ts := unix.NsecToTimespec(first + int64(rank)*apart)
		err := at.enter(path.Dir(name))
		if err == nil {
			err = unix.UtimesNanoAt(at.fd(), path.Base(name), []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
		}
		if err != nil && !isVanished(err) {
			return fmt.Errorf("set the times of %q: %w", name, err)
		}
	}
	return nil
}

// parent is an open directory below a root: the one of the last file.
type parent struct {
	root *os.File
	name string   // "" is none
	dir  *os.File // nil when it is the root
}

// enter opens a directory, unless it is open. No link is followed.
func (p *parent) enter(name string) error {
	if name == p.name {
		return nil
	}
	p.close()
	if name != "." {
		dir, err := openBeneath(p.root, name, unix.O_DIRECTORY)
		if err != nil {
			return err
		}
		p.dir = dir
	}
	p.name = name
	return nil
}

func (p *parent) fd() int {
	if p.dir != nil {
		return int(p.dir.Fd())
	}
	return int(p.root.Fd())
}

func (p *parent) close() {
	if p.dir != nil {
		p.dir.Close()
	}
	p.dir, p.name = nil, ""
}
