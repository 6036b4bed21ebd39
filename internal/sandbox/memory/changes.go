package memory

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"assay/internal/sandbox"
)

// Whiteouts in a layer (OCI image-spec, layer.md).
const (
	whiteoutPrefix = ".wh."
	whiteoutOpaque = ".wh..wh..opq"
)

// writeChanges writes the difference between two file systems below root.
func writeChanges(base, now map[string]File, root string, limits sandbox.ChangeLimits, w io.Writer) error {
	if err := rootGone(now, root); err != nil {
		return err
	}
	entries := make(map[string]*tar.Header)
	for name := range now {
		rel, below := strings.CutPrefix(name, strings.TrimSuffix(root, "/")+"/")
		if have, ok := base[name]; below && (!ok || !same(have, now[name])) {
			addEntry(entries, now, root, rel)
		}
	}
	for name := range base {
		rel, below := strings.CutPrefix(name, strings.TrimSuffix(root, "/")+"/")
		_, kept := now[name]
		if below && !kept && now[path.Dir(name)].Mode.IsDir() { // its parent's removal is told once
			addParents(entries, now, root, rel)
			dir, file := path.Split(rel)
			entries[dir+whiteoutPrefix+file] = &tar.Header{Name: dir + whiteoutPrefix + file, Typeflag: tar.TypeReg, Mode: 0o600}
		}
	}
	return writeEntries(entries, now, root, limits, w)
}

// rootGone is the error of a root that is no directory, or lies below what is none.
func rootGone(now map[string]File, root string) error {
	for i := range root + "/" {
		if i == 0 || i < len(root) && root[i] != '/' {
			continue
		}
		switch file, ok := now[root[:i]]; {
		case !ok:
			return sandbox.RootGone(root[:i], "")
		case file.Link != "":
			return sandbox.RootGone(root[:i], "symbolic link")
		case !file.Mode.IsDir():
			return sandbox.RootGone(root[:i], "file")
		}
	}
	return nil
}

func same(a, b File) bool {
	return a.Mode == b.Mode && a.Link == b.Link && bytes.Equal(a.Content, b.Content)
}

func addEntry(entries map[string]*tar.Header, now map[string]File, root, rel string) {
	addParents(entries, now, root, rel)
	file := now[path.Join(root, rel)]
	hdr := &tar.Header{Name: rel, Mode: int64(file.Mode.Perm()), Format: tar.FormatPAX}
	switch {
	case file.Link != "":
		hdr.Typeflag, hdr.Linkname = tar.TypeSymlink, file.Link
	case file.Mode.IsDir():
		hdr.Typeflag, hdr.Name = tar.TypeDir, rel+"/"
	default:
		hdr.Typeflag, hdr.Size = tar.TypeReg, int64(len(file.Content))
	}
	entries[rel] = hdr
}

// addParents adds the directories above an entry, as an overlay does.
func addParents(entries map[string]*tar.Header, now map[string]File, root, rel string) {
	if dir := path.Dir(rel); dir != "." && entries[dir] == nil {
		addEntry(entries, now, root, dir)
	}
}

// omit takes away what is to be left out.
func omit(entries map[string]*tar.Header, omitter sandbox.Omitter) error {
	if omitter == nil {
		return nil
	}
	gone := "\x00"
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		hdr := entries[name]
		if strings.HasPrefix(name, gone+"/") {
			delete(entries, name)
			continue
		}
		if strings.HasPrefix(path.Base(name), whiteoutPrefix) {
			continue
		}
		left, err := omitter.Omits(name, hdr.Typeflag == tar.TypeDir)
		if err != nil {
			return err
		}
		if left {
			delete(entries, name)
			gone = name
		}
	}
	return nil
}

func writeEntries(entries map[string]*tar.Header, now map[string]File, root string, limits sandbox.ChangeLimits, w io.Writer) error {
	out, size := tar.NewWriter(w), int64(0)
	if err := omit(entries, limits.Omit); err != nil {
		return fmt.Errorf("read the changes below %s: %w", root, err)
	}
	if len(entries) > limits.MaxFiles {
		return limits.TooManyFiles(root)
	}
	for _, rel := range slices.Sorted(maps.Keys(entries)) {
		hdr := entries[rel]
		if size += hdr.Size; size > limits.MaxBytes {
			return limits.TooManyBytes(root)
		}
		if err := out.WriteHeader(hdr); err != nil {
			return err
		}
		if _, err := out.Write(now[path.Join(root, rel)].Content); hdr.Size > 0 && err != nil {
			return err
		}
	}
	return out.Close()
}
