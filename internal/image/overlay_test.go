package image

import (
	"archive/tar"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"
)

// mountImage loads an image and mounts it as a sandbox would.
func mountImage(t testing.TB, s *Store, img v1.Image) string {
	t.Helper()
	ctx := context.Background()
	loaded, err := s.Load(ctx, layoutOf(t, map[string]v1.Image{"x": img}), nil)
	must(t, err)
	rootfs, err := s.Lease(ctx, loaded[0], "sb")
	must(t, err)
	return mountLower(t, rootfs.Lower)
}

func mountLower(t testing.TB, lower []string) string {
	t.Helper()
	top := t.TempDir()
	for _, dir := range []string{"upper", "work", "merged"} {
		must(t, os.Mkdir(filepath.Join(top, dir), 0o755))
	}
	options := "lowerdir=" + strings.Join(lower, ":") + ",upperdir=" + top + "/upper,workdir=" + top + "/work"
	merged := filepath.Join(top, "merged")
	if err := unix.Mount("overlay", merged, "overlay", 0, options); err != nil {
		t.Fatalf("mount overlay (these tests need root and overlayfs): %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(merged, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return merged
}

// files lists what is below a directory: directories with a slash at the end,
// files with their content.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	must(t, filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, name)
		switch d.Type() {
		case os.ModeDir:
			found[rel+"/"] = ""
		case os.ModeSymlink:
			found[rel], err = os.Readlink(name)
		default:
			var data []byte
			data, err = os.ReadFile(name)
			found[rel] = string(data)
		}
		return err
	}))
	return found
}

func TestOverlay(t *testing.T) {
	merged := mountImage(t, openStore(t, Options{}), imageOf(t,
		gzipLayer(t,
			entry{name: "etc/"}, entry{name: "etc/keep", body: "1"}, entry{name: "etc/gone", body: "1"}, entry{name: "etc/changed", body: "1"},
			entry{name: "opaque/"}, entry{name: "opaque/lower"}, entry{name: "opaque/sub/"}, entry{name: "opaque/sub/lower"},
			entry{name: "tree/"}, entry{name: "tree/lower"}, entry{name: "again/"}, entry{name: "again/lower"},
			entry{name: "turns/"}, entry{name: "turns/lower"}, entry{name: "file"}, entry{name: "back"},
		),
		gzipLayer(t), // the empty layer, of which many images have several
		gzipLayer(t,
			entry{name: "etc/"}, entry{name: "etc/.wh.gone"}, entry{name: "etc/changed", body: "2"},
			entry{name: "opaque/upper"}, entry{name: "opaque/"}, entry{name: "opaque/.wh..wh..opq"}, entry{name: "opaque/sub/upper"},
			entry{name: ".wh.tree"},
			entry{name: ".wh.again"}, entry{name: "again/"}, entry{name: "again/upper"},
			entry{name: "turns", kind: tar.TypeSymlink, link: "etc"}, entry{name: "file/"}, entry{name: "file/upper"}, entry{name: ".wh.back"},
		),
		gzipLayer(t),
		gzipLayer(t, entry{name: "back", body: "3"}),
	))
	want := map[string]string{
		"etc/": "", "etc/keep": "1", "etc/changed": "2",
		"opaque/": "", "opaque/upper": "", "opaque/sub/": "", "opaque/sub/upper": "",
		"again/": "", "again/upper": "",
		"turns": "etc", "file/": "", "file/upper": "", "back": "3",
	}
	if diff := cmp.Diff(want, files(t, merged)); diff != "" {
		t.Error(diff)
	}
}

func TestOverlayOpaqueRoot(t *testing.T) {
	merged := mountImage(t, openStore(t, Options{}), imageOf(t,
		gzipLayer(t, entry{name: "lower"}),
		gzipLayer(t, entry{name: "middle"}, entry{name: ".wh..wh..opq"}),
		gzipLayer(t, entry{name: "upper"}),
	))
	if diff := cmp.Diff(map[string]string{"middle": "", "upper": ""}, files(t, merged)); diff != "" {
		t.Error(diff)
	}
}

// TestOverlayImpliedDirectories has upper layers that say nothing about the
// directories they write in.
func TestOverlayImpliedDirectories(t *testing.T) {
	s := openStore(t, Options{})
	merged := mountImage(t, s, imageOf(t,
		gzipLayer(t,
			entry{name: "tmp/", mode: 0o1777}, entry{name: "home/", mode: 0o711}, entry{name: "home/me/", mode: 0o700, uid: 1000},
			entry{name: "gone/", mode: 0o700}, entry{name: "opaque/", mode: 0o700}, entry{name: "kept/", mode: 0o700},
		),
		gzipLayer(t,
			entry{name: "tmp/f"}, entry{name: "home/me/new/f"}, entry{name: ".wh.gone"},
			entry{name: "opaque/f"}, entry{name: "opaque/.wh..wh..opq"}, entry{name: "link", kind: tar.TypeSymlink, link: "tmp"},
		),
		gzipLayer(t, entry{name: "tmp/g"}, entry{name: "gone/f"}, entry{name: "kept/", mode: 0o750}, entry{name: "link/f"}),
	))
	for name, want := range map[string]string{
		"tmp": "dtrwxrwxrwx 0 2024", "home": "drwx--x--x 0 2024", "home/me": "drwx------ 1000 2024", "home/me/new": "drwxr-xr-x 0 1970",
		"gone": "drwxr-xr-x 0 1970", "opaque": "drwxr-xr-x 0 1970", "kept": "drwxr-x--- 0 2024", "link": "drwxr-xr-x 0 1970",
	} {
		info, err := os.Lstat(filepath.Join(merged, name))
		must(t, err)
		got := fmt.Sprintf("%s %d %d", info.Mode(), info.Sys().(*syscall.Stat_t).Uid, info.ModTime().UTC().Year())
		if got != want {
			t.Errorf("%s is %s, not %s", name, got, want)
		}
	}
	for _, name := range []string{"tmp/f", "tmp/g", "home/me/new/f", "gone/f", "opaque/f", "link/f"} {
		if _, err := os.Lstat(filepath.Join(merged, name)); err != nil {
			t.Error(err)
		}
	}

	ctx := context.Background()
	must(t, s.Release("sb"))
	must(t, s.Remove(ctx, "x"))
	if _, err := s.Prune(ctx); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(s.path("covers/sha256")); err != nil || len(left) > 0 {
		t.Errorf("covers left: %v, %v", left, err)
	}
}
