package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Pruned is what Prune removed.
type Pruned struct {
	Images []string // manifest digests
	Layers []string // diff ids
	Bytes  int64    // of files and blobs
}

// Remove takes a name from its image, or by digest or id all names, and the
// image from the index when it was the last one. The layers stay until Prune. It
// fails with ErrNotFound, or with ErrInUse when the image would go and a lease
// holds it.
func (s *Store) Remove(ctx context.Context, ref string) error {
	unlock, err := s.lock(ctx, lockIndex, exclusive)
	if err != nil {
		return fmt.Errorf("remove image %s: %w", ref, err)
	}
	defer unlock()
	idx, err := s.readIndex()
	if err != nil {
		return err
	}
	i, name, err := idx.find(ref)
	if err != nil {
		return err
	}
	names := slices.DeleteFunc(slices.Clone(idx.Images[i].Names), func(n string) bool { return n == name || name == "" })
	if len(names) > 0 {
		idx.Images[i].Names = names
		return s.writeIndex(idx)
	}
	leases, err := s.Leases()
	if err != nil {
		return err
	}
	for _, lease := range leases {
		if lease.Image == idx.Images[i].Manifest {
			return fmt.Errorf("remove image %s: %w by sandbox %s; close its session first", ref, ErrInUse, lease.Owner)
		}
	}
	idx.Images = slices.Delete(idx.Images, i, i+1)
	return s.writeIndex(idx)
}

// Prune removes images that have no name, and layers, blobs and interrupted
// downloads that no image needs; never what a lease holds. It waits, as long as
// ctx allows, for loads and pulls to end.
func (s *Store) Prune(ctx context.Context) (Pruned, error) {
	unlock, err := s.lock(ctx, lockContent, exclusive)
	if err != nil {
		return Pruned{}, fmt.Errorf("prune images: %w", err)
	}
	defer unlock()
	pruned, err := s.retire(ctx)
	if err != nil {
		return pruned, fmt.Errorf("prune images: %w", err)
	}
	// Removing takes long; it happens in tmp, with the index unlocked.
	if err := s.emptyTmp(); err != nil {
		return pruned, fmt.Errorf("prune images: %w", err)
	}
	return pruned, nil
}

// retire takes what is unused out of the index and moves it to tmp.
func (s *Store) retire(ctx context.Context) (Pruned, error) {
	unlock, err := s.lock(ctx, lockIndex, exclusive)
	if err != nil {
		return Pruned{}, err
	}
	defer unlock()
	idx, err := s.readIndex()
	if err != nil {
		return Pruned{}, err
	}
	leases, err := s.Leases()
	if err != nil {
		return Pruned{}, err
	}
	var pruned Pruned
	used := map[string]bool{} // blobs, layers and covers
	leased := map[string]bool{}
	for _, lease := range leases {
		leased[lease.Image], used[lease.Image] = true, true
		for _, diffID := range lease.Layers {
			used[diffID] = true
		}
	}
	idx.Images = slices.DeleteFunc(idx.Images, func(rec record) bool {
		if len(rec.Names) == 0 && !leased[rec.Manifest] {
			pruned.Images = append(pruned.Images, rec.Manifest)
			return true
		}
		used[rec.Manifest], used[rec.Config] = true, true
		for _, layer := range rec.Layers {
			used[layer.DiffID] = true
		}
		return false
	})
	if err := s.writeIndex(idx); err != nil {
		return Pruned{}, err
	}
	err = errors.Join(
		s.retireUnused("layers/sha256", used, func(digest string) {
			pruned.Layers = append(pruned.Layers, digest)
			if meta, err := s.readLayer(digest); err == nil {
				pruned.Bytes += meta.Bytes
			}
		}),
		s.retireUnused("blobs/sha256", used, func(digest string) {
			pruned.Bytes += fileSize(s.blobPath(digest))
		}),
		s.retireUnused("covers/sha256", used, func(string) {}),
		s.retireUnused("partial", nil, func(digest string) {
			pruned.Bytes += fileSize(s.partialPath(digest))
		}),
		s.retireUnused("locks", nil, func(string) {}),
	)
	return pruned, err
}

// retireUnused moves what is named by an unused digest to tmp. seen is called
// before each move.
func (s *Store) retireUnused(dir string, used map[string]bool, seen func(digest string)) error {
	entries, err := os.ReadDir(s.path(dir))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		digits := entry.Name()[strings.LastIndex(entry.Name(), "-")+1:] // sha256-, blob-
		if !isHex(digits) || used["sha256:"+digits] {
			continue
		}
		seen("sha256:" + digits)
		from := s.path(dir, entry.Name())
		to := s.path("tmp", "pruned-"+strings.ReplaceAll(dir, "/", "-")+"-"+filepath.Base(from))
		if err := os.Rename(from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func fileSize(name string) int64 {
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}
