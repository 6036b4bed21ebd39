package dataset

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
)

// images is a store of images that hold one work tree each.
type images struct {
	digest  string
	entries []*tar.Header // a regular file's content is its PAXRecords["ASSAY.content"]
	reads   atomic.Int32
	err     error
}

const contentRecord = "ASSAY.content"

func file(name, content string) *tar.Header {
	return &tar.Header{
		Typeflag: tar.TypeReg, Name: name, Mode: 0o100755, Size: int64(len(content)), Uid: 1000, Gname: "staff",
		ModTime: time.Now(), PAXRecords: map[string]string{contentRecord: content},
	}
}

func (im *images) Digest(context.Context, string) (string, error) { return im.digest, im.err }

func (im *images) Worktree(_ context.Context, ref, workdir string) (io.ReadCloser, error) {
	im.reads.Add(1)
	if ref != "localhost/small/go:acme__app-1.0.0" || workdir != "/src/app" {
		return nil, errors.New("asked for another work tree: " + ref + " " + workdir)
	}
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for _, h := range im.entries {
		if err := tw.WriteHeader(h); err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(tw, h.PAXRecords[contentRecord]); err != nil {
				return nil, err
			}
		}
	}
	if err := tw.Close(); err != nil {
		return nil, err
	}
	return io.NopCloser(&b), nil
}

func testImages() *images {
	return &images{digest: "sha256:1", entries: []*tar.Header{
		{Typeflag: tar.TypeDir, Name: "./", Mode: 0o40755},
		file("z.go", "package z\n"),
		{Typeflag: tar.TypeDir, Name: "./a/", Mode: 0o40755},
		{Typeflag: tar.TypeFifo, Name: "a/fifo"},
		file("./a/b.go", "package b\n"),
		{Typeflag: tar.TypeLink, Name: "a/again.go", Linkname: "z.go"},
		{Typeflag: tar.TypeSymlink, Name: "link", Linkname: "a/b.go"},
	}}
}

func bundleService(t *testing.T, im *images, c Config) (*Service, *assay.Sample) {
	t.Helper()
	c.Worktree, c.ImageDigest = im.Worktree, im.Digest
	if c.BundleDir == "" {
		c.BundleDir = t.TempDir()
	}
	s, _ := newService(t, c)
	importLines(t, s, row(t, map[string]any{"test_patch": goodPatch}))
	sample, err := s.Sample(t.Context(), "small", "acme__app-1.0.0", 0)
	if err != nil {
		t.Fatal(err)
	}
	return s, sample
}

func readBundle(t *testing.T, s *Service, sample *assay.Sample) (*Bundle, []byte) {
	t.Helper()
	b, err := s.Bundle(t.Context(), sample)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	data, err := io.ReadAll(b)
	if err != nil {
		t.Fatal(err)
	}
	return b, data
}

func TestBundle(t *testing.T) {
	s, sample := bundleService(t, testImages(), Config{})
	b, data := readBundle(t, s, sample)
	sum := sha256.Sum256(data)
	if b.Size != int64(len(data)) || b.SHA256 != hex.EncodeToString(sum[:]) {
		t.Error("the bundle is not what it says it is")
	}
	if b.Filename != "small-acme__app-1.0.0-v1.tar.gz" {
		t.Errorf("it is called %s", b.Filename)
	}
	zr, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	tr := tar.NewReader(zr)
	content := map[string]string{}
	var names []string
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		content[h.Name] = h.Linkname + string(text)
		if h.Uid != 0 || h.Gname != "" || h.ModTime.Unix() != 0 || h.Mode&^0o777 != 0 {
			t.Errorf("%s tells of the machine it was made on: %+v", h.Name, h)
		}
	}
	want := []string{
		"sample.json", "verifier/run.sh", "verifier/test.patch", "verifier/verifier.json", "worktree/",
		"worktree/a/", "worktree/a/again.go", "worktree/a/b.go", "worktree/link", "worktree/z.go",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("entries differ (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"worktree/a/again.go": "package z\n",
		"worktree/a/b.go":     "package b\n",
		"worktree/link":       "a/b.go",
		"verifier/run.sh":     "#!/bin/bash\ngo test -json ./...\n",
		"verifier/test.patch": goodPatch,
	} {
		if content[name] != want {
			t.Errorf("%s holds %q, want %q", name, content[name], want)
		}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(content["sample.json"])); err != nil {
		t.Fatal(err)
	}
	again := readOne(t, goodManifest, compact.String())
	again.Version, again.Latest, again.Answers, again.Judging = sample.Version, sample.Latest, sample.Answers, sample.Judging
	if diff := cmp.Diff(sample, again); diff != "" {
		t.Errorf("sample.json imported again is another sample (-want +got):\n%s", diff)
	}
}

