package unpack

import (
	"archive/tar"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// IDShift maps the ids of a layer to ids of the host: id n becomes base+n, for n
// below Size. The zero value keeps ids as they are.
type IDShift struct {
	UIDBase uint32 `json:"uid_base"`
	GIDBase uint32 `json:"gid_base"`
	Size    uint32 `json:"size"`
}

// Validate says whether the shift stays within what Linux has.
func (s IDShift) Validate() error {
	if s == (IDShift{}) {
		return nil
	}
	// The last id, all ones, means "leave as it is" to chown.
	if s.Size == 0 || s.Size >= math.MaxUint32-max(s.UIDBase, s.GIDBase) {
		return fmt.Errorf("id shift %d:%d+%d is out of range", s.UIDBase, s.GIDBase, s.Size)
	}
	return nil
}

type owner struct{ uid, gid int }

func (s IDShift) owner(uid, gid int) (owner, error) {
	size := int64(s.Size)
	if size == 0 {
		size = math.MaxUint32
	}
	if uid < 0 || int64(uid) >= size || gid < 0 || int64(gid) >= size {
		return owner{}, fmt.Errorf("owner %d:%d is beyond the %d ids that sandboxes map; raise the size of the id range, or build the image with smaller ids", uid, gid, size)
	}
	return owner{uid: int(s.UIDBase) + uid, gid: int(s.GIDBase) + gid}, nil
}

// attributes is what an entry says about what it makes.
type attributes struct {
	owner  owner
	mode   uint32 // permission bits, with set-id and sticky
	mtime  time.Time
	xattrs map[string]string
}

const xattrPrefix = "SCHILY.xattr." // PAX records of star, GNU tar, Docker

func (u *unpacker) attributes(hdr *tar.Header) (attributes, error) {
	who, err := u.shift.owner(hdr.Uid, hdr.Gid)
	if err != nil {
		return attributes{}, err
	}
	a := attributes{owner: who, mode: uint32(hdr.Mode & 0o7777), mtime: hdr.ModTime}
	size := 0
	for record, value := range hdr.PAXRecords {
		name, ok := strings.CutPrefix(record, xattrPrefix)
		if !ok {
			continue
		}
		if size += len(name) + len(value); size > u.limits.XattrBytes {
			return attributes{}, fmt.Errorf("%w: more than %d bytes of extended attributes", ErrLimit, u.limits.XattrBytes)
		}
		if strings.HasPrefix(name, "user.") && !strings.HasPrefix(name, "user.overlay.") {
			if a.xattrs == nil {
				a.xattrs = map[string]string{}
			}
			a.xattrs[name] = value
		}
	}
	return a, nil
}

// apply sets the attributes of an open directory; its time is set at the end.
func (u *unpacker) apply(d dir, a attributes) error {
	if err := setAttributes(d.fd, a); err != nil {
		return err
	}
	u.times[d.path] = u.bound(a.mtime)
	return nil
}

// setAttributes sets all but the times. The mode comes after the owner, for a
// change of owner drops the set-id bits.
func setAttributes(fd int, a attributes) error {
	for _, name := range slices.Sorted(maps.Keys(a.xattrs)) {
		err := unix.Fsetxattr(fd, name, []byte(a.xattrs[name]), 0)
		if err != nil && !errors.Is(err, unix.ENOTSUP) {
			return fmt.Errorf("set extended attribute %s: %w", quote(name), err)
		}
	}
	if err := unix.Fchown(fd, a.owner.uid, a.owner.gid); err != nil {
		return fmt.Errorf("set owner: %w", err)
	}
	if err := unix.Fchmod(fd, a.mode); err != nil {
		return fmt.Errorf("set mode: %w", err)
	}
	return nil
}

func (u *unpacker) setTimes(parent dir, base string, mtime time.Time) error {
	ts := unix.NsecToTimespec(u.bound(mtime).UnixNano())
	if err := unix.UtimesNanoAt(parent.fd, base, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fmt.Errorf("set times: %w", err)
	}
	return nil
}

// bound turns times before 1970, which not all file systems hold, into 1970, and those
// that are still to come into the moment at which the layer is unpacked: what is written
// in a sandbox is newer than its image.
func (u *unpacker) bound(t time.Time) time.Time {
	switch {
	case t.Unix() < 0:
		return time.Unix(0, 0)
	case t.After(u.now):
		return u.now
	}
	return t
}
