package image

import (
	"context"
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestResolve(t *testing.T) {
	s := openStore(t, Options{})
	ctx := context.Background()
	images := map[string]v1.Image{}
	for _, name := range []string{"short", "team/app:1", "docker.io/library/full:2", "localhost/built:latest", "registry.example:5000/x/y:3"} {
		images[name] = imageOf(t, gzipLayer(t, entry{name: "f", body: name}))
	}
	_, err := s.Load(ctx, layoutOf(t, images), nil)
	must(t, err)
	digest := func(name string) string {
		h, err := images[name].Digest()
		must(t, err)
		return h.String()
	}
	id := func(name string) string {
		h, err := images[name].ConfigName()
		must(t, err)
		return h.String()
	}
	for ref, want := range map[string]string{
		"short":                            "short",
		"short:latest":                     "short",
		"docker.io/library/short":          "short",
		"team/app:1":                       "team/app:1",
		"docker.io/team/app:1":             "team/app:1",
		"index.docker.io/team/app:1":       "team/app:1",
		"full:2":                           "docker.io/library/full:2",
		"docker.io/library/full:2":         "docker.io/library/full:2",
		"built":                            "localhost/built:latest",
		"built:latest":                     "localhost/built:latest",
		"registry.example:5000/x/y:3":      "registry.example:5000/x/y:3",
		digest("team/app:1"):               "team/app:1",
		digest("team/app:1")[:19]:          "team/app:1",
		digest("team/app:1")[7:19]:         "team/app:1",
		id("short"):                        "short",
		id("short")[7:]:                    "short",
		"whatever@" + digest("team/app:1"): "team/app:1",
	} {
		img, err := s.Resolve(ctx, ref)
		if err != nil || img.ManifestDigest != digest(want) {
			t.Errorf("%s: %v, %v; want %s", ref, img.Names, err, want)
		}
	}
	for _, ref := range []string{"none", "team/app", "team/app:2", "", "sha256:", "sha256:" + strings.Repeat("0", 64), "a@b@c", "../../index", digest("short")[7:10]} {
		_, err := s.Resolve(ctx, ref)
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: error %v, not %v", ref, err, ErrNotFound)
			continue
		}
		contains(t, err.Error(), "assay image pull")
		contains(t, err.Error(), "assay image load")
	}
}

func TestResolveAmbiguous(t *testing.T) {
	idx := index{Images: []record{
		{Manifest: "sha256:abcdef00", Config: "sha256:11111111"},
		{Manifest: "sha256:abcdef01", Config: "sha256:22222222"},
	}}
	if _, _, err := idx.find("abcdef"); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("error %v, not %v", err, ErrAmbiguous)
	}
	if i, _, err := idx.find("abcdef01"); i != 1 || err != nil {
		t.Errorf("found %d, %v", i, err)
	}
}
