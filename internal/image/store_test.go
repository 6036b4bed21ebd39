package image

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"
)

// TestMain lets the test binary be a second process that loads an image:
// it says every event on its standard output, and stands still at the first one
// that begins with the text of ASSAY_TEST_STOP, to be killed there.
func TestMain(m *testing.M) {
	dir := os.Getenv("ASSAY_TEST_STORE")
	if dir == "" {
		os.Exit(m.Run())
	}
	s, err := Open(dir, Options{})
	if err == nil {
		_, err = s.Load(context.Background(), os.Getenv("ASSAY_TEST_LAYOUT"), func(e Event) {
			line := fmt.Sprintf("%s %d", e.Stage, e.Done)
			fmt.Println(line)
			if stop := os.Getenv("ASSAY_TEST_STOP"); stop != "" && strings.HasPrefix(line, stop) {
				select {}
			}
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func loader(t testing.TB, dir, layout, stop string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "ASSAY_TEST_STORE="+dir, "ASSAY_TEST_LAYOUT="+layout, "ASSAY_TEST_STOP="+stop)
	cmd.Stderr = os.Stderr
	return cmd
}

func bigLayout(t testing.TB) string {
	t.Helper()
	return layoutOf(t, map[string]v1.Image{"big:1": bigImage(t)})
}

func TestKilledLoadLeavesNothingHalf(t *testing.T) {
	for _, stop := range []string{"unpack 0", "unpack 1", "done"} {
		t.Run(stop, func(t *testing.T) {
			s := openStore(t, Options{})
			layout := bigLayout(t)
			cmd := loader(t, s.dir, layout, stop)
			out, err := cmd.StdoutPipe()
			must(t, err)
			must(t, cmd.Start())
			lines := bufio.NewScanner(out)
			for lines.Scan() && !strings.HasPrefix(lines.Text(), stop) {
			}
			must(t, cmd.Process.Kill())
			_, _ = io.Copy(io.Discard, out)
			_ = cmd.Wait() // it was killed

			if list, err := s.List(context.Background()); err != nil || len(list) != 0 {
				t.Errorf("in the store: %v, %v", list, err)
			}
			half, err := os.ReadDir(s.path("tmp"))
			must(t, err)
			if len(half) == 0 && stop != "done" {
				t.Error("killed too late for the test to mean anything")
			}
			s, err = Open(s.dir, Options{})
			must(t, err)
			noLeftovers(t, s)
			loaded, err := s.Load(context.Background(), layout, nil)
			must(t, err)
			wholeLayers(t, s, loaded[0])
		})
	}
}

// wholeLayers proves that the layers of bigImage are what they should be.
func wholeLayers(t testing.TB, s *Store, img Image) {
	t.Helper()
	rootfs, err := s.Lease(context.Background(), img, "whole")
	must(t, err)
	var total int64
	for _, dir := range rootfs.Lower {
		must(t, filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				total += fileSize(name)
			}
			return err
		}))
	}
	if total != img.Size || total < 3<<20 {
		t.Errorf("layers hold %d bytes of %d", total, img.Size)
	}
}

func TestTwoProcessesUnpackOnce(t *testing.T) {
	s := openStore(t, Options{})
	layout := bigLayout(t)
	var outs []*strings.Builder
	var cmds []*exec.Cmd
	for range 3 {
		cmd := loader(t, s.dir, layout, "")
		out := &strings.Builder{}
		cmd.Stdout = out
		must(t, cmd.Start())
		cmds, outs = append(cmds, cmd), append(outs, out)
	}
	unpacked := 0
	for i, cmd := range cmds {
		must(t, cmd.Wait())
		unpacked += strings.Count(outs[i].String(), "unpack 0\n")
	}
	if unpacked != 2 {
		t.Errorf("%d layers unpacked, not 2", unpacked)
	}
	img, err := s.Resolve(context.Background(), "big:1")
	must(t, err)
	wholeLayers(t, s, img)
	noLeftovers(t, s)
}

