package guest

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"assay/internal/sandbox"
)

// maxLayerEntries bounds the entries of a layer: their names and times are remembered.
const maxLayerEntries = 1 << 19

// Whiteouts as the OCI image specification has them (layer.md).
const (
	whiteoutPrefix = ".wh."
	whiteoutOpaque = ".wh..wh..opq"
)

// applyLayer lays an OCI layer tar on the directory root, which is made when
// absent. It treats the directory as overlayfs would:
//
//   - An entry replaces what is there, whatever kind either has; a directory that
//     is there keeps its content.
//   - No link is followed, neither in the tree nor in the tar: a parent of an
//     entry that is a link or a file is replaced by a directory.
//   - ".wh.NAME" removes NAME, ".wh..wh..opq" what the directory held before; not
//     what this layer brought, in whatever order it comes.
//   - Files, directories, symbolic links and hard links are made, with mode,
//     without set-id bits, owned by the owner of root. Devices, FIFOs and sockets
//     are left out.
//   - A name with ".." is an error.
//
// The times of files and symbolic links come from times, and are thus later than those
// of all that was there: what make, cargo or pip built before is old to them. Among
// themselves they are in the order of the layer's own. Directories have the kernel's
// time, as after every change of what they hold.
//
// When it fails, a part may have been applied.
func applyLayer(root string, layer io.Reader, times *clock) error {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	r, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer r.Close()
	info, err := r.Stat(".")
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("stat of %T", info.Sys())
	}
	u := unpacker{root: r, uid: int(st.Uid), gid: int(st.Gid), fresh: make(map[string]int64)}
	u.chown = u.uid != os.Geteuid() || u.gid != os.Getegid()
	tr := tar.NewReader(layer)
	for entries := 0; ; entries++ {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return u.setTimes(times)
		}
		if err != nil {
			return fmt.Errorf("read layer: %w", err)
		}
		if entries == maxLayerEntries {
			return fmt.Errorf("%w: layer of more than %d entries", sandbox.ErrTooLarge, maxLayerEntries)
		}
		if err := u.apply(h, tr); err != nil {
			return fmt.Errorf("layer entry %q: %w", h.Name, err)
		}
	}
}

// unpacker applies the entries of one layer.
type unpacker struct {
	root     *os.Root
	uid, gid int
	chown    bool
	fresh    map[string]int64 // names that this layer brought, with their parents; their times in the layer, or untimed
	parent   string           // the last one that was seen to be a directory
}

func (u *unpacker) apply(h *tar.Header, content io.Reader) error {
	name, err := cleanName(h.Name)
	if err != nil {
		return err
	}
	if name == "." || h.Typeflag == tar.TypeXGlobalHeader { // the mode of the root is its owner's
		return nil
	}
	base := path.Base(name)
	if strings.HasPrefix(base, whiteoutPrefix) {
		return u.whiteout(path.Dir(name), base)
	}
	if err := u.makeParent(path.Dir(name)); err != nil {
		return err
	}
	if err := u.make(name, h, content); err != nil {
		return err
	}
	u.fresh[name] = u.timeOf(name, h)
	return nil
}

// timeOf is the time that the layer has for an entry; untimed of what is left out, of
// directories, and of further names of a file that has one from this layer.
func (u *unpacker) timeOf(name string, h *tar.Header) int64 {
	switch h.Typeflag {
	case tar.TypeDir, tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return untimed
	case tar.TypeLink:
		target, _ := cleanName(h.Linkname) // makeLink has checked it
		if t, ours := u.fresh[target]; ours && target == name {
			return t
		} else if ours {
			return untimed
		}
	}
	return nanoseconds(h.ModTime)
}

// cleanName makes a name of a tar relative to the root.
func cleanName(name string) (string, error) {
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", errors.New("name leads out of the root")
		}
	}
	return path.Clean("./" + name), nil
}

func (u *unpacker) make(name string, h *tar.Header, content io.Reader) error {
	mode := fs.FileMode(h.Mode & 0o777)
	switch h.Typeflag {
	case tar.TypeDir:
		if h.Mode&0o1000 != 0 {
			mode |= fs.ModeSticky
		}
		return u.makeDir(name, mode)
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		return u.makeFile(name, mode, content)
	case tar.TypeSymlink:
		if err := u.clear(name); err != nil {
			return err
		}
		if err := u.root.Symlink(h.Linkname, name); err != nil {
			return err
		}
		return u.own(name)
	case tar.TypeLink:
		return u.makeLink(name, h.Linkname)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return u.clear(name)
	}
	return fmt.Errorf("entry of unknown type %q", h.Typeflag)
}

