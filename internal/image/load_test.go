package image

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func write(t testing.TB, data []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "archive")
	must(t, os.WriteFile(name, data, 0o600))
	return name
}

func dockerSave(t testing.TB, ref string, img v1.Image) []byte {
	t.Helper()
	tag, err := name.NewTag(ref)
	must(t, err)
	file := filepath.Join(t.TempDir(), "saved")
	must(t, tarball.WriteToFile(file, tag, img))
	data, err := os.ReadFile(file)
	must(t, err)
	return data
}

func TestLoadFormats(t *testing.T) {
	hello := tarOf(t, entry{name: "hello", body: "world"})
	img := imageOf(t,
		layerOf(t, gz(t, hello), hello, types.OCILayer),
		layerOf(t, zst(t, tarOf(t, entry{name: "z"})), tarOf(t, entry{name: "z"}), types.OCILayerZStd),
		layerOf(t, tarOf(t, entry{name: "plain"}), tarOf(t, entry{name: "plain"}), types.OCIUncompressedLayer),
		layerOf(t, gz(t, tarOf(t, entry{name: "d"})), tarOf(t, entry{name: "d"}), types.DockerLayer),
	)
	layoutTar := tarDir(t, layoutOf(t, map[string]v1.Image{"team/app:1": img}))
	saved := dockerSave(t, "team/app:1", imageOf(t, gzipLayer(t, entry{name: "hello", body: "world"})))
	for name, path := range map[string]string{
		"layout":          layoutOf(t, map[string]v1.Image{"team/app:1": img}),
		"layout tar":      write(t, layoutTar),
		"layout tar.gz":   write(t, gz(t, layoutTar)),
		"layout tar.zst":  write(t, zst(t, layoutTar)),
		"docker save":     write(t, saved),
		"docker save.gz":  write(t, gz(t, saved)),
		"docker save.zst": write(t, zst(t, saved)),
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, Options{})
			ctx := context.Background()
			loaded, err := s.Load(ctx, path, nil)
			must(t, err)
			if len(loaded) != 1 || !cmp.Equal(loaded[0].Names, []string{"team/app:1"}) && !cmp.Equal(loaded[0].Names, []string{"index.docker.io/team/app:1"}) {
				t.Fatalf("loaded %+v", loaded)
			}
			found, err := s.Resolve(ctx, "team/app:1")
			must(t, err)
			want := Config{Env: []string{"A=1"}, WorkingDir: "/src", User: "1000:1000", Entrypoint: []string{"/entry"}, Cmd: []string{"run"}, Architecture: found.Config.Architecture}
			if diff := cmp.Diff(want, found.Config); diff != "" {
				t.Error(diff)
			}
			if !found.CreatedAt.Equal(testTime) {
				t.Errorf("created at %v", found.CreatedAt)
			}
			rootfs, err := s.Lease(ctx, found, "sb-1")
			must(t, err)
			if len(rootfs.Lower) != len(found.Layers) {
				t.Fatalf("lower %v of layers %v", rootfs.Lower, found.Layers)
			}
			got, err := os.ReadFile(filepath.Join(rootfs.Lower[len(rootfs.Lower)-1], "hello"))
			if err != nil || string(got) != "world" {
				t.Errorf("hello = %q, %v", got, err)
			}
			noLeftovers(t, s)
		})
	}
}

// noLeftovers fails when a store has anything unfinished.
func noLeftovers(t testing.TB, s *Store) {
	t.Helper()
	for _, dir := range []string{"tmp", "partial"} {
		entries, err := os.ReadDir(s.path(dir))
		must(t, err)
		for _, e := range entries {
			t.Errorf("%s/%s is left", dir, e.Name())
		}
	}
}

func TestLoadAllTags(t *testing.T) {
	first := imageOf(t, gzipLayer(t, entry{name: "a"}))
	second := imageOf(t, gzipLayer(t, entry{name: "b"}))
	s := openStore(t, Options{})
	nameless := imageOf(t, gzipLayer(t, entry{name: "left behind by a builder"}))
	loaded, err := s.Load(context.Background(), layoutOf(t, map[string]v1.Image{"one:1": first, "two:2": second, "uno:1": first, "": nameless}), nil)
	must(t, err)
	if len(loaded) != 2 {
		t.Errorf("loaded %d images, not 2: %v", len(loaded), loaded)
	}
	for _, ref := range []string{"one:1", "uno:1", "two:2"} {
		if _, err := s.Resolve(context.Background(), ref); err != nil {
			t.Error(err)
		}
	}
}

