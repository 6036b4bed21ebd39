package memory

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"assay/internal/sandbox"
)

// File is a regular file, a directory (Mode) or a symbolic link (Link).
type File struct {
	Content []byte
	Mode    fs.FileMode // defaults to 0644, 0777 for links
	Link    string

	written int64 // when, in order
}

// Files is a file system. It is safe for concurrent use.
type Files struct {
	mu      sync.Mutex
	nodes   map[string]File // by clean absolute path; "/" is there
	written int64           // how often
}

func newFiles(initial map[string]File) *Files {
	f := &Files{nodes: map[string]File{"/": {Mode: fs.ModeDir | 0o755}}}
	for name, file := range initial {
		f.Put(name, file)
	}
	return f
}

// Put puts a file in the place of whatever is there. Parents are made, also where
// they are no directories.
func (f *Files) Put(name string, file File) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.put(path.Clean("/"+name), file)
}

// Get returns a regular file; links are followed. fs.ErrNotExist when there is none.
func (f *Files) Get(name string) (File, error) { return f.read(path.Clean("/" + name)) }

// Remove removes a file, or a directory with all that is in it.
func (f *Files) Remove(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.remove(path.Clean("/" + name))
}

func (f *Files) snapshot() map[string]File {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.nodes)
}

func (f *Files) mkdirAll(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mkdirs(path.Clean("/" + name))
}

// The functions below are called with f.mu held, with clean absolute paths.

func (f *Files) put(name string, file File) {
	f.mkdirs(path.Dir(name))
	if have, ok := f.nodes[name]; ok && (!have.Mode.IsDir() || !file.Mode.IsDir()) {
		f.remove(name)
	}
	switch {
	case file.Link != "":
		file.Mode = fs.ModeSymlink | 0o777
	case file.Mode == 0:
		file.Mode = 0o644
	}
	f.write(name, file)
}

func (f *Files) write(name string, file File) {
	f.written++
	file.written = f.written
	f.nodes[name] = file
}

func (f *Files) mkdirs(name string) {
	if have, ok := f.nodes[name]; ok && have.Mode.IsDir() {
		return
	}
	f.mkdirs(path.Dir(name))
	f.nodes[name] = File{Mode: fs.ModeDir | 0o755}
}

func (f *Files) remove(name string) {
	delete(f.nodes, name)
	f.empty(name)
}

// empty removes what is below a directory.
func (f *Files) empty(name string) {
	prefix := strings.TrimSuffix(name, "/") + "/"
	maps.DeleteFunc(f.nodes, func(other string, _ File) bool { return other != "/" && strings.HasPrefix(other, prefix) })
}

// maxLinks is how many links lead to a file, as in Linux (path_resolution(7)).
const maxLinks = 40

// resolve follows links.
func (f *Files) resolve(name string) (string, File, error) {
	at, rest, links := "/", strings.Split(strings.Trim(name, "/"), "/"), 0
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		if part == "" {
			continue
		}
		next := path.Join(at, part)
		node, ok := f.nodes[next]
		if !ok {
			return "", File{}, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		if node.Link == "" {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", File{}, &fs.PathError{Op: "open", Path: name, Err: errors.New("too many links")}
		}
		if path.IsAbs(node.Link) {
			at = "/"
		}
		rest = append(strings.Split(node.Link, "/"), rest...)
	}
	return at, f.nodes[at], nil
}

func (f *Files) read(name string) (File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, file, err := f.resolve(name)
	if err == nil && !file.Mode.IsRegular() {
		err = &fs.PathError{Op: "read", Path: name, Err: fs.ErrInvalid}
	}
	return file, err
}