// clear removes what is at name.
func (u *unpacker) clear(name string) error {
	if u.parent == name || strings.HasPrefix(u.parent, name+"/") {
		u.parent = "" // to look at it again for each file of a deep tree takes minutes
	}
	return u.root.RemoveAll(name)
}

func (u *unpacker) isDir(name string) (bool, error) {
	info, err := u.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && info.IsDir(), err
}

func (u *unpacker) makeDir(name string, mode fs.FileMode) error {
	dir, err := u.isDir(name)
	if err != nil {
		return err
	}
	if !dir {
		if err := u.clear(name); err != nil {
			return err
		}
		if err := u.root.Mkdir(name, 0o700); err != nil {
			return err
		}
		if err := u.own(name); err != nil {
			return err
		}
	}
	return u.root.Chmod(name, mode)
}

// makeParent makes sure that every component of dir is a directory, so that the
// operations on what is below follow no link.
func (u *unpacker) makeParent(dir string) error {
	if dir == "." || dir == u.parent {
		return nil
	}
	if err := u.makeParent(path.Dir(dir)); err != nil {
		return err
	}
	ok, err := u.isDir(dir)
	if err != nil {
		return err
	}
	if !ok {
		if err := u.makeDir(dir, 0o755); err != nil {
			return err
		}
	}
	u.fresh[dir] = untimed
	u.parent = dir
	return nil
}

func (u *unpacker) makeFile(name string, mode fs.FileMode, content io.Reader) error {
	if err := u.clear(name); err != nil {
		return err
	}
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	if err == nil && u.chown {
		err = f.Chown(u.uid, u.gid)
	}
	if err == nil {
		err = f.Chmod(mode)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// makeLink makes a hard link to a file of the tree, never by way of a link.
func (u *unpacker) makeLink(name, target string) error {
	target, err := cleanName(target)
	if err != nil {
		return err
	}
	for dir := path.Dir(target); dir != "."; dir = path.Dir(dir) {
		if ok, err := u.isDir(dir); err != nil || !ok {
			return fmt.Errorf("hard link to %q: its parent is no directory", target)
		}
	}
	info, err := u.root.Lstat(target)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fmt.Errorf("hard link to %q: %w", target, errDirectory)
	}
	if name == target {
		return nil
	}
	if err := u.clear(name); err != nil {
		return err
	}
	return u.root.Link(target, name)
}

func (u *unpacker) own(name string) error {
	if !u.chown {
		return nil
	}
	return u.root.Lchown(name, u.uid, u.gid)
}

// whiteout removes from dir what base says.
func (u *unpacker) whiteout(dir, base string) error {
	if inside, err := u.isReal(dir); err != nil || !inside {
		return err // nothing is there that could be removed
	}
	if base == whiteoutOpaque {
		return u.clearOld(dir)
	}
	gone := strings.TrimPrefix(base, whiteoutPrefix)
	if gone == "" || gone == "." || gone == ".." {
		return errors.New("whiteout of nothing")
	}
	if strings.HasPrefix(gone, whiteoutPrefix) { // other metadata of aufs
		return nil
	}
	name := path.Join(dir, gone)
	if _, ok := u.fresh[name]; ok {
		return nil
	}
	return u.clear(name)
}

// isReal tells whether dir is a directory reached without links.
func (u *unpacker) isReal(dir string) (bool, error) {
	for ; dir != "."; dir = path.Dir(dir) {
		if ok, err := u.isDir(dir); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// clearOld removes what dir held before this layer.
func (u *unpacker) clearOld(dir string) error {
	d, err := u.root.Open(dir)
	if err != nil {
		return err
	}
	names, err := d.Readdirnames(-1)
	d.Close()
	if err != nil {
		return err
	}
	for _, base := range names {
		name := path.Join(dir, base)
		if _, ok := u.fresh[name]; !ok {
			if err := u.clear(name); err != nil {
				return err
			}
			continue
		}
		if ok, err := u.isDir(name); err != nil {
			return err
		} else if ok {
			if err := u.clearOld(name); err != nil {
				return err
			}
		}
	}
	return nil
}