// TestLoadNestedIndex has an index in the index, as archives of images of several
// platforms do.
func TestLoadNestedIndex(t *testing.T) {
	mine := imageOf(t, gzipLayer(t, entry{name: "mine"}))
	other := withPlatform(t, imageOf(t, gzipLayer(t, entry{name: "other"})), "linux", "s390x")
	dir := filepath.Join(t.TempDir(), "layout")
	p, err := layout.Write(dir, empty.Index)
	must(t, err)
	both := mutate.AppendManifests(empty.Index, addendum(other, "s390x"), addendum(mine, runtime.GOARCH))
	must(t, p.AppendIndex(both, layout.WithAnnotations(map[string]string{annotationName: "docker.io/library/both:1", annotationRef: "1"})))
	s := openStore(t, Options{})
	loaded, err := s.Load(context.Background(), dir, nil)
	must(t, err)
	digest, err := mine.Digest()
	must(t, err)
	if len(loaded) != 1 || loaded[0].ManifestDigest != digest.String() || loaded[0].Name != "docker.io/library/both:1" {
		t.Errorf("loaded %+v", loaded)
	}
}

// TestLoadBothFormats has an archive whose OCI layout lacks the names.
func TestLoadBothFormats(t *testing.T) {
	img := imageOf(t, gzipLayer(t, entry{name: "f"}))
	dir := layoutOf(t, map[string]v1.Image{"": img})
	config, err := img.ConfigName()
	must(t, err)
	layers, err := img.Layers()
	must(t, err)
	digest, err := layers[0].Digest()
	must(t, err)
	list, err := json.Marshal([]savedImage{{Config: layoutBlob(config.String()), RepoTags: []string{"both:1"}, Layers: []string{layoutBlob(digest.String())}}})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "manifest.json"), list, 0o600))
	loaded, err := openStore(t, Options{}).Load(context.Background(), dir, nil)
	must(t, err)
	if len(loaded) != 1 || loaded[0].Name != "both:1" || loaded[0].ConfigDigest != config.String() {
		t.Errorf("loaded %+v", loaded)
	}
}

// tampered is a layout whose layer was exchanged for another of the same size.
func tampered(t testing.TB) string {
	t.Helper()
	plain, other := tarOf(t, entry{name: "a"}), tarOf(t, entry{name: "b"})
	dir := layoutOf(t, map[string]v1.Image{"x": imageOf(t, layerOf(t, plain, plain, types.OCIUncompressedLayer))})
	must(t, os.WriteFile(filepath.Join(dir, layoutBlob(digestOf(plain))), other, 0o600))
	return dir
}

func TestLoadNameless(t *testing.T) {
	s := openStore(t, Options{})
	ctx := context.Background()
	loaded, err := s.Load(ctx, layoutOf(t, map[string]v1.Image{"": imageOf(t, gzipLayer(t, entry{name: "a"}))}), nil)
	must(t, err)
	if loaded[0].Name != loaded[0].ManifestDigest {
		t.Errorf("name %q, not the digest", loaded[0].Name)
	}
	if _, err := s.Prune(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Resolve(ctx, loaded[0].Name); err != nil {
		t.Error(err)
	}
}

func TestLoadRefuses(t *testing.T) {
	plain := tarOf(t, entry{name: "a"})
	other := tarOf(t, entry{name: "b"})
	otherArch := func() v1.Image {
		img, err := random.Image(10, 1)
		must(t, err)
		return withPlatform(t, img, "linux", "s390x")
	}()
	tests := map[string]struct {
		path string
		want error
		text string
	}{
		"wrong diff id":  {layoutOf(t, map[string]v1.Image{"x": imageOf(t, layerOf(t, gz(t, plain), other, types.OCILayer))}), ErrDigest, "uncompressed"},
		"tampered layer": {tampered(t), ErrDigest, ": compressed: "},
		"foreign layer":  {layoutOf(t, map[string]v1.Image{"x": imageOf(t, layerOf(t, gz(t, plain), plain, types.DockerForeignLayer))}), ErrUnsupported, "foreign"},
		"unknown type":   {layoutOf(t, map[string]v1.Image{"x": imageOf(t, layerOf(t, gz(t, plain), plain, "application/x-encrypted"))}), ErrUnsupported, "media type"},
		"other platform": {layoutOf(t, map[string]v1.Image{"x": otherArch}), ErrUnsupported, "s390x"},
		"no archive":     {write(t, tarOf(t, entry{name: "README", body: "hello"})), nil, "neither an OCI image layout"},
		"no file":        {filepath.Join(t.TempDir(), "none"), os.ErrNotExist, ""},
		"not a tar":      {write(t, []byte("what is this? it is certainly not a tar, for it is far too short")), nil, "read tar"},
		"hostile layer":  {layoutOf(t, map[string]v1.Image{"x": imageOf(t, gzipLayer(t, entry{name: "../x"}))}), ErrUnsafe, "unpack layer sha256:"},
		"link in save":   {write(t, tarOf(t, entry{name: "manifest.json", kind: tar.TypeSymlink, link: "manifest.json"})), nil, "neither"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, Options{})
			_, err := s.Load(context.Background(), test.path, nil)
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Fatalf("error %v, not %v", err, test.want)
			}
			contains(t, err.Error(), test.text)
			list, err := s.List(context.Background())
			if err != nil || len(list) != 0 {
				t.Errorf("in the store: %v, %v", list, err)
			}
			noLeftovers(t, s)
		})
	}
}
