package evaluate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"assay/internal/sandbox"
)

// listFrom is from how many questions on it is quicker to list a tree than to ask for
// one file after the other.
const listFrom = 200

// baseTree is the work tree of the image, before anything is laid on it. It asks the
// sandbox for single files, and lists the whole tree only when it must.
type baseTree struct {
	box    sandbox.Sandbox
	root   string
	asked  int
	listed map[string]fs.FileMode // nil until it was listed
}

// read reads a file; fs.ErrNotExist also for what is no regular file, or too large.
func (p *baseTree) read(ctx context.Context, name string) ([]byte, error) {
	content, err := p.readFile(ctx, name, maxLookedAtFile)
	if isNoFile(err) || errors.Is(err, sandbox.ErrTooLarge) {
		err = fs.ErrNotExist
	}
	if err == nil && content == nil {
		content = []byte{} // nil is no file
	}
	return content, err
}

func isNoFile(err error) bool {
	return errors.Is(err, fs.ErrInvalid) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist)
}

func (p *baseTree) readFile(ctx context.Context, name string, limit int64) ([]byte, error) {
	p.asked++
	if p.listed != nil && !p.listed[name].IsRegular() {
		return nil, fs.ErrNotExist
	}
	content, _, err := p.box.ReadFile(ctx, path.Join(p.root, name), limit)
	return content, err
}

// isDirectory tells whether there is a directory at name.
func (p *baseTree) isDirectory(ctx context.Context, name string) (bool, error) {
	mode, there, err := p.lstat(ctx, name)
	return there && mode.IsDir(), err
}

// has tells whether there is anything at name.
func (p *baseTree) has(ctx context.Context, name string) (bool, error) {
	_, there, err := p.lstat(ctx, name)
	return there, err
}

// lstat tells what is at name, if anything.
func (p *baseTree) lstat(ctx context.Context, name string) (mode fs.FileMode, there bool, err error) {
	if !filepath.IsLocal(name) || path.Clean(name) != name {
		return 0, false, nil
	}
	p.asked++
	if p.listed == nil && p.asked < listFrom {
		mode, err := p.box.Lstat(ctx, p.root, name)
		if errors.Is(err, fs.ErrNotExist) {
			return 0, false, nil
		}
		return mode, err == nil, err
	}
	tree, err := p.list(ctx)
	mode, there = tree[name]
	return mode, there, err
}

// below returns the names of everything below a directory that is no directory.
func (p *baseTree) below(ctx context.Context, dir string) ([]string, error) {
	tree, err := p.list(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for name, mode := range tree {
		if !mode.IsDir() && (dir == "." || strings.HasPrefix(name, dir+"/")) {
			names = append(names, name)
		}
	}
	return names, nil
}

func (p *baseTree) list(ctx context.Context) (map[string]fs.FileMode, error) {
	if p.listed != nil {
		return p.listed, nil
	}
	listed := make(map[string]fs.FileMode)
	err := p.box.List(ctx, p.root, func(name string, mode fs.FileMode) error {
		listed[name] = mode
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the base work tree: %w", err)
	}
	p.listed = listed
	return listed, nil
}
