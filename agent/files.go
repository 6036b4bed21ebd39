package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"assay/agent/internal/wire"
	"assay/internal/sandbox"
)

// MaxReplaceFile is the size of the largest file that Replace edits, and of each
// of its strings, in bytes.
const MaxReplaceFile = wire.MaxReplaceFile

// ReadFile reads a regular file of at most limit bytes. Links are followed.
func (c *Client) ReadFile(ctx context.Context, path string, limit int64) ([]byte, fs.FileMode, error) {
	var p []byte
	var f wire.File
	req := wire.Request{Op: wire.OpRead, Path: []byte(path), Limit: limit}
	err := c.again(ctx, req, func(w *wire.Conn) error {
		f = wire.File{}
		if err := w.ReadHead(&f); err != nil {
			return err
		}
		if f.Size < 0 || f.Size > limit {
			return fmt.Errorf("file of %d bytes, at most %d were asked for", f.Size, limit)
		}
		var err error
		p, err = receiveBytes(w, f.Size)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", path, err)
	}
	return p, fs.FileMode(f.Mode), nil
}

// Collect hands regular files that match patterns below req.Root to fn in sorted
// order; no link below the root is followed. An error of fn ends it and is returned.
func (c *Client) Collect(ctx context.Context, req sandbox.CollectRequest, fn func(name string, size int64, r io.Reader) error) error {
	err := c.once(ctx, wire.Request{Op: wire.OpCollect, Collect: &req}, nil, func(w *wire.Conn) error {
		check := collectCheck{req: req}
		for {
			if more, err := w.More(); err != nil || !more {
				return err
			}
			var f wire.File
			if err := w.ReadHead(&f); err != nil {
				return err
			}
			if err := check.next(f); err != nil {
				return err
			}
			if err := handOver(w, f, fn); err != nil {
				return err
			}
		}
	})
	if err != nil {
		return fmt.Errorf("collect files from %s: %w", req.Root, c.diagnose(ctx, err))
	}
	return nil
}

// List hands the names of everything below root to fn, a directory before what it
// holds. An error of fn ends it and is returned.
func (c *Client) List(ctx context.Context, root string, fn func(name string, mode fs.FileMode) error) error {
	err := c.once(ctx, wire.Request{Op: wire.OpList, Path: []byte(root)}, nil, func(w *wire.Conn) error {
		for listed := 0; ; listed++ {
			if more, err := w.More(); err != nil || !more {
				return err
			}
			var f wire.File
			if err := w.ReadHead(&f); err != nil {
				return err
			}
			name := string(f.Name)
			if !filepath.IsLocal(name) || name == "." || path.Clean(name) != name || listed >= wire.MaxListed {
				return fmt.Errorf("file name %q is not a path below the root, or one too many", name)
			}
			if err := fn(name, fs.FileMode(f.Mode)); err != nil {
				return &callerError{err}
			}
		}
	})
	if err != nil {
		return fmt.Errorf("list %s: %w", root, c.diagnose(ctx, err))
	}
	return nil
}

// Lstat tells what is at a name below root; no link is followed.
func (c *Client) Lstat(ctx context.Context, root, name string) (fs.FileMode, error) {
	f, err := c.lstat(ctx, root, name)
	return fs.FileMode(f.Mode), err
}

// Readlink tells where the link at a name below root leads; fs.ErrInvalid when it is none.
func (c *Client) Readlink(ctx context.Context, root, name string) (string, error) {
	f, err := c.lstat(ctx, root, name)
	if err == nil && fs.FileMode(f.Mode)&fs.ModeSymlink == 0 {
		err = &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	return string(f.Target), err
}

func (c *Client) lstat(ctx context.Context, root, name string) (f wire.File, err error) {
	err = c.again(ctx, wire.Request{Op: wire.OpLstat, Path: []byte(root), Name: []byte(name)}, func(w *wire.Conn) error {
		f = wire.File{}
		return w.ReadHead(&f)
	})
	if err != nil {
		return wire.File{}, fmt.Errorf("look at %s below %s: %w", name, root, err)
	}
	return f, nil
}

// handOver gives one file to fn and skips what fn left.
func handOver(w *wire.Conn, f wire.File, fn func(string, int64, io.Reader) error) error {
	content := &contentReader{r: w, left: f.Size}
	if err := fn(string(f.Name), f.Size, content); err != nil {
		if content.err != nil {
			return content.err
		}
		return &callerError{err}
	}
	_, err := io.Copy(io.Discard, content)
	return err
}

// collectCheck holds an answer against its request.
type collectCheck struct {
	req   sandbox.CollectRequest
	last  string
	files int
	bytes int64
}

func (c *collectCheck) next(f wire.File) error {
	name := string(f.Name)
	switch {
	case !fs.ValidPath(name) || name == "." || strings.ContainsRune(name, 0):
		return fmt.Errorf("file name %q is not a path below the root", name)
	case c.files > 0 && name <= c.last:
		return fmt.Errorf("file %q does not sort after %q", name, c.last)
	case f.Size < 0 || f.Size > c.req.MaxBytes-c.bytes || c.files >= c.req.MaxFiles:
		return errors.New("more than was asked for")
	}
	c.last, c.files, c.bytes = name, c.files+1, c.bytes+f.Size
	return nil
}

// contentReader reads exactly left bytes and remembers its error.
type contentReader struct {
	r    io.Reader
	left int64
	err  error
}

func (c *contentReader) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	c.err = err
	return n, err
}

// ApplyLayer lays an OCI layer tar on the directory root; applyLayer in package guest
// says how it treats what is there. When it fails, a part may have been applied.
func (c *Client) ApplyLayer(ctx context.Context, root string, layer io.Reader) error {
	req := wire.Request{Op: wire.OpLayer, Path: []byte(root)}
	err := c.once(ctx, req, func(w *wire.Conn) error {
		_, err := w.ReadFrom(layer)
		if _, ours := errors.AsType[*wire.SendError](err); err != nil && !ours {
			return &callerError{err}
		}
		return err
	}, nil)
	if err != nil {
		return fmt.Errorf("apply layer to %s: %w", root, c.diagnose(ctx, err))
	}
	return nil
}

// ProtectTree readies a tree for a user who is to change nothing of it.
func (c *Client) ProtectTree(ctx context.Context, req sandbox.ProtectRequest) error {
	if err := c.again(ctx, wire.Request{Op: wire.OpProtect, Protect: &req}, nil); err != nil {
		return fmt.Errorf("protect %s: %w", req.Root, err)
	}
	return nil
}

// Replace replaces the one occurrence of req.Old in a text file of at most
// MaxReplaceFile bytes.
func (c *Client) Replace(ctx context.Context, req sandbox.ReplaceRequest) (sandbox.ReplaceResult, error) {
	var res sandbox.ReplaceResult
	head := wire.Request{Op: wire.OpReplace, Path: []byte(req.Path), OldSize: int64(len(req.Old))}
	err := c.once(ctx, head, func(w *wire.Conn) error {
		_, err := w.ReadFrom(io.MultiReader(strings.NewReader(req.Old), strings.NewReader(req.New)))
		return err
	}, func(w *wire.Conn) error { return w.ReadHead(&res) })
	if err != nil {
		return sandbox.ReplaceResult{}, fmt.Errorf("edit %s: %w", req.Path, c.diagnose(ctx, err))
	}
	return res, nil
}