func TestBundlesAreReproducible(t *testing.T) {
	im := testImages()
	s, sample := bundleService(t, im, Config{})
	_, first := readBundle(t, s, sample)
	other := testImages()
	slices.Reverse(other.entries)
	slices.SortStableFunc(other.entries, func(a, b *tar.Header) int { // links come after what they link to
		return int(b.Typeflag) - int(a.Typeflag)
	})
	slices.Reverse(other.entries)
	for _, e := range other.entries {
		e.ModTime = e.ModTime.Add(time.Hour)
		e.Uid = 7
	}
	s2, sample2 := bundleService(t, other, Config{})
	if _, second := readBundle(t, s2, sample2); !bytes.Equal(first, second) {
		t.Error("the same sample on another machine gave other bytes")
	}
}

func TestBundlesAreKept(t *testing.T) {
	im := testImages()
	dir := filepath.Join(t.TempDir(), "bundles [x]*")
	s, sample := bundleService(t, im, Config{BundleDir: dir})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			b, err := s.Bundle(t.Context(), sample)
			if err != nil {
				t.Error(err)
				return
			}
			b.Close()
		})
	}
	wg.Wait()
	if n := im.reads.Load(); n != 1 {
		t.Errorf("8 downloads at once read the work tree %d times", n)
	}
	im.digest = "sha256:2"
	readBundle(t, s, sample)
	if n := im.reads.Load(); n != 2 {
		t.Errorf("of an image that changed, the work tree was read %d times, want 2", n)
	}
	other := *sample
	other.HintsText = "look"
	readBundle(t, s, &other)
	if n := im.reads.Load(); n != 3 {
		t.Errorf("of a sample that changed, the work tree was read %d times, want 3", n)
	}
}

func TestKeptBundlesAreBounded(t *testing.T) {
	im := testImages()
	dir := t.TempDir()
	s, sample := bundleService(t, im, Config{BundleDir: dir, BundleBytes: 1})
	for _, digest := range []string{"1", "2", "3"} {
		im.digest = digest
		readBundle(t, s, sample)
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) != 1 {
			t.Errorf("image %s: %d files are kept, want the newest alone", digest, len(entries))
		}
	}
}

func TestWhatKilledServersLeaveIsRemoved(t *testing.T) {
	im := testImages()
	dir := t.TempDir()
	s, sample := bundleService(t, im, Config{BundleDir: dir})
	old, fresh := filepath.Join(dir, "bundle-1.tmp"), filepath.Join(dir, "bundle-2.tmp")
	for _, p := range []string{old, fresh} {
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-2 * leftoverAge)
	if err := os.Chtimes(old, past, past); err != nil {
		t.Fatal(err)
	}
	readBundle(t, s, sample)
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old one is there: %v", err)
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("the fresh one may belong to another process: %v", err)
	}
}

func TestBadTreesLeaveNothing(t *testing.T) {
	for name, c := range map[string]struct {
		entries []*tar.Header
		config  Config
		want    string
	}{
		"climbs":         {[]*tar.Header{file("../evil", "x")}, Config{}, "leads out of the tree"},
		"links nowhere":  {[]*tar.Header{{Typeflag: tar.TypeLink, Name: "a", Linkname: "b"}}, Config{}, "no file before it"},
		"is too large":   {[]*tar.Header{file("a", "12345"), file("b", "67890")}, Config{MaxTreeBytes: 9}, "larger than"},
		"links to a dir": {[]*tar.Header{{Typeflag: tar.TypeDir, Name: "b"}, {Typeflag: tar.TypeLink, Name: "a", Linkname: "b"}}, Config{}, "no file before it"},
	} {
		t.Run(name, func(t *testing.T) {
			c.config.BundleDir = t.TempDir()
			s, sample := bundleService(t, &images{digest: "1", entries: c.entries}, c.config)
			_, err := s.Bundle(t.Context(), sample)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			entries, err := os.ReadDir(c.config.BundleDir)
			if err != nil || len(entries) != 0 {
				t.Errorf("left behind: %v %v", entries, err)
			}
		})
	}
}

func TestBundleWithoutImage(t *testing.T) {
	im := testImages()
	im.err = assay.Errorf(assay.CodeImageUnavailable, "no image")
	s, sample := bundleService(t, im, Config{})
	if _, err := s.Bundle(t.Context(), sample); assay.CodeOf(err) != assay.CodeImageUnavailable {
		t.Errorf("got %v", err)
	}
	bare, _ := newService(t, Config{})
	if _, err := bare.Bundle(t.Context(), sample); assay.CodeOf(err) != assay.CodeUnavailable {
		t.Errorf("without a place to keep them: got %v", err)
	}
}

func TestACancelledBundleLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s, sample := bundleService(t, testImages(), Config{BundleDir: dir})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Bundle(ctx, sample); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}
