package dataset

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"assay"
)

// bundler makes bundles and keeps them in a directory. A kept bundle is called
// KEY.SHA256.tar.gz, where KEY hashes all that it is made of: it is never stale, and
// its digest is known without reading it.
type bundler struct {
	dir       string
	keepBytes int64
	treeBytes int64
	tree      WorktreeReader
	digest    ImageDigester
	log       *slog.Logger
	build     chan struct{} // holds a token while a bundle is made: one at a time
}

const bundleSuffix = ".tar.gz"

func newBundler(c Config) (*bundler, error) {
	if err := os.MkdirAll(c.BundleDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of bundles: %w", err)
	}
	return &bundler{
		dir:       c.BundleDir,
		keepBytes: c.BundleBytes,
		treeBytes: c.MaxTreeBytes,
		tree:      c.Worktree,
		digest:    c.ImageDigest,
		log:       c.Log,
		build:     make(chan struct{}, 1),
	}, nil
}

// open finds the bundle of a sample, or makes it. Making one reads and compresses a
// whole work tree, so it is done one at a time, however many ask.
func (b *bundler) open(ctx context.Context, s *assay.Sample) (*Bundle, error) {
	ref := s.Task.ImageFor(s.Dataset, s.ID)
	digest, err := b.digest(ctx, ref)
	if err != nil {
		return nil, err
	}
	key, err := bundleKey(s, digest)
	if err != nil {
		return nil, err
	}
	if got, found, err := b.find(key, s); found || err != nil {
		return got, err
	}
	select {
	case b.build <- struct{}{}:
		defer func() { <-b.build }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if got, found, err := b.find(key, s); found || err != nil {
		return got, err // made by who held the token before
	}
	if err := b.make(ctx, key, s, ref); err != nil {
		return nil, err
	}
	got, found, err := b.find(key, s)
	if !found && err == nil {
		err = errors.New("the bundle went away as soon as it was made")
	}
	return got, err
}

// bundleFormat is part of every key: raise it when writeBundle changes.
const bundleFormat = 1

func bundleKey(s *assay.Sample, imageDigest string) (string, error) {
	text, err := json.Marshal(struct {
		Format int
		Image  string
		Sample sampleDocument
	}{bundleFormat, imageDigest, documentOf(s)})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}

// find opens the kept bundle of key, if there is one.
func (b *bundler) find(key string, s *assay.Sample) (bundle *Bundle, found bool, err error) {
	entries, err := os.ReadDir(b.dir)
	if err != nil {
		return nil, false, fmt.Errorf("list the kept bundles: %w", err)
	}
	for _, e := range entries {
		sum, ok := strings.CutPrefix(e.Name(), key+".")
		if !ok {
			continue
		}
		sum, ok = strings.CutSuffix(sum, bundleSuffix)
		if !ok {
			continue
		}
		path := filepath.Join(b.dir, e.Name())
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // dropped meanwhile
		}
		if err != nil {
			return nil, false, fmt.Errorf("open a kept bundle: %w", err)
		}
		info, err := f.Stat()
		if err != nil {
			return nil, false, errors.Join(err, f.Close())
		}
		now := time.Now()
		_ = os.Chtimes(path, now, now) // for drop, which may well have removed it by now
		return &Bundle{ReadSeekCloser: f, Filename: bundleFilename(s), Size: info.Size(), SHA256: sum}, true, nil
	}
	return nil, false, nil
}

// make writes the bundle of key; it appears whole or not at all.
func (b *bundler) make(ctx context.Context, key string, s *assay.Sample, ref string) (err error) {
	tree, err := b.readTree(ctx, s, ref)
	if err != nil {
		return err
	}
	defer tree.close()

	tmp, err := os.CreateTemp(b.dir, "bundle-*.tmp")
	if err != nil {
		return fmt.Errorf("make a temporary file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	sum := sha256.New()
	if err := writeBundle(&contextWriter{ctx, io.MultiWriter(tmp, sum)}, s, tree); err != nil {
		return errors.Join(fmt.Errorf("write the bundle: %w", err), tmp.Close())
	}
	if err := tmp.Close(); err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	name := key + "." + hex.EncodeToString(sum.Sum(nil)) + bundleSuffix
	if err := os.Rename(tmp.Name(), filepath.Join(b.dir, name)); err != nil {
		return fmt.Errorf("keep the bundle: %w", err)
	}
	if err := b.drop(name); err != nil {
		b.log.WarnContext(ctx, "bound the kept bundles", "dir", b.dir, "error", err)
	}
	return nil
}

func (b *bundler) readTree(ctx context.Context, s *assay.Sample, ref string) (*spool, error) {
	r, err := b.tree(ctx, ref, s.Task.Workdir)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return spoolTree(b.dir, r, b.treeBytes)
}

// leftoverAge is how old a temporary file must be to be nobody's: a server was killed
// while it wrote.
const leftoverAge = 24 * time.Hour

// drop removes the bundles that were used least recently until the rest fits, but
// never the one called newest; and what killed servers left behind.
func (b *bundler) drop(newest string) error {
	entries, err := os.ReadDir(b.dir)
	if err != nil {
		return fmt.Errorf("list the kept bundles: %w", err)
	}
	var (
		kept  []fs.FileInfo
		total int64
	)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue // removed meanwhile
		}
		if !strings.HasSuffix(e.Name(), bundleSuffix) {
			if time.Since(info.ModTime()) > leftoverAge {
				_ = os.Remove(filepath.Join(b.dir, e.Name())) // tried again next time
			}
			continue
		}
		kept = append(kept, info)
		total += info.Size()
	}
	slices.SortFunc(kept, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	for _, info := range kept {
		if total <= b.keepBytes {
			break
		}
		if info.Name() == newest {
			continue
		}
		if err := os.Remove(filepath.Join(b.dir, info.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("drop a kept bundle: %w", err)
		}
		total -= info.Size()
	}
	return nil
}

// contextWriter stops a long write when its context ends.
type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (c *contextWriter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}
