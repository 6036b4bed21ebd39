package worktree

import (
	"context"
	"io/fs"

	"assay/internal/sandbox"
)

// failingBox is a sandbox from which nothing can be read.
type failingBox struct {
	sandbox.FileTransfer
	err error
}

func (b *failingBox) ReadFile(context.Context, string, int64) ([]byte, fs.FileMode, error) {
	return nil, 0, b.err
}