func TestDiskFull(t *testing.T) {
	small := t.TempDir()
	if err := unix.Mount("tmpfs", small, "tmpfs", 0, "size=2m,mode=0700"); err != nil {
		t.Fatalf("mount tmpfs (these tests need root): %v", err)
	}
	t.Cleanup(func() { must(t, unix.Unmount(small, 0)) })
	s, err := Open(filepath.Join(small, "images"), Options{})
	must(t, err)
	_, err = s.Load(context.Background(), bigLayout(t), nil)
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("error %v, not %v", err, unix.ENOSPC)
	}
	contains(t, err.Error(), "unpack layer sha256:")
	noLeftovers(t, s)

	reg := newRegistry(t)
	_, err = s.Pull(context.Background(), reg.push(t, "big:1", bigImage(t)), PullOptions{})
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("error %v, not %v", err, unix.ENOSPC)
	}
	for _, left := range blobsLeft(t, s) {
		t.Errorf("%s is left", left)
	}
	_, err = s.Load(context.Background(), layoutOf(t, map[string]v1.Image{"small:1": imageOf(t, gzipLayer(t, entry{name: "f"}))}), nil)
	if err != nil {
		t.Errorf("the disk stays full: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	s := openStore(t, Options{})
	shift := Options{Shift: IDShift{UIDBase: 1 << 20, GIDBase: 1 << 20, Size: 65536}}
	_, err := Open(s.dir, shift)
	if err == nil {
		t.Fatal("opened with another shift")
	}
	contains(t, err.Error(), "uid 1048576")
	contains(t, err.Error(), "load the images again")

	_, err = Open(t.TempDir()+"/x", Options{Shift: IDShift{UIDBase: 1}})
	if err == nil {
		t.Error("opened with a shift of nothing")
	}
	_, err = Open(t.TempDir()+"/a:b", Options{})
	if err == nil {
		t.Error("opened where overlayfs cannot mount")
	}
	must(t, os.Chmod(s.dir, 0o755))
	_, err = Open(s.dir, Options{})
	if err == nil {
		t.Fatal("opened a store that everybody can read")
	}
	contains(t, err.Error(), "chmod 700")
}

func TestShiftedOwners(t *testing.T) {
	s := openStore(t, Options{Shift: IDShift{UIDBase: 1 << 20, GIDBase: 1 << 20, Size: 65536}})
	merged := mountImage(t, s, imageOf(t, gzipLayer(t, entry{name: "f", uid: 1000})))
	var st unix.Stat_t
	must(t, unix.Lstat(merged+"/f", &st))
	if st.Uid != 1<<20+1000 || st.Gid != 1<<20+1000 {
		t.Errorf("owner %d:%d", st.Uid, st.Gid)
	}
	_, err := s.Load(context.Background(), layoutOf(t, map[string]v1.Image{"x": imageOf(t, gzipLayer(t, entry{name: "f", uid: 100_000}))}), nil)
	if err == nil {
		t.Fatal("unpacked an owner that no sandbox has")
	}
	contains(t, err.Error(), "beyond the 65536 ids")
}

func TestPruneWaitsForLoads(t *testing.T) {
	s := openStore(t, Options{})
	layout := bigLayout(t)
	inside, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	loaded := make(chan error, 1)
	go func() {
		_, err := s.Load(context.Background(), layout, func(e Event) {
			if e.Stage == StageDone {
				once.Do(func() { close(inside); <-goOn })
			}
		})
		loaded <- err
	}()
	<-inside // one layer is there, no image in the index says so
	ctx, cancel := context.WithTimeout(context.Background(), 3*lockPoll)
	defer cancel()
	if _, err := s.Prune(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("pruned beside a load: %v", err)
	}
	if _, err := Open(s.dir, Options{}); err != nil {
		t.Errorf("open beside a load: %v", err)
	}
	close(goOn)
	must(t, <-loaded)
	pruned, err := s.Prune(context.Background())
	must(t, err)
	if len(pruned.Layers) > 0 {
		t.Errorf("pruned %v", pruned)
	}
}

// TestStoreUnderLoad lets everything happen at once: whoever gets a lease has
// all of its layers until the release.
func TestStoreUnderLoad(t *testing.T) {
	s := openStore(t, Options{})
	layout := layoutOf(t, map[string]v1.Image{"app": imageOf(t, gzipLayer(t, entry{name: "f", body: "1"}), gzipLayer(t, entry{name: "g"}))})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var workers, sweepers sync.WaitGroup
	stop := make(chan struct{})
	sweepers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := s.Remove(ctx, "app"); err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrInUse) {
				t.Error(err)
			}
			if _, err := s.Prune(ctx); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range 4 {
		workers.Go(func() {
			for range 8 {
				useImage(t, ctx, s, layout, fmt.Sprintf("sb-%d", i))
			}
		})
	}
	workers.Wait()
	close(stop)
	sweepers.Wait()
}

func useImage(t *testing.T, ctx context.Context, s *Store, layout, owner string) {
	loaded, err := s.Load(ctx, layout, nil)
	if err != nil {
		t.Error(err)
		return
	}
	rootfs, err := s.Lease(ctx, loaded[0], owner)
	if errors.Is(err, ErrNotFound) {
		return // removed meanwhile
	}
	if err != nil {
		t.Error(err)
		return
	}
	if got, err := os.ReadFile(rootfs.Lower[1] + "/f"); err != nil || string(got) != "1" {
		t.Errorf("leased file: %q, %v", got, err)
	}
	if err := s.Release(owner); err != nil {
		t.Error(err)
	}
}

func TestParallelUnpacksAreBounded(t *testing.T) {
	s := openStore(t, Options{})
	var layers []v1.Layer
	for i := range 8 {
		layers = append(layers, gzipLayer(t, entry{name: fmt.Sprint(i)}))
	}
	running, most := map[string]bool{}, 0
	_, err := s.Load(context.Background(), layoutOf(t, map[string]v1.Image{"x": imageOf(t, layers...)}), func(e Event) {
		running[e.Layer] = e.Stage == StageUnpack
		n := 0
		for _, on := range running {
			if on {
				n++
			}
		}
		most = max(most, n)
	})
	must(t, err)
	if most > parallelUnpacks {
		t.Errorf("%d layers unpacked at a time", most)
	}
	if list, err := s.List(context.Background()); err != nil || len(list) != 1 || !slices.Equal(list[0].Names, []string{"x"}) {
		t.Errorf("list %v, %v", list, err)
	}
}
