package oci

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"assay/internal/image"
	"assay/internal/sandbox"
)

// Changes writes what differs from the image below root, read from the upper
// directory of the overlay. Nothing of the sandbox takes part: it is frozen.
//
// Regular files, directories and symbolic links are told; hard links as files of
// their own; a socket or FIFO only as the end of what was there before. Left out are
// extended attributes, and files whose names begin with ".wh.", which a layer cannot
// tell. Ids are those inside. What lies in the tree and cannot be told is a
// *sandbox.WorkError.
func (sb *Sandbox) Changes(ctx context.Context, root string, limits sandbox.ChangeLimits, w io.Writer) (err error) {
	sb.freezing.Lock()
	defer sb.freezing.Unlock()
	defer func() {
		if err != nil {
			err = fmt.Errorf("read the changes below %s in sandbox %s: %w", root, sb.id(), err)
		}
	}()
	if err := ctx.Err(); err != nil {
		return err
	}
	if !path.IsAbs(root) {
		root = path.Join(sb.state.Handle.Workdir, root)
	}
	sb.stops.Add(1)
	defer func() { // also when it was not frozen to the end
		terr := sb.rt.thaw(ctx, sb.id())
		sb.stops.Add(1)
		if work := (*sandbox.WorkError)(nil); terr != nil && (err == nil || errors.As(err, &work)) {
			err = terr // ours goes before the work's
		}
	}()
	if err := sb.freeze(ctx); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return sandbox.ErrGone
		}
		return err
	}
	merged, err := os.OpenRoot(sb.places.rootfs())
	if err != nil {
		return err
	}
	defer merged.Close()
	upper, err := os.OpenRoot(sb.places.upper())
	if err != nil {
		return err
	}
	defer upper.Close()
	out := &layerWriter{ctx: ctx, tar: tar.NewWriter(w), ids: sb.rt.cfg.IDs, root: path.Clean(root), limits: limits}
	if err := out.changes(merged, upper, strings.Trim(path.Clean(root), "/")); err != nil {
		return err
	}
	return out.tar.Close()
}

// freeze stops the sandbox, or gives up in time.
func (sb *Sandbox) freeze(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, freezeTime)
	defer cancel()
	return sb.rt.freeze(ctx, sb.id())
}

// opaqueXattr marks a directory of upper that hides the one below it, with the
// value "y" (kernel, overlayfs.rst).
const opaqueXattr = "trusted.overlay.opaque"

// Whiteouts in a layer (OCI image-spec, layer.md).
const (
	whiteoutPrefix = ".wh."
	whiteoutOpaque = ".wh..wh..opq"
)

// layerWriter turns a part of an upper directory into a layer.
type layerWriter struct {
	ctx    context.Context
	tar    *tar.Writer
	ids    image.IDShift
	root   string // inside, for errors
	limits sandbox.ChangeLimits
	files  int
	bytes  int64 // of contents
	named  int64 // bytes of names and targets of links
	left   int   // entries that were left out one by one

	hidden   int   // directories above in whose place the image has none, or which hide its own
	compared int64 // bytes that were compared with the image's
}

// changes writes what upper has below name, which is "" for everything. Whether
// name still is what the sandbox sees is asked of the merged tree.
func (l *layerWriter) changes(merged, upper *os.Root, name string) error {
	if name == "" {
		return l.dir(upper, "", 0)
	}
	hidden := false // a directory above hides the image's
	at, parts := upper, strings.Split(name, "/")
	for i, part := range parts {
		prefix := path.Join(parts[:i+1]...)
		info, err := merged.Lstat(prefix)
		if errors.Is(err, fs.ErrNotExist) {
			return sandbox.RootGone("/"+prefix, "")
		}
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return sandbox.RootGone("/"+prefix, kindOf(info.Mode()))
		}
		next, err := at.OpenRoot(part)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // as the image has it
		}
		if err != nil {
			return err
		}
		defer next.Close()
		at = next
		opaque, err := isOpaque(at)
		if err != nil {
			return err
		}
		hidden = hidden || opaque
	}
	if opaque, err := isOpaque(at); err != nil || opaque || !hidden {
		if err != nil {
			return err
		}
		return l.dir(at, "", 0)
	}
	if err := l.whiteout(whiteoutOpaque); err != nil {
		return err
	}
	l.hidden++
	return l.dir(at, "", 0)
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "symbolic link"
	case mode.IsRegular():
		return "file"
	}
	return "special file"
}

// dir writes what is in one directory of upper, sorted by name.
func (l *layerWriter) dir(at *os.Root, prefix string, depth int) error {
	if depth > sandbox.MaxChangeDepth { // each level is a descriptor and a stack frame of the server
		return sandbox.TooDeep(l.root)
	}
	if err := l.ctx.Err(); err != nil {
		return err
	}
	opaque, err := isOpaque(at)
	if err != nil {
		return err
	}
	if opaque {
		l.hidden++
		defer func() { l.hidden-- }()
		if err := l.whiteout(path.Join(prefix, whiteoutOpaque)); err != nil {
			return err
		}
	}
	names, err := l.names(at)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := l.entry(at, name, path.Join(prefix, name), depth); err != nil {
			return err
		}
	}
	return nil
}

