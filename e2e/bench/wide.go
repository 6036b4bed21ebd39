package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// The wide sample is the one that is verified otherwise, too, in a work tree of many
// more files.
const (
	wideSample  = "wide__" + verifySample
	wideImage   = "assay-bench/wide:latest"
	wideFiles   = 20_000
	wideDirs    = 500
	wideChanged = 10
)

// wide measures the verification of a work tree of 20,000 files of which 10 changed, and
// of it the part until its POST is answered: that is the export of the changes.
func (b *bench) wide(ctx context.Context) ([]Result, error) {
	t, err := b.task(wideSample)
	if err != nil {
		return nil, err
	}
	solved, err := b.patched(ctx, t, t.Patch)
	if err != nil {
		return nil, err
	}
	if err := b.command(ctx, solved, fmt.Sprintf("for i in {0..%d}; do echo changed >> wide/$((i * 50))/$i.txt; done", wideChanged-1)); err != nil {
		return nil, err
	}
	floors, judged, err := b.verifyByTurns(ctx, t, work{solved, true})
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("verify, %d files of which %d changed", wideFiles, wideChanged)
	return append([]Result{
		timed(name+": POST until it is accepted", nil, judged[0].accepted).atMost(50),
		timed(name+bareFloor, floors[0], judged[0].whole).atMostMore(verifyOverhead),
	}, judged[0].parts(name)...), b.close(ctx, solved)
}

// addWide adds the wide sample to the selected dataset and its image to the images.
func (b *bench) addWide() error {
	image, err := b.addWideRow()
	if err == nil {
		err = b.addWideImage(image)
	}
	if err != nil {
		return fmt.Errorf("make the wide sample: %w", err)
	}
	return nil
}

// addWideRow returns the name of the image that the wide one is made from.
func (b *bench) addWideRow() (image string, err error) {
	name := filepath.Join(b.datasetDir(), "samples.jsonl")
	rows, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(rows)) {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			return "", err
		}
		if row["instance_id"] != verifySample {
			continue
		}
		own, ok := row["assay"].(map[string]any)
		if !ok {
			break
		}
		image, _ = own["image"].(string)
		row["instance_id"], own["image"] = wideSample, wideImage
		wide, err := json.Marshal(row)
		if err != nil {
			return "", err
		}
		return image, os.WriteFile(name, append(append(rows, wide...), '\n'), 0o600)
	}
	return "", fmt.Errorf("%s has no sample %s with an image of its own", name, verifySample)
}

const refName = "org.opencontainers.image.ref.name" // OCI image-spec 1.1, annotations.md

func (b *bench) addWideImage(from string) error {
	images, err := layout.FromPath(filepath.Join(b.dir, "images"))
	if err != nil {
		return err
	}
	base, err := namedImage(images, from)
	if err != nil {
		return err
	}
	content, err := wideLayer()
	if err != nil {
		return err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil })
	if err != nil {
		return err
	}
	wide, err := mutate.AppendLayers(base, layer)
	if err != nil {
		return err
	}
	return images.AppendImage(wide, layout.WithAnnotations(map[string]string{refName: wideImage}))
}

func namedImage(images layout.Path, name string) (v1.Image, error) {
	index, err := images.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	for _, d := range manifest.Manifests {
		if d.Annotations[refName] == name {
			return index.Image(d.Digest)
		}
	}
	return nil, fmt.Errorf("there is no image %s", name)
}

// wideLayer has the files, of 1 KB each.
func wideLayer() ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	written := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	var err error
	add := func(hdr *tar.Header, content string) {
		hdr.ModTime, hdr.Size = written, int64(len(content))
		err = errors.Join(err, w.WriteHeader(hdr))
		_, werr := io.WriteString(w, content)
		err = errors.Join(err, werr)
	}
	add(&tar.Header{Name: "testbed/wide/", Typeflag: tar.TypeDir, Mode: 0o755}, "")
	for d := range wideDirs {
		add(&tar.Header{Name: fmt.Sprintf("testbed/wide/%d/", d), Typeflag: tar.TypeDir, Mode: 0o755}, "")
	}
	for i := range wideFiles {
		name := fmt.Sprintf("testbed/wide/%d/%d.txt", i%wideDirs, i)
		add(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644}, strings.Repeat(fmt.Sprintf("This is file %d.\n", i), 1024/18))
	}
	return buf.Bytes(), errors.Join(err, w.Close())
}
