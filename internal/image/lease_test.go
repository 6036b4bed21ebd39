package image

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestRemoveAndPrune(t *testing.T) {
	s := openStore(t, Options{})
	ctx := context.Background()
	base := gzipLayer(t, entry{name: "base", body: "base"})
	one := imageOf(t, base, gzipLayer(t, entry{name: "one", body: "one"}))
	two := imageOf(t, base, gzipLayer(t, entry{name: "two", body: "two"}))
	_, err := s.Load(ctx, layoutOf(t, map[string]v1.Image{"one": one, "uno": one, "two": two}), nil)
	must(t, err)
	img, err := s.Resolve(ctx, "one")
	must(t, err)
	rootfs, err := s.Lease(ctx, img, "sb-1")
	must(t, err)

	must(t, s.Remove(ctx, "uno"))
	if err := s.Remove(ctx, "one"); !errors.Is(err, ErrInUse) {
		t.Errorf("error %v, not %v", err, ErrInUse)
	}
	must(t, s.Remove(ctx, "two"))
	if err := s.Remove(ctx, "two"); !errors.Is(err, ErrNotFound) {
		t.Errorf("error %v, not %v", err, ErrNotFound)
	}
	pruned, err := s.Prune(ctx)
	must(t, err)
	if len(pruned.Layers) != 1 || pruned.Bytes <= 3 {
		t.Errorf("pruned %+v, not the one layer of two", pruned)
	}
	for _, dir := range rootfs.Lower {
		if _, err := os.Stat(dir); err != nil {
			t.Error(err)
		}
	}
	leases, err := s.Leases()
	must(t, err)
	if len(leases) != 1 || leases[0].Owner != "sb-1" || leases[0].Image != img.ManifestDigest {
		t.Errorf("leases %+v", leases)
	}

	must(t, s.Release("sb-1"))
	must(t, s.Release("sb-1"))
	must(t, s.Remove(ctx, img.ConfigDigest))
	pruned, err = s.Prune(ctx)
	must(t, err)
	if len(pruned.Layers) != 2 {
		t.Errorf("pruned %+v, not both layers", pruned)
	}
	if _, err := s.Lease(ctx, img, "sb-2"); !errors.Is(err, ErrNotFound) {
		t.Errorf("error %v, not %v", err, ErrNotFound)
	}
	for _, dir := range []string{"layers/sha256", "blobs/sha256", "leases", "tmp"} {
		entries, err := os.ReadDir(s.path(dir))
		must(t, err)
		if len(entries) > 0 {
			t.Errorf("%s holds %v", dir, entries)
		}
	}
}

// TestMovedName loads another image of the same name: the old one is kept while
// it is leased, and found by digest.
func TestMovedName(t *testing.T) {
	s := openStore(t, Options{})
	ctx := context.Background()
	load := func(body string) Image {
		loaded, err := s.Load(ctx, layoutOf(t, map[string]v1.Image{"app": imageOf(t, gzipLayer(t, entry{name: "f", body: body}))}), nil)
		must(t, err)
		return loaded[0]
	}
	first := load("1")
	_, err := s.Lease(ctx, first, "sb")
	must(t, err)
	second := load("2")
	if img, err := s.Resolve(ctx, "app"); err != nil || img.ManifestDigest != second.ManifestDigest {
		t.Errorf("app is %v, %v", img, err)
	}
	if pruned, err := s.Prune(ctx); err != nil || len(pruned.Images) != 0 {
		t.Errorf("pruned %v, %v", pruned, err)
	}
	if _, err := s.Resolve(ctx, first.ManifestDigest); err != nil {
		t.Error(err)
	}
	must(t, s.Release("sb"))
	pruned, err := s.Prune(ctx)
	must(t, err)
	if diff := cmp.Diff([]string{first.ManifestDigest}, pruned.Images); diff != "" {
		t.Error(diff)
	}
}

func TestLeaseOwners(t *testing.T) {
	s := openStore(t, Options{})
	ctx := context.Background()
	loaded, err := s.Load(ctx, layoutOf(t, map[string]v1.Image{
		"a": imageOf(t, gzipLayer(t, entry{name: "a"})), "b": imageOf(t, gzipLayer(t, entry{name: "b"})),
	}), nil)
	must(t, err)
	for _, owner := range []string{"", "../x", "a/b", ".hidden", strings.Repeat("x", 129)} {
		if _, err := s.Lease(ctx, loaded[0], owner); err == nil {
			t.Errorf("lease for %q", owner)
		}
		if err := s.Release(owner); err == nil {
			t.Errorf("release of %q", owner)
		}
	}
	_, err = s.Lease(ctx, loaded[0], "sb")
	must(t, err)
	if _, err = s.Lease(ctx, loaded[0], "sb"); err != nil {
		t.Errorf("the same lease again: %v", err)
	}
	if _, err = s.Lease(ctx, loaded[1], "sb"); err == nil {
		t.Error("one owner took two leases")
	}
	// A lease outlives the process.
	again, err := Open(s.dir, Options{})
	must(t, err)
	if leases, err := again.Leases(); err != nil || len(leases) != 1 {
		t.Errorf("leases %v, %v", leases, err)
	}
}