func (f *Files) collect(root string, req sandbox.CollectRequest, fn func(string, int64, io.Reader) error) error {
	f.mu.Lock()
	root, _, err := f.resolve(root)
	all := maps.Clone(f.nodes)
	f.mu.Unlock()
	if err != nil {
		return fmt.Errorf("collect files: %w", err)
	}
	files, size := 0, int64(0)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		rel, below := strings.CutPrefix(name, strings.TrimSuffix(root, "/")+"/")
		if !below || !all[name].Mode.IsRegular() || !matchesAny(req.Patterns, rel) {
			continue
		}
		content := all[name].Content
		files, size = files+1, size+int64(len(content))
		if files > req.MaxFiles || size > req.MaxBytes {
			return fmt.Errorf("collect files: %w", sandbox.ErrTooLarge)
		}
		if err := fn(rel, int64(len(content)), bytes.NewReader(content)); err != nil {
			return err
		}
	}
	return nil
}

// matchesAny tells whether a pattern matches; path.Match does not let "*" match "/".
func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(path.Clean(pattern), name)
		return ok && err == nil
	})
}

func (f *Files) apply(root string, layer io.Reader) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if real, node, err := f.resolve(root); err == nil && node.Mode.IsDir() {
		root = real
	} else {
		f.mkdirs(root)
	}
	for in := tar.NewReader(layer); ; {
		hdr, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = f.applyEntry(root, hdr, in)
		}
		if err != nil {
			return fmt.Errorf("apply a layer to %s: %w", root, err)
		}
	}
}

func (f *Files) applyEntry(root string, hdr *tar.Header, in io.Reader) error {
	name := path.Clean(hdr.Name)
	if !fs.ValidPath(name) {
		return fmt.Errorf("%q leads out of it", hdr.Name)
	}
	full, dir, base := path.Join(root, name), path.Join(root, path.Dir(name)), path.Base(name)
	switch {
	case name == ".":
	case base == whiteoutOpaque:
		f.empty(dir)
	case strings.HasPrefix(base, whiteoutPrefix):
		f.remove(path.Join(dir, strings.TrimPrefix(base, whiteoutPrefix)))
	case hdr.Typeflag == tar.TypeDir:
		f.put(full, File{Mode: hdr.FileInfo().Mode()})
	case hdr.Typeflag == tar.TypeSymlink:
		f.put(full, File{Link: hdr.Linkname})
	case hdr.Typeflag == tar.TypeReg:
		content, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		f.put(full, File{Content: content, Mode: hdr.FileInfo().Mode()})
	}
	return nil
}

// protect gives everything below root the modes of a protected tree.
func (f *Files) protect(root string, hidden []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.nodes[root].Mode.IsDir() {
		return fmt.Errorf("protect %s: %w", root, fs.ErrNotExist)
	}
	prefix := strings.TrimSuffix(root, "/") + "/"
	for name, node := range f.nodes {
		rest, below := strings.CutPrefix(name, prefix)
		top, _, _ := strings.Cut(rest, "/")
		switch {
		case name != root && !below, node.Link != "", rest != top && slices.Contains(hidden, top):
			continue
		case node.Mode.IsDir() && slices.Contains(hidden, rest):
			node.Mode = fs.ModeDir | 0o700
		case node.Mode.IsDir():
			node.Mode = fs.ModeDir | fs.ModeSticky | 0o777
		default:
			node.Mode = node.Mode&^0o022 | 0o444
		}
		f.nodes[name] = node
	}
	return nil
}

func (f *Files) replace(name, old, fresh string) sandbox.ReplaceResult {
	f.mu.Lock()
	defer f.mu.Unlock()
	real, file, err := f.resolve(name)
	refuse := func(why string) sandbox.ReplaceResult { return sandbox.ReplaceResult{Message: name + ": " + why} }
	switch {
	case err != nil:
		return refuse("no such file")
	case !file.Mode.IsRegular():
		return refuse("not a regular file")
	case !utf8.Valid(file.Content) || bytes.IndexByte(file.Content, 0) >= 0:
		return refuse("not text")
	case old == "":
		return refuse("the string to replace is empty")
	}
	switch n := strings.Count(string(file.Content), old); n {
	case 1:
		file.Content = []byte(strings.Replace(string(file.Content), old, fresh, 1))
		f.write(real, file)
		return sandbox.ReplaceResult{Replaced: true, Message: name + ": replaced"}
	default:
		return refuse(fmt.Sprintf("the string occurs %d times, it must occur once", n))
	}
}
