package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// layout is an OCI image layout
// (https://github.com/opencontainers/image-spec/blob/main/image-layout.md).
type layout struct{ dir string }

// refName is the annotation that names an image in index.json.
const refName = "org.opencontainers.image.ref.name"

type descriptor struct {
	Digest      string            `json:"digest"`
	Annotations map[string]string `json:"annotations"`
}

// blob is the part of a manifest or an index that refers to other blobs.
type blob struct {
	Manifests []descriptor `json:"manifests"`
	Config    descriptor   `json:"config"`
	Layers    []descriptor `json:"layers"`
}

func (l layout) index() (blob, error) {
	var index blob
	data, err := os.ReadFile(filepath.Join(l.dir, "index.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return index, nil
	}
	if err != nil {
		return index, err
	}
	if err := json.Unmarshal(data, &index); err != nil {
		return index, fmt.Errorf("read %s/index.json: %w", l.dir, err)
	}
	return index, nil
}

// has tells whether the layout holds an image of that name with all its blobs.
func (l layout) has(image string) bool {
	index, err := l.index()
	if err != nil {
		return false
	}
	for _, m := range index.Manifests {
		if m.Annotations[refName] != image {
			continue
		}
		blobs, err := l.reachable(m.Digest)
		if err != nil {
			return false
		}
		for _, digest := range blobs {
			if !exists(l.path(digest)) {
				return false
			}
		}
		return true
	}
	return false
}

// path is where a blob lies. Digests are written by buildah, not by a stranger.
func (l layout) path(digest string) string {
	return filepath.Join(l.dir, "blobs", filepath.FromSlash(strings.Replace(digest, ":", "/", 1)))
}

// reachable returns the digests of a manifest, its config and its layers.
func (l layout) reachable(digest string) ([]string, error) {
	var manifest blob
	data, err := os.ReadFile(l.path(digest))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		return nil, fmt.Errorf("read manifest %s: %w", digest, err)
	}
	digests := []string{digest, manifest.Config.Digest}
	for _, layer := range manifest.Layers {
		digests = append(digests, layer.Digest)
	}
	return digests, nil
}

// sweep removes the blobs that replaced images left behind.
func (l layout) sweep() error {
	index, err := l.index()
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for _, m := range index.Manifests {
		digests, err := l.reachable(m.Digest)
		if err != nil {
			return fmt.Errorf("sweep %s: %w", l.dir, err)
		}
		for _, digest := range digests {
			used[filepath.Base(l.path(digest))] = true
		}
	}
	dir := filepath.Join(l.dir, "blobs", "sha256")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if used[entry.Name()] {
			continue
		}
		if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}
