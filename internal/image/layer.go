package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"assay/internal/image/unpack"
)

// layerFile is layer.json: what an unpacked layer's files do not tell.
type layerFile struct {
	DiffID     string   `json:"diff_id"`
	Entries    int      `json:"entries"`
	Bytes      int64    `json:"bytes"`
	Devices    int      `json:"devices,omitempty"` // skipped
	OpaqueRoot bool     `json:"opaque_root,omitempty"`
	Implied    []string `json:"implied,omitempty"` // directories without an entry of their own
}

// fetcher opens a layer's blob. done removes what was fetched, and is called when
// it is no longer needed.
type fetcher func(ctx context.Context, layer Layer) (blob io.ReadCloser, done func(), err error)

// ensureLayers brings in the layers that are missing. The caller holds the
// content lock, so that what is here stays.
func (s *Store) ensureLayers(ctx context.Context, layers []Layer, parallel int, progress Progress, fetch fetcher) error {
	if os.Geteuid() != 0 {
		return errors.New("unpack layers: only root can make whiteouts and set owners; run this command as root")
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, layer := range layers {
		group.Go(func() error {
			if err := s.ensureLayer(ctx, layer, progress, fetch); err != nil {
				return err
			}
			progress(Event{Stage: StageDone, Layer: layer.DiffID, Done: layer.Size, Total: layer.Size})
			return nil
		})
	}
	return group.Wait()
}

func (s *Store) ensureLayer(ctx context.Context, layer Layer, progress Progress, fetch fetcher) error {
	if s.hasLayer(layer.DiffID) {
		return nil
	}
	unlock, err := s.lock(ctx, "sha256-"+digestHex(layer.DiffID), exclusive)
	if err != nil {
		return fmt.Errorf("unpack layer %s: %w", layer.DiffID, err)
	}
	defer unlock()
	if s.hasLayer(layer.DiffID) {
		return nil // somebody else brought it in meanwhile
	}
	blob, done, err := fetch(ctx, layer)
	if err != nil {
		return fmt.Errorf("fetch layer %s: %w", layer.DiffID, err)
	}
	defer blob.Close()

	select {
	case s.unpacks <- struct{}{}:
		defer func() { <-s.unpacks }()
	case <-ctx.Done():
		return fmt.Errorf("unpack layer %s: %w", layer.DiffID, context.Cause(ctx))
	}
	err = s.unpackLayer(ctx, layer, blob, progress)
	if err == nil || ctx.Err() == nil {
		done() // only what was interrupted is worth keeping
	}
	if err != nil {
		return fmt.Errorf("unpack layer %s: %w", layer.DiffID, err)
	}
	return nil
}

func (s *Store) hasLayer(diffID string) bool { return exists(s.layerPath(diffID)) }

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

func (s *Store) readLayer(diffID string) (layerFile, error) {
	var meta layerFile
	if err := readJSON(s.layerPath(diffID)+"/layer.json", &meta); err != nil {
		return layerFile{}, err
	}
	return meta, nil
}

// unpackLayer unpacks a blob in tmp, proves both digests, and only then gives the
// layer its name. The caller holds the lock of the diff id.
func (s *Store) unpackLayer(ctx context.Context, layer Layer, blob io.Reader, progress Progress) (err error) {
	tmp := s.path("tmp", "layer-"+digestHex(layer.DiffID))
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(tmp))
		}
	}()
	if err := os.MkdirAll(filepath.Join(tmp, "fs"), 0o700); err != nil {
		return err
	}
	watch := newMeter(progress, Event{Stage: StageUnpack, Layer: layer.DiffID, Total: layer.Size})
	result, err := s.unpackVerified(ctx, layer, io.TeeReader(blob, watch), filepath.Join(tmp, "fs"))
	if err != nil {
		return err
	}
	if result.Devices > 0 {
		s.opts.Log.InfoContext(ctx, "image layer holds devices, which were left out", "layer", layer.DiffID, "devices", result.Devices)
	}
	meta := layerFile{
		DiffID:     layer.DiffID,
		Entries:    result.Entries,
		Bytes:      result.Bytes,
		Devices:    result.Devices,
		OpaqueRoot: result.OpaqueRoot,
		Implied:    result.Implied,
	}
	if err := writeJSON(filepath.Join(tmp, "layer.json"), meta); err != nil {
		return err
	}
	if err := syncFileSystem(tmp); err != nil {
		return err
	}
	target := s.layerPath(layer.DiffID)
	if err := os.Rename(tmp, target); err != nil {
		return err
	}
	return syncDir(filepath.Dir(target))
}

