package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// layout is an OCI image layout
// (https://github.com/opencontainers/image-spec/blob/main/image-layout.md).
type layout struct{ dir string }

// refName is the annotation that names an image in index.json.
const refName = "org.opencontainers.image.ref.name"

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// index is index.json.
type index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []descriptor `json:"manifests"`
}

// add puts the manifest of an image, whose blobs are in the layout, under a name that
// may have had another one.
func (l layout) add(image, mediaType string, manifest []byte) error {
	digest := "sha256:" + hexSum(manifest)
	if err := writeFile(l.path(digest), manifest); err != nil {
		return err
	}
	blobs, err := l.reachable(digest)
	if err != nil {
		return err
	}
	for _, blob := range blobs {
		if err := os.Chmod(l.path(blob), 0o644); err != nil {
			return err
		}
	}
	images, err := l.index()
	if err != nil {
		return err
	}
	images.Manifests = slices.DeleteFunc(images.Manifests, func(d descriptor) bool { return d.Annotations[refName] == image })
	images.Manifests = append(images.Manifests, descriptor{
		MediaType:   mediaType,
		Digest:      digest,
		Size:        int64(len(manifest)),
		Annotations: map[string]string{refName: image},
	})
	return l.writeIndex(images)
}

func (l layout) writeIndex(images index) error {
	data, err := json.Marshal(images)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(l.dir, "oci-layout"), []byte(`{"imageLayoutVersion": "1.0.0"}`)); err != nil {
		return err
	}
	return writeFile(filepath.Join(l.dir, "index.json"), data)
}

// index returns what images the layout names: none if there is no layout yet.
func (l layout) index() (index, error) {
	images := index{SchemaVersion: 2, MediaType: "application/vnd.oci.image.index.v1+json"}
	data, err := os.ReadFile(filepath.Join(l.dir, "index.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return images, nil
	}
	if err != nil {
		return images, err
	}
	if err := json.Unmarshal(data, &images); err != nil {
		return images, fmt.Errorf("read %s/index.json: %w", l.dir, err)
	}
	return images, nil
}

// has tells whether the layout holds an image of that name with all its blobs.
func (l layout) has(image string) bool {
	images, err := l.index()
	if err != nil {
		return false
	}
	for _, m := range images.Manifests {
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

// path is where a blob lies. The digests come from this builder's own images.
func (l layout) path(digest string) string {
	return filepath.Join(l.dir, "blobs", filepath.FromSlash(strings.Replace(digest, ":", "/", 1)))
}

// reachable returns the digests of a manifest, its config and its layers.
func (l layout) reachable(digest string) ([]string, error) {
	var manifest struct {
		Config descriptor   `json:"config"`
		Layers []descriptor `json:"layers"`
	}
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

// sweep removes the images that are not to be kept, and the blobs that replaced
// images and broken uploads left behind.
func (l layout) sweep(keep map[string]bool) error {
	images, err := l.index()
	if err != nil {
		return err
	}
	images.Manifests = slices.DeleteFunc(images.Manifests, func(d descriptor) bool { return !keep[d.Annotations[refName]] })
	if err := l.writeIndex(images); err != nil {
		return err
	}
	used := map[string]bool{}
	for _, m := range images.Manifests {
		digests, err := l.reachable(m.Digest)
		if err != nil {
			return fmt.Errorf("sweep %s: %w", l.dir, err)
		}
		for _, digest := range digests {
			used[filepath.Base(l.path(digest))] = true
		}
	}
	uploads, err := filepath.Glob(filepath.Join(l.dir, "blobs", "upload-*"))
	if err != nil {
		return err
	}
	for _, upload := range uploads {
		if err := os.Remove(upload); err != nil {
			return err
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