// names reads a directory, and no more of it than could be written or left out.
func (l *layerWriter) names(at *os.Root) ([]string, error) {
	d, err := at.Open(".")
	if err != nil {
		return nil, err
	}
	defer d.Close()
	left := l.limits.MaxFiles - l.files
	if l.limits.Omit != nil || l.limits.Base != nil {
		left += sandbox.MaxOmitted - l.left
	}
	names, err := d.Readdirnames(left + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(names) > left {
		return nil, l.limits.TooManyFiles(l.root)
	}
	slices.Sort(names)
	return names, nil
}

func (l *layerWriter) entry(at *os.Root, name, full string, depth int) error {
	info, err := at.Lstat(name)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return fmt.Errorf("%s: no stat", full)
	case full == strings.TrimPrefix(path.Dir(agentPath), "/"):
		return nil // made for the agent, when root is "/"
	case strings.HasPrefix(name, whiteoutPrefix):
		return nil // before anything else: a whiteout of ".wh..opq" would empty its directory
	case info.Mode()&fs.ModeCharDevice != 0 && st.Rdev == 0:
		return l.whiteout(path.Join(path.Dir(full), whiteoutPrefix+name))
	}
	if omit, err := l.omits(full, info.IsDir()); err != nil || omit {
		return err
	}
	if same, err := l.isAsBefore(at, info, name, full); err != nil || same {
		return err
	}
	switch {
	case info.IsDir():
		return l.subdir(at, info, st, name, full, depth)
	case info.Mode().IsRegular():
		return l.regular(at, info, st, name, full)
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := at.Readlink(name)
		if err != nil {
			return err
		}
		return l.header(info, st, full, target)
	}
	return l.whiteout(path.Join(path.Dir(full), whiteoutPrefix+name)) // a socket or FIFO
}

func (l *layerWriter) omits(name string, directory bool) (bool, error) {
	if l.limits.Omit == nil {
		return false, nil
	}
	omit, err := l.limits.Omit.Omits(name, directory)
	if err != nil || !omit {
		return false, err
	}
	return true, l.leaveOut()
}

// leaveOut counts an entry that is left out.
func (l *layerWriter) leaveOut() error {
	if l.left++; l.left > sandbox.MaxOmitted {
		return sandbox.TooManyOmitted(l.root)
	}
	return nil
}

func (l *layerWriter) subdir(at *os.Root, info fs.FileInfo, st *syscall.Stat_t, name, full string, depth int) error {
	if err := l.header(info, st, full+"/", ""); err != nil {
		return err
	}
	sub, err := at.OpenRoot(name)
	if err != nil {
		return err
	}
	defer sub.Close()
	if !l.isDirectoryBefore(full) {
		l.hidden++
		defer func() { l.hidden-- }()
	}
	return l.dir(sub, full, depth+1)
}

func (l *layerWriter) regular(at *os.Root, info fs.FileInfo, st *syscall.Stat_t, name, full string) error {
	if info.Size() > l.limits.MaxBytes-l.bytes {
		return l.limits.TooManyBytes(l.root)
	}
	l.bytes += info.Size()
	if err := l.header(info, st, full, ""); err != nil {
		return err
	}
	f, err := at.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOATIME, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.Copy(l.tar, io.LimitReader(f, info.Size()))
	if err == nil && n < info.Size() {
		err = fmt.Errorf("%s: shorter than its size", full)
	}
	return err
}

func (l *layerWriter) whiteout(name string) error {
	return l.write(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o600})
}

func (l *layerWriter) header(info fs.FileInfo, st *syscall.Stat_t, name, target string) error {
	hdr, err := tar.FileInfoHeader(plainInfo{info}, target)
	if err != nil {
		return err
	}
	hdr.Name = name
	hdr.Format = tar.FormatPAX // for times finer than a second: make looks at them
	hdr.Uid, hdr.Gid = inside(st.Uid, l.ids.UIDBase, l.ids.Size), inside(st.Gid, l.ids.GIDBase, l.ids.Size)
	return l.write(hdr)
}

// plainInfo hides the system's stat, so that no names of the host's users are looked up.
type plainInfo struct{ fs.FileInfo }

func (plainInfo) Sys() any { return nil }

// nobody is the id of owners that the sandbox does not have.
const nobody = 65534

func inside(id, base, size uint32) int {
	if id < base || id-base >= size {
		return nobody
	}
	return int(id - base)
}

func (l *layerWriter) write(hdr *tar.Header) error {
	if l.files++; l.files > l.limits.MaxFiles {
		return l.limits.TooManyFiles(l.root)
	}
	if len(strings.TrimSuffix(l.root, "/"))+1+len(strings.TrimSuffix(hdr.Name, "/")) > sandbox.MaxPathBytes {
		return sandbox.PathTooLong(l.root)
	}
	if l.named += int64(len(hdr.Name) + len(hdr.Linkname)); l.named > sandbox.MaxNameBytes {
		return sandbox.TooManyNames(l.root)
	}
	return l.tar.WriteHeader(hdr)
}

// isOpaque tells whether a directory of upper hides the one below it.
func isOpaque(at *os.Root) (bool, error) {
	d, err := at.Open(".")
	if err != nil {
		return false, err
	}
	defer d.Close()
	var value [1]byte
	n, err := unix.Fgetxattr(int(d.Fd()), opaqueXattr, value[:])
	if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ERANGE) {
		return false, nil
	}
	return err == nil && n == 1 && value[0] == 'y', err
}
