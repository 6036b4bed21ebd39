// Package unpack turns the tar of one image layer into a directory that
// overlayfs can use as a lower layer.
//
// The tar is hostile until proven otherwise. Every path is walked by file
// descriptors, a component at a time and never through a link outside of the
// directory (see tree), so nothing outside of it is read, made or changed
// whatever the tar says. What a layer cannot mean is an error (ErrUnsafe); what
// it may say but a sandbox must not get is dropped:
//
//   - Character and block devices are skipped: a sandbox has a /dev of its own,
//     and base systems made by debootstrap carry a few. They are counted in
//     Result.Devices. The only device ever made is the overlayfs whiteout, 0/0.
//   - Of the extended attributes only user.* is applied, without user.overlay.*.
//     security.capability goes too: sandboxes run with no_new_privs, under which
//     file capabilities have no effect.
//   - Times before 1970 become 1970, and those to come the moment of unpacking, so
//     that whatever a sandbox writes is newer than its image.
//   - Set-user-id bits are kept. Ids are shifted, so they name nobody on the
//     host, and the store's directory lets nobody but root in.
//
// Whiteouts follow the OCI image specification, "Whiteouts" in layer.md, and are
// written as the kernel's Documentation/filesystems/overlayfs.rst wants them.
package unpack

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ErrUnsafe says that a layer holds something no honest layer holds.
var ErrUnsafe = errors.New("unsafe layer")

// ErrLimit says that a layer is larger than the limits allow.
var ErrLimit = errors.New("layer is over the limit")

// Limits bounds one layer. Zero fields take their defaults.
type Limits struct {
	// Entries is how many entries a layer may have, with the directories that
	// they imply. Defaults to 1,048,576.
	Entries int
	// Bytes bounds the uncompressed tar, and the sum of the sizes of its files
	// (which is larger when they are sparse). Defaults to 32 GiB.
	Bytes int64
	// NameBytes bounds an entry's whole name. Defaults to 4096.
	NameBytes int
	// Depth bounds the components of a name. Defaults to 256.
	Depth int
	// LinkBytes bounds a link's target. Defaults to 4095, what Linux takes.
	LinkBytes int
	// XattrBytes bounds the names and values of an entry's extended attributes
	// together. Defaults to 64 KiB.
	XattrBytes int
}

// WithDefaults returns the limits with zero fields filled in.
func (l Limits) WithDefaults() Limits {
	fill := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	fill(&l.Entries, 1<<20)
	fill(&l.NameBytes, 4096)
	fill(&l.Depth, 256)
	fill(&l.LinkBytes, 4095)
	fill(&l.XattrBytes, 64<<10)
	if l.Bytes == 0 {
		l.Bytes = 32 << 30
	}
	return l
}

// Options says how to unpack.
type Options struct {
	Shift  IDShift
	Limits Limits
}

// Result tells what a layer held.
type Result struct {
	Entries int   // in the tar, implied directories included
	Bytes   int64 // sum of the sizes of its files
	Devices int   // devices that were skipped
	// OpaqueRoot says that the layer hides everything below it. Overlayfs does
	// not look for that on a layer's root: whoever mounts leaves the lower
	// layers out.
	OpaqueRoot bool
	// Implied are the directories, relative and sorted, that exist only because
	// something in them does: the layer says nothing about their owner and mode.
	Implied []string
}

// Layer unpacks the tar r into dir, an empty directory. It reads r to its end.
// When it fails, what is in dir is for the caller to remove.
func Layer(ctx context.Context, dir string, r io.Reader, opts Options) (Result, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Result{}, err
	}
	defer root.Close()
	tree, err := openTree(dir)
	if err != nil {
		return Result{}, err
	}
	defer tree.close()

	limits := opts.Limits.WithDefaults()
	u := &unpacker{
		root:    root,
		tree:    tree,
		limits:  limits,
		shift:   opts.Shift,
		times:   map[string]time.Time{},
		implied: map[string]bool{},
		devices: map[string]bool{},
		now:     time.Now(),
		buffer:  make([]byte, 256<<10),
	}
	nobodySaid, err := u.impliedAttributes()
	if err != nil {
		return Result{}, err
	}
	if err := u.apply(tree.root, nobodySaid); err != nil {
		return Result{}, err
	}
	stream := &boundedReader{ctx: ctx, r: r, left: limits.Bytes}
	if err := u.all(tar.NewReader(stream)); err != nil {
		return Result{}, err
	}
	// What follows the end mark is padding; the caller's hash wants it too.
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, stream, u.buffer); err != nil {
		return Result{}, err
	}
	if err := u.finish(); err != nil {
		return Result{}, err
	}
	return u.result, nil
}

// unpacker is the state of one layer's unpacking.
type unpacker struct {
	root    *os.Root
	tree    *tree
	limits  Limits
	shift   IDShift
	result  Result
	times   map[string]time.Time // of directories, set when their children are written
	implied map[string]bool      // directories without an entry of their own
	now     time.Time            // when it began; nothing is newer
	devices map[string]bool      // skipped, by resolved path; hard links to them are skipped too
	buffer  []byte
}

func (u *unpacker) all(tr *tar.Reader) error {
	for {
		hdr, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read tar: %w", err)
		}
		if err := u.count(); err != nil {
			return err
		}
		if err := u.entry(hdr, tr); err != nil {
			return fmt.Errorf("entry %s: %w", quote(hdr.Name), err)
		}
	}
}

// count counts an entry, or a directory made for one.
func (u *unpacker) count() error {
	if u.result.Entries++; u.result.Entries > u.limits.Entries {
		return fmt.Errorf("%w: more than %d entries", ErrLimit, u.limits.Entries)
	}
	return nil
}

// finish sets the times of directories, now that nothing is written in them.
func (u *unpacker) finish() error {
	for name, mtime := range u.times {
		info, err := u.root.Lstat(name)
		if err != nil || !info.IsDir() {
			continue // replaced by a later entry
		}
		if err := u.root.Chtimes(name, mtime, mtime); err != nil {
			return fmt.Errorf("set times of %s: %w", quote(name), err)
		}
	}
	for name := range u.implied {
		if info, err := u.root.Lstat(name); err == nil && info.IsDir() {
			u.result.Implied = append(u.result.Implied, name)
		}
	}
	slices.Sort(u.result.Implied)
	return nil
}

// boundedReader ends with an error when the context does or the limit is passed.
type boundedReader struct {
	ctx  context.Context
	r    io.Reader
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, context.Cause(b.ctx)
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("%w: too many bytes uncompressed", ErrLimit)
	}
	return n, err
}

// quote shows a name that may be long and may hold anything.
func quote(name string) string {
	const most = 200
	if len(name) > most {
		return fmt.Sprintf("%q...", name[:most])
	}
	return fmt.Sprintf("%q", name)
}

// components splits an entry's name. Leading slashes are dropped, for many tools
// write them; no honest tool writes "..".
func (u *unpacker) components(name string) ([]string, error) {
	if len(name) > u.limits.NameBytes {
		return nil, fmt.Errorf("%w: name of %d bytes", ErrLimit, len(name))
	}
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "" || part == ".":
			continue
		case part == "..":
			return nil, fmt.Errorf("%w: name holds \"..\"", ErrUnsafe)
		case len(part) > unix.NAME_MAX:
			return nil, fmt.Errorf("%w: name component of %d bytes", ErrLimit, len(part))
		}
		parts = append(parts, part)
	}
	if len(parts) > u.limits.Depth {
		return nil, fmt.Errorf("%w: name of %d components", ErrLimit, len(parts))
	}
	return parts, nil
}
