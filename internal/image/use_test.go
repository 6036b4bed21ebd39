package image

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestUseCountsSharedLayersOnce(t *testing.T) {
	s := openStore(t, Options{})
	if use, err := s.Use(t.Context()); err != nil || use != (Use{}) {
		t.Errorf("an empty store holds %+v, %v", use, err)
	}
	shared := gzipLayer(t, entry{name: "hello", body: "world"})
	_, err := s.Load(t.Context(), layoutOf(t, map[string]v1.Image{
		"one:1": imageOf(t, shared),
		"two:1": imageOf(t, shared, gzipLayer(t, entry{name: "more", body: "1234567"})),
	}), nil)
	must(t, err)
	use, err := s.Use(t.Context())
	must(t, err)
	if use.Images != 2 || use.Layers != 2 || use.Bytes != int64(len("world")+len("1234567")) {
		t.Errorf("the store holds %+v, want 2 images, 2 layers and 12 bytes", use)
	}
	must(t, s.Remove(t.Context(), "two:1"))
	_, err = s.Prune(t.Context())
	must(t, err)
	if use, err = s.Use(t.Context()); err != nil || use.Images != 1 || use.Layers != 1 || use.Bytes != 5 {
		t.Errorf("after the larger one was pruned, it holds %+v, %v", use, err)
	}
}