// unpackVerified unpacks a blob and fails unless it is what its digests promise.
func (s *Store) unpackVerified(ctx context.Context, layer Layer, blob io.Reader, dir string) (unpack.Result, error) {
	blobHash, diffHash := sha256.New(), sha256.New()
	if layer.Size > 0 {
		blob = io.LimitReader(blob, layer.Size+1) // one more is enough to spoil the digest
	}
	blob = io.TeeReader(blob, blobHash)
	plain, err := decompress(blob)
	if err != nil {
		return unpack.Result{}, err
	}
	defer plain.Close()
	opts := unpack.Options{Shift: s.opts.Shift, Limits: s.opts.Limits}
	result, err := unpack.Layer(ctx, dir, io.TeeReader(plain, diffHash), opts)
	if err != nil {
		return unpack.Result{}, err
	}
	if _, err := io.Copy(io.Discard, blob); err != nil {
		return unpack.Result{}, err
	}
	if layer.Digest != "" {
		if err := compare(blobHash, layer.Digest); err != nil {
			return unpack.Result{}, fmt.Errorf("compressed: %w", err)
		}
	}
	if err := compare(diffHash, layer.DiffID); err != nil {
		return unpack.Result{}, fmt.Errorf("uncompressed: %w", err)
	}
	return result, nil
}

func compare(h hash.Hash, want string) error {
	if got := "sha256:" + hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("%w: expected %s, got %s", ErrDigest, want, got)
	}
	return nil
}

// syncFileSystem brings everything below a directory to disk: one call, where
// a sync of each of thousands of files would take minutes.
func syncFileSystem(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := unix.Syncfs(int(d.Fd())); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

// commit puts images whose layers are here in the index, all at once.
func (s *Store) commit(ctx context.Context, arrivals []*arrival) ([]Image, error) {
	var recs []record
	for _, a := range arrivals {
		rec := a.record()
		rec.LoadedAt = s.opts.Now().UTC()
		for _, layer := range a.layers {
			meta, err := s.readLayer(layer.DiffID)
			if err != nil {
				return nil, err
			}
			rec.Size += meta.Bytes
		}
		if a.manifest != nil {
			if err := s.writeBlob(rec.Manifest, a.manifest); err != nil {
				return nil, err
			}
		}
		if err := s.writeBlob(rec.Config, a.config); err != nil {
			return nil, err
		}
		if err := s.ensureCover(ctx, rec); err != nil {
			return nil, fmt.Errorf("cover implied directories: %w", err)
		}
		recs = append(recs, rec)
	}
	unlock, err := s.lock(ctx, lockIndex, exclusive)
	if err != nil {
		return nil, err
	}
	defer unlock()
	idx, err := s.readIndex()
	if err != nil {
		return nil, err
	}
	for _, rec := range recs {
		idx.add(rec)
	}
	if err := s.writeIndex(idx); err != nil {
		return nil, err
	}
	return s.arrived(idx, recs)
}

// arrived are the images of the records, once each, as the index has them now.
func (s *Store) arrived(idx *index, recs []record) ([]Image, error) {
	var images []Image
	seen := map[string]bool{}
	for _, rec := range recs {
		if seen[rec.Manifest] {
			continue
		}
		seen[rec.Manifest] = true
		i, _, err := idx.find(rec.Manifest)
		if err != nil {
			return nil, err
		}
		img, err := s.image(idx.Images[i], rec.Names[0])
		if err != nil {
			return nil, err
		}
		images = append(images, img)
	}
	return images, nil
}
