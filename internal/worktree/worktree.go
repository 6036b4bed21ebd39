// Package worktree changes the work tree of a sandbox in terms of patches and
// layers. It runs nothing in the sandbox: files are read and written by our agent.
package worktree

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path"

	"assay/internal/patch"
	"assay/internal/sandbox"
)

// PatchError says that a patch is not one, or does not fit the work tree. Its
// message is for the patch's author.
type PatchError struct{ Err error }

func (e *PatchError) Error() string { return e.Err.Error() }
func (e *PatchError) Unwrap() error { return e.Err }

// fileLimit bounds a file that a patch changes, in bytes.
const fileLimit = 64 << 20

// ApplyPatch applies a unified diff to the work tree at root, wholly or not at all,
// and returns how many files it changed. A patch that does not apply is a *PatchError.
func ApplyPatch(ctx context.Context, box sandbox.FileTransfer, root, diff string) (changed int, err error) {
	layer, changed, err := PatchLayer(ctx, box, root, diff)
	if err != nil || changed == 0 {
		return 0, err
	}
	return changed, box.ApplyLayer(ctx, root, bytes.NewReader(layer))
}

// PatchLayer returns what a unified diff makes of the work tree at root, as an OCI
// layer tar. It reads the tree and changes nothing.
func PatchLayer(ctx context.Context, box sandbox.FileTransfer, root, diff string) (layer []byte, changed int, err error) {
	set, err := patch.Parse(diff)
	if err != nil {
		return nil, 0, &PatchError{err}
	}
	tree := &reader{ctx: ctx, box: box, root: root}
	changes, err := patch.Apply(set, tree)
	switch {
	case tree.failed != nil:
		return nil, 0, tree.failed
	case err != nil:
		return nil, 0, &PatchError{err}
	}
	var buf bytes.Buffer
	if err := patch.WriteLayer(&buf, changes); err != nil {
		return nil, 0, fmt.Errorf("write the patched files: %w", err)
	}
	return buf.Bytes(), len(changes), nil
}

// reader reads the files that a patch changes. It keeps the first failure that is
// ours, which must not be taken for a patch that does not fit.
type reader struct {
	ctx    context.Context
	box    sandbox.FileTransfer
	root   string
	failed error
}

func (r *reader) ReadFile(name string) ([]byte, fs.FileMode, error) {
	content, mode, err := r.box.ReadFile(r.ctx, path.Join(r.root, name), fileLimit)
	if err != nil && !isAboutTheFile(err) {
		r.failed = fmt.Errorf("read %s: %w", name, err)
	}
	return content, mode, err
}
