package worktree

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// layerIndex is what a layer says, by path. The repository's own data is left out.
type layerIndex struct {
	entries map[string]layerEntry // what there is
	deleted map[string]bool       // what is no more
	emptied map[string]bool       // directories in which nothing is left but entries
}

// layerEntry is a file, link or directory of a layer.
type layerEntry struct {
	mode   fs.FileMode // type and permissions
	size   int64       // of the content
	offset int64       // of a file's content in the layer
	target string      // of a link
}

// indexLayer reads the headers of a layer.
func indexLayer(layer io.ReadSeeker) (*layerIndex, error) {
	if _, err := layer.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read a layer: %w", err)
	}
	x := &layerIndex{entries: map[string]layerEntry{}, deleted: map[string]bool{}, emptied: map[string]bool{}}
	for in := tar.NewReader(layer); ; {
		hdr, err := in.Next()
		if errors.Is(err, io.EOF) {
			return x, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read a layer: %w", err)
		}
		at, err := layer.Seek(0, io.SeekCurrent) // a tar.Reader reads no further than it must
		if err != nil {
			return nil, fmt.Errorf("read a layer: %w", err)
		}
		x.add(hdr, at)
	}
}

func (x *layerIndex) add(hdr *tar.Header, at int64) {
	e := entryOf(hdr)
	if !filepath.IsLocal(e.Name) || repositoryData(e.Name) {
		return
	}
	perm := hdr.FileInfo().Mode() &^ fs.ModeType
	switch {
	case e.Replaces:
		x.emptied[e.Name] = true
	case e.Deletes:
		x.deleted[e.Name] = true
	case e.Name == ".":
	case hdr.Typeflag == tar.TypeReg:
		x.entries[e.Name] = layerEntry{mode: perm, size: hdr.Size, offset: at}
	case hdr.Typeflag == tar.TypeSymlink:
		x.entries[e.Name] = layerEntry{mode: fs.ModeSymlink | 0o777, size: int64(len(hdr.Linkname)), target: hdr.Linkname}
	case hdr.Typeflag == tar.TypeDir:
		x.entries[e.Name] = layerEntry{mode: fs.ModeDir | perm}
	}
}

// open returns the content of a file, or the target of a link.
func (e layerEntry) open(layer io.ReadSeeker) (io.ReadCloser, error) {
	if e.mode.Type() == fs.ModeSymlink {
		return io.NopCloser(strings.NewReader(e.target)), nil
	}
	if _, err := layer.Seek(e.offset, io.SeekStart); err != nil {
		return nil, err
	}
	return io.NopCloser(io.LimitReader(layer, e.size)), nil
}

// repositoryData tells whether a path leads into .git, which does not travel.
func repositoryData(name string) bool {
	return slices.Contains(strings.Split(name, "/"), ".git")
}

// fingerprint is the digest of what the layer makes of the tree: every entry that is not
// as the tree has it, with its permissions and content, and everything that goes.
func (d *differ) fingerprint() (string, error) {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(d.after.entries)) {
		e := d.after.entries[name]
		if same, err := d.unchanged(name, e); err != nil {
			return "", err
		} else if same {
			continue
		}
		if err := d.digest(sum, name, e); err != nil {
			return "", err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.after.deleted)) {
		if info, err := d.before.lstat(name); err != nil {
			return "", err
		} else if info != nil {
			fmt.Fprintf(sum, "deleted %q\n", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.after.emptied)) {
		fmt.Fprintf(sum, "emptied %q\n", name)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// digest adds an entry to a sum.
func (d *differ) digest(sum hash.Hash, name string, e layerEntry) error {
	if err := d.ctx.Err(); err != nil {
		return err
	}
	fmt.Fprintf(sum, "%q %v %d ", name, e.mode, e.size)
	if !e.mode.IsDir() {
		r, err := e.open(d.layer)
		if err != nil {
			return err
		}
		content := sha256.New()
		if _, err := io.Copy(content, r); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		sum.Write(content.Sum(nil))
	}
	sum.Write([]byte{'\n'})
	return nil
}

// unchanged tells whether the tree has the entry as it is, so that it says nothing. One
// where everything else was taken away says that it is still there.
func (d *differ) unchanged(name string, e layerEntry) (bool, error) {
	if d.after.deleted[name] || d.cleared(name) {
		return false, nil
	}
	info, err := d.before.lstat(name)
	if err != nil || info == nil || info.Mode().Type() != e.mode.Type() {
		return false, err
	}
	if e.mode.Type() != fs.ModeSymlink && info.Mode() != e.mode {
		return false, nil
	}
	if e.mode.IsDir() {
		return true, nil
	}
	before, err := d.before.version(name)
	if err != nil || before == nil {
		return false, err
	}
	return equal(before, d.versionAfter(name))
}
