package harness

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"assay"
	"assay/internal/dataset"
)

// Samples returns the samples of the built starter dataset, in order: from its folder,
// because its answers are for operators, and the API tells them to nobody.
func Samples(starter string) ([]*assay.Sample, error) {
	folder, err := dataset.ReadFolder(filepath.Join(starter, "dataset"))
	if err != nil {
		return nil, fmt.Errorf("read the samples of %s: %w", starter, err)
	}
	return folder.Samples, nil
}

// Select writes a part of the built starter dataset below dir: the rows of some
// samples as dir/dataset, and their images as the OCI layout dir/images, whose
// blobs are hard links. It replaces what an earlier call left there.
func Select(starter, dir string, samples ...string) error {
	images, err := selectRows(filepath.Join(starter, "dataset"), filepath.Join(dir, "dataset"), samples)
	if err != nil {
		return fmt.Errorf("select samples of %s: %w", starter, err)
	}
	if err := selectImages(filepath.Join(starter, "images"), filepath.Join(dir, "images"), images); err != nil {
		return fmt.Errorf("select images of %s: %w", starter, err)
	}
	return nil
}

// selectRows copies a dataset with some of its samples and returns the names of
// their images, which the starter dataset gives in every row.
func selectRows(from, to string, samples []string) (images []string, err error) {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return nil, err
	}
	manifest, err := os.ReadFile(filepath.Join(from, "dataset.yaml"))
	if err != nil {
		return nil, err
	}
	rows, err := os.ReadFile(filepath.Join(from, "samples.jsonl"))
	if err != nil {
		return nil, err
	}
	var kept strings.Builder
	for line := range strings.Lines(string(rows)) {
		var row struct {
			ID    string `json:"instance_id"`
			Assay struct {
				Image string `json:"image"`
			} `json:"assay"`
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			return nil, err
		}
		if slices.Contains(samples, row.ID) {
			kept.WriteString(line)
			images = append(images, row.Assay.Image)
		}
	}
	if len(images) != len(samples) {
		return nil, fmt.Errorf("there are %d of the %d samples %q", len(images), len(samples), samples)
	}
	return images, errors.Join(
		os.WriteFile(filepath.Join(to, "dataset.yaml"), manifest, 0o600),
		os.WriteFile(filepath.Join(to, "samples.jsonl"), []byte(kept.String()), 0o600),
	)
}

// descriptor is an entry of an OCI index (OCI image-spec 1.1, descriptor.md), as
// far as it matters here.
type descriptor struct {
	Digest      string            `json:"digest"`
	Annotations map[string]string `json:"annotations"`
}

// refName annotates the name of an image in a layout (OCI image-spec 1.1, annotations.md).
const refName = "org.opencontainers.image.ref.name"

func selectImages(from, to string, names []string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(to, "blobs", "sha256"), 0o700); err != nil {
		return err
	}
	var index struct {
		SchemaVersion int               `json:"schemaVersion"`
		MediaType     string            `json:"mediaType,omitempty"`
		Manifests     []json.RawMessage `json:"manifests"`
	}
	if err := readJSON(filepath.Join(from, "index.json"), &index); err != nil {
		return err
	}
	all := index.Manifests
	index.Manifests = nil
	for _, raw := range all {
		var d descriptor
		if err := json.Unmarshal(raw, &d); err != nil {
			return err
		}
		if !slices.Contains(names, d.Annotations[refName]) {
			continue
		}
		index.Manifests = append(index.Manifests, raw)
		if err := linkImage(from, to, d.Digest); err != nil {
			return err
		}
	}
	if len(index.Manifests) != len(names) {
		return fmt.Errorf("there are %d of the %d images %q", len(index.Manifests), len(names), names)
	}
	content, err := json.Marshal(index)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(to, "index.json"), content, 0o600),
		os.WriteFile(filepath.Join(to, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o600),
	)
}

// linkImage links a manifest, its config and its layers.
func linkImage(from, to, manifest string) error {
	var m struct {
		Config descriptor   `json:"config"`
		Layers []descriptor `json:"layers"`
	}
	if err := readJSON(blob(from, manifest), &m); err != nil {
		return err
	}
	for _, digest := range append([]string{manifest, m.Config.Digest}, digests(m.Layers)...) {
		if err := os.Link(blob(from, digest), blob(to, digest)); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

func digests(ds []descriptor) (all []string) {
	for _, d := range ds {
		all = append(all, d.Digest)
	}
	return all
}

func blob(layout, digest string) string {
	return filepath.Join(layout, "blobs", strings.Replace(digest, ":", "/", 1))
}

func readJSON(name string, v any) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := json.NewDecoder(bufio.NewReader(f)).Decode(v); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}
