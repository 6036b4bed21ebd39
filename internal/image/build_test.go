package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"
)

// entry is an entry of a test's layer.
type entry struct {
	name    string
	body    string
	link    string
	kind    byte // 0 is a file, or a directory when the name ends in "/"
	mode    int64
	uid     int
	records map[string]string
}

var testTime = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

func tarOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		hdr := &tar.Header{Name: e.name, Typeflag: e.kind, Mode: e.mode, Uid: e.uid, Gid: e.uid, Linkname: e.link, ModTime: testTime, PAXRecords: e.records}
		switch {
		case e.kind == 0 && e.name[len(e.name)-1] == '/':
			hdr.Typeflag = tar.TypeDir
		case e.kind == 0:
			hdr.Typeflag = tar.TypeReg
			hdr.Size = int64(len(e.body))
		}
		if hdr.Mode == 0 {
			hdr.Mode = 0o755
		}
		must(t, w.WriteHeader(hdr))
		if _, err := io.WriteString(w, e.body); err != nil {
			t.Fatal(err)
		}
	}
	must(t, w.Close())
	return buf.Bytes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func gz(t testing.TB, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	must(t, w.Close())
	return buf.Bytes()
}

func zst(t testing.TB, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	must(t, err)
	defer w.Close()
	return w.EncodeAll(data, nil)
}

// testLayer is a layer of given bytes: what it claims can be bent.
type testLayer struct {
	v1.Layer
	diffID v1.Hash
}

func (l testLayer) DiffID() (v1.Hash, error) { return l.diffID, nil }

func hashOf(t testing.TB, data []byte) v1.Hash {
	t.Helper()
	h, err := v1.NewHash(digestOf(data))
	must(t, err)
	return h
}

func layerOf(t testing.TB, blob, plain []byte, mediaType types.MediaType) v1.Layer {
	t.Helper()
	return testLayer{Layer: static.NewLayer(blob, mediaType), diffID: hashOf(t, plain)}
}

func gzipLayer(t testing.TB, entries ...entry) v1.Layer {
	t.Helper()
	plain := tarOf(t, entries...)
	return layerOf(t, gz(t, plain), plain, types.OCILayer)
}

func imageOf(t testing.TB, layers ...v1.Layer) v1.Image {
	t.Helper()
	img, err := mutate.AppendLayers(mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.OCIConfigJSON), types.OCIManifestSchema1), layers...)
	must(t, err)
	cfg, err := img.ConfigFile()
	must(t, err)
	cfg = cfg.DeepCopy()
	cfg.OS, cfg.Architecture = "linux", runtime.GOARCH
	cfg.Created = v1.Time{Time: testTime}
	cfg.Config.Env = []string{"A=1"}
	cfg.Config.WorkingDir = "/src"
	cfg.Config.User = "1000:1000"
	cfg.Config.Entrypoint = []string{"/entry"}
	cfg.Config.Cmd = []string{"run"}
	img, err = mutate.ConfigFile(img, cfg)
	must(t, err)
	return img
}

// layoutOf writes images to an OCI layout; a name of "" names nothing.
func layoutOf(t testing.TB, images map[string]v1.Image) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "layout")
	p, err := layout.Write(dir, empty.Index)
	must(t, err)
	for name, img := range images {
		var opts []layout.Option
		if name != "" {
			opts = append(opts, layout.WithAnnotations(map[string]string{annotationRef: name}))
		}
		must(t, p.AppendImage(img, opts...))
	}
	return dir
}

// tarDir packs a directory.
func tarDir(t testing.TB, dir string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	must(t, w.AddFS(os.DirFS(dir)))
	must(t, w.Close())
	return buf.Bytes()
}

func openStore(t testing.TB, opts Options) *Store {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("these tests need root: they make whiteouts and change owners")
	}
	s, err := Open(filepath.Join(t.TempDir(), "images"), opts)
	must(t, err)
	s.patience.delay = time.Millisecond
	return s
}

func withPlatform(t testing.TB, img v1.Image, os, arch string) v1.Image {
	t.Helper()
	cfg, err := img.ConfigFile()
	must(t, err)
	cfg = cfg.DeepCopy()
	cfg.OS, cfg.Architecture = os, arch
	img, err = mutate.ConfigFile(img, cfg)
	must(t, err)
	return img
}

func contains(t testing.TB, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("%q does not hold %q", text, part)
	}
}

func addendum(img v1.Image, arch string) mutate.IndexAddendum {
	return mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}}
}
