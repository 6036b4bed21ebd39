package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A layer may hold tmp/f and say nothing about tmp, which a lower layer made with
// mode 1777. Unpacked by itself, that layer needs a tmp of its own, and overlayfs
// shows the topmost one: with a mode that nobody chose. A cover is a tree of
// directories, no files, that an image which suffers from this gets on top of its
// layers, and that shows the lower layer's owner, mode and time.

func (s *Store) coverPath(manifest string) string {
	return s.path("covers/sha256", digestHex(manifest))
}

// ensureCover makes the cover of an image, if it needs one. The layers are here,
// and the caller holds the content lock.
func (s *Store) ensureCover(ctx context.Context, rec record) (err error) {
	unlock, err := s.lock(ctx, "cover-"+digestHex(rec.Manifest), exclusive)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(s.coverPath(rec.Manifest)); err == nil {
		return nil
	}
	m, err := s.openMerged(rec.Layers)
	if err != nil {
		return err
	}
	defer m.close()
	dirs, err := m.misrepresented(ctx)
	if err != nil || len(dirs) == 0 {
		return err
	}
	tmp := s.path("tmp", "cover-"+digestHex(rec.Manifest))
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(tmp))
		}
	}()
	if err := m.writeCover(dirs, filepath.Join(tmp, "fs")); err != nil {
		return err
	}
	if err := syncFileSystem(tmp); err != nil {
		return err
	}
	return os.Rename(tmp, s.coverPath(rec.Manifest))
}

// merged is layers as overlayfs would merge them, topmost first.
type merged struct {
	layers []mergedLayer
}

type mergedLayer struct {
	root    *os.Root
	implied map[string]bool
}

func (s *Store) openMerged(layers []Layer) (*merged, error) {
	m := &merged{}
	visible, err := s.visible(layers)
	if err != nil {
		return nil, err
	}
	for _, meta := range visible {
		root, err := os.OpenRoot(s.layerPath(meta.DiffID) + "/fs")
		if err != nil {
			m.close()
			return nil, err
		}
		layer := mergedLayer{root: root, implied: map[string]bool{}}
		for _, name := range meta.Implied {
			layer.implied[name] = true
		}
		m.layers = append(m.layers, layer)
	}
	return m, nil
}

func (m *merged) close() {
	for _, layer := range m.layers {
		layer.root.Close()
	}
}

// misrepresented are the directories, sorted, that the topmost layer which has
// them only implies, though a lower one describes them.
func (m *merged) misrepresented(ctx context.Context) ([]string, error) {
	candidates := map[string]bool{}
	for _, layer := range m.layers {
		for name := range layer.implied {
			candidates[name] = true
		}
	}
	var found []string
	for name := range candidates {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		providers, err := m.providers(name)
		if err != nil {
			return nil, err
		}
		if len(providers) > 0 && m.describer(name, providers) != providers[0] {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found, nil
}

// providers are the layers whose directories make up the merged directory of
// that name, topmost first; none when it is not a directory.
func (m *merged) providers(name string) ([]int, error) {
	var here []int
	for i := range m.layers {
		here = append(here, i)
	}
	parts := strings.Split(name, "/")
	for i := range parts {
		next, err := m.descend(here, path.Join(parts[:i+1]...))
		if err != nil {
			return nil, err
		}
		here = next
	}
	return here, nil
}

// descend finds which of the layers provide a directory whose parent they all
// provide.
func (m *merged) descend(above []int, name string) ([]int, error) {
	var found []int
	for _, i := range above {
		info, err := m.layers[i].root.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			break // a file or whiteout ends what is below it
		}
		found = append(found, i)
		opaque, err := isOpaque(m.layers[i].root, name)
		if err != nil {
			return nil, err
		}
		if opaque {
			break
		}
	}
	return found, nil
}

// describer is the topmost provider that has an entry for the directory; the
// topmost of all when none has.
func (m *merged) describer(name string, providers []int) int {
	for _, i := range providers {
		if !m.layers[i].implied[name] {
			return i
		}
	}
	return providers[0]
}

func isOpaque(root *os.Root, name string) (bool, error) {
	d, err := root.Open(name)
	if err != nil {
		return false, err
	}
	defer d.Close()
	value := make([]byte, 8)
	n, err := unix.Fgetxattr(int(d.Fd()), "trusted.overlay.opaque", value)
	if errors.Is(err, unix.ENODATA) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read overlay attribute: %w", err)
	}
	return string(value[:n]) == "y", nil
}

// writeCover makes the directories and their parents, each as its describer has
// it.
func (m *merged) writeCover(dirs []string, target string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(target)
	if err != nil {
		return err
	}
	defer root.Close()
	all := map[string]bool{}
	for _, name := range dirs {
		for ; name != "."; name = path.Dir(name) {
			all[name] = true
		}
	}
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names) // parents come before children
	for _, name := range names {
		if err := root.Mkdir(name, 0o700); err != nil {
			return err
		}
	}
	for _, name := range slices.Backward(names) { // times of children first
		if err := m.describe(root, name); err != nil {
			return err
		}
	}
	return nil
}

func (m *merged) describe(root *os.Root, name string) error {
	providers, err := m.providers(name)
	if err != nil {
		return err
	}
	if len(providers) == 0 {
		return fmt.Errorf("directory %s: %w", name, fs.ErrNotExist)
	}
	info, err := m.layers[m.describer(name, providers)].root.Lstat(name)
	if err != nil {
		return err
	}
	st := info.Sys().(*syscall.Stat_t)
	return errors.Join(
		root.Lchown(name, int(st.Uid), int(st.Gid)),
		root.Chmod(name, info.Mode()),
		root.Chtimes(name, info.ModTime(), info.ModTime()),
	)
}
