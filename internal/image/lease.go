package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Lease says that somebody uses an image's layers. It is a file, and so outlives
// the process: whoever owns it, or cleans up after who did, releases it.
type Lease struct {
	Owner     string    `json:"owner"`
	Image     string    `json:"image"` // manifest digest
	Layers    []string  `json:"layers"`
	CreatedAt time.Time `json:"created_at"`
}

var ownerPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)

// Lease keeps an image's layers from Prune until Release(owner), and tells where
// they are. The owner is a sandbox's id: letters, digits and "_.-", 128 bytes at
// most. The same owner may take the same lease again, but not another one. It
// fails with ErrNotFound when the layers have been pruned meanwhile.
func (s *Store) Lease(ctx context.Context, img Image, owner string) (RootFS, error) {
	if !ownerPattern.MatchString(owner) {
		return RootFS{}, fmt.Errorf("lease image %s: bad owner %q", img.Name, owner)
	}
	unlock, err := s.lock(ctx, lockIndex, exclusive)
	if err != nil {
		return RootFS{}, fmt.Errorf("lease image %s: %w", img.Name, err)
	}
	defer unlock()
	lease := Lease{Owner: owner, Image: img.ManifestDigest, CreatedAt: s.opts.Now().UTC()}
	for _, layer := range img.Layers {
		lease.Layers = append(lease.Layers, layer.DiffID)
	}
	have, err := s.readLease(owner)
	switch {
	case err == nil && have.Image != lease.Image:
		return RootFS{}, fmt.Errorf("lease image %s: %q holds a lease of image %s", img.Name, owner, have.Image)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return RootFS{}, fmt.Errorf("lease image %s: %w", img.Name, err)
	}
	lower, err := s.lowerDirs(img)
	if errors.Is(err, fs.ErrNotExist) {
		return RootFS{}, fmt.Errorf("lease image: %w", &notFoundError{img.Name})
	}
	if err != nil {
		return RootFS{}, fmt.Errorf("lease image %s: %w", img.Name, err)
	}
	if err := writeJSON(s.leasePath(owner), lease); err != nil {
		return RootFS{}, fmt.Errorf("lease image %s: %w", img.Name, err)
	}
	return RootFS{Image: img, Lower: lower}, nil
}

// lowerDirs are the directories of an image, topmost first.
func (s *Store) lowerDirs(img Image) ([]string, error) {
	visible, err := s.visible(img.Layers)
	if err != nil {
		return nil, err
	}
	var dirs []string
	if cover := s.coverPath(img.ManifestDigest); exists(cover) {
		dirs = append(dirs, cover+"/fs")
	}
	for _, layer := range visible {
		dirs = append(dirs, s.layerPath(layer.DiffID)+"/fs")
	}
	return dirs, nil
}

// visible are the layers to mount, topmost first. Nothing below a layer with an
// opaque root is seen, so it is left out. Of a layer that an image has twice
// (many have the empty one) only the upper is seen, and overlayfs refuses a
// directory it has already.
func (s *Store) visible(layers []Layer) ([]layerFile, error) {
	var found []layerFile
	seen := map[string]bool{}
	for _, layer := range slices.Backward(layers) {
		if seen[layer.DiffID] {
			continue
		}
		seen[layer.DiffID] = true
		meta, err := s.readLayer(layer.DiffID)
		if err != nil {
			return nil, err
		}
		found = append(found, meta)
		if meta.OpaqueRoot {
			break
		}
	}
	return found, nil
}

// Release ends a lease; nil when there is none.
func (s *Store) Release(owner string) error {
	if !ownerPattern.MatchString(owner) {
		return fmt.Errorf("release image lease: bad owner %q", owner)
	}
	if err := os.Remove(s.leasePath(owner)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("release image lease: %w", err)
	}
	return nil
}

// Leases lists the leases, sorted by owner, so that those of owners that are
// gone can be released.
func (s *Store) Leases() ([]Lease, error) {
	entries, err := os.ReadDir(s.path("leases"))
	if err != nil {
		return nil, fmt.Errorf("list image leases: %w", err)
	}
	var leases []Lease
	for _, entry := range entries {
		owner, ok := strings.CutSuffix(entry.Name(), ".json")
		if !ok || !ownerPattern.MatchString(owner) {
			continue // being written
		}
		lease, err := s.readLease(owner)
		if errors.Is(err, fs.ErrNotExist) {
			continue // released just now
		}
		if err != nil {
			return nil, fmt.Errorf("list image leases: %w", err)
		}
		leases = append(leases, lease)
	}
	return leases, nil
}

func (s *Store) readLease(owner string) (Lease, error) {
	var lease Lease
	err := readJSON(s.leasePath(owner), &lease)
	return lease, err
}

func (s *Store) leasePath(owner string) string { return s.path("leases", owner+".json") }
