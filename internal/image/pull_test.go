package image

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// testRegistry is a registry in this process, behind a handler that may spoil
// what it answers.
type testRegistry struct {
	host  string
	serve http.Handler // what wraps are to call
	wrap  func(http.ResponseWriter, *http.Request)
	blobs atomic.Int64 // GETs of blobs
}

func newRegistry(t testing.TB) *testRegistry {
	t.Helper()
	r := &testRegistry{serve: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if isBlob(req) {
			r.blobs.Add(1)
		}
		if r.wrap != nil {
			r.wrap(w, req)
			return
		}
		r.serve.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	r.host = strings.TrimPrefix(server.URL, "http://")
	return r
}

func isBlob(req *http.Request) bool {
	return req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/blobs/")
}

// push stores an image and returns its reference.
func (r *testRegistry) push(t testing.TB, repo string, img v1.Image) string {
	t.Helper()
	ref, err := name.ParseReference(r.host + "/" + repo)
	must(t, err)
	must(t, remote.Write(ref, img))
	return ref.String()
}

// bigImage has a layer of some MiB that does not compress.
func bigImage(t testing.TB) v1.Image {
	t.Helper()
	layer, err := random.Layer(3<<20, types.OCILayer)
	must(t, err)
	return imageOf(t, gzipLayer(t, entry{name: "small"}), layer)
}

func TestPull(t *testing.T) {
	reg := newRegistry(t)
	img := bigImage(t)
	ref := reg.push(t, "team/app:1", img)
	s := openStore(t, Options{})
	ctx := context.Background()
	var events []Event
	got, err := s.Pull(ctx, ref, PullOptions{Progress: func(e Event) { events = append(events, e) }})
	must(t, err)
	digest, err := img.Digest()
	must(t, err)
	if got.ManifestDigest != digest.String() || got.Name != ref {
		t.Errorf("pulled %+v", got)
	}
	stages := map[Stage]int{}
	for _, e := range events {
		stages[e.Stage]++
	}
	if stages[StageDownload] < 4 || stages[StageUnpack] < 4 || stages[StageDone] != 2 {
		t.Errorf("progress %v", stages)
	}
	noLeftovers(t, s)

	before := reg.blobs.Load()
	must(t, s.Remove(ctx, ref))
	if _, err := s.Pull(ctx, ref+"@"+digest.String(), PullOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := reg.blobs.Load() - before; n != 1 {
		t.Errorf("the second pull fetched %d blobs, not only the config", n)
	}
	if _, err := s.Resolve(ctx, reg.host+"/team/app@"+digest.String()); err != nil {
		t.Error(err)
	}
}

func TestPullIndex(t *testing.T) {
	reg := newRegistry(t)
	mine := imageOf(t, gzipLayer(t, entry{name: "mine"}))
	other := withPlatform(t, imageOf(t, gzipLayer(t, entry{name: "other"})), "linux", "s390x")
	both := mutate.AppendManifests(empty.Index, addendum(other, "s390x"), addendum(mine, runtime.GOARCH))
	ref, err := name.ParseReference(reg.host + "/both:1")
	must(t, err)
	must(t, remote.WriteIndex(ref, both))
	onlyOther, err := name.ParseReference(reg.host + "/other:1")
	must(t, err)
	must(t, remote.WriteIndex(onlyOther, mutate.AppendManifests(empty.Index, addendum(other, "s390x"))))

	s := openStore(t, Options{})
	got, err := s.Pull(context.Background(), ref.String(), PullOptions{})
	must(t, err)
	if digest, _ := mine.Digest(); got.ManifestDigest != digest.String() {
		t.Errorf("pulled the image of another platform")
	}
	if _, err := s.Pull(context.Background(), onlyOther.String(), PullOptions{}); err == nil {
		t.Error("pulled an image of another platform")
	}
}

func TestPullWithDockerConfig(t *testing.T) {
	reg := newRegistry(t)
	ref := reg.push(t, "private:1", imageOf(t, gzipLayer(t, entry{name: "a"})))
	credentials := base64.StdEncoding.EncodeToString([]byte("ann:secret"))
	reg.wrap = func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "Basic "+credentials {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		reg.serve.ServeHTTP(w, req)
	}
	config := t.TempDir()
	t.Setenv("DOCKER_CONFIG", config)
	s := openStore(t, Options{})
	_, err := s.Pull(context.Background(), ref, PullOptions{})
	if err == nil {
		t.Fatal("pulled without credentials")
	}
	contains(t, err.Error(), "401")

	auths, err := json.Marshal(map[string]any{"auths": map[string]any{reg.host: map[string]string{"auth": credentials}}})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(config, "config.json"), auths, 0o600))
	if _, err := s.Pull(context.Background(), ref, PullOptions{}); err != nil {
		t.Fatal(err)
	}
}

// cut drops the connection after some bytes of a blob, as often as told; ranges
// says whether the registry continues blobs.
type cut struct {
	reg    *testRegistry
	after  int64
	times  atomic.Int64
	ranges bool
	cut    func() // called at the cut
	mu     sync.Mutex
	asked  []string // Range headers seen
}

func (c *cut) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if !isBlob(req) || !c.isBig(req) {
		c.reg.serve.ServeHTTP(w, req)
		return
	}
	c.mu.Lock()
	c.asked = append(c.asked, req.Header.Get("Range"))
	c.mu.Unlock()
	if !c.ranges {
		req.Header.Del("Range")
	}
	if c.times.Add(-1) < 0 {
		c.reg.serve.ServeHTTP(w, req)
		return
	}
	c.reg.serve.ServeHTTP(&cutWriter{ResponseWriter: w, left: c.after, cut: c.cut}, req)
}

func (c *cut) isBig(req *http.Request) bool {
	head := httptest.NewRequest(http.MethodHead, req.URL.Path, nil)
	answer := httptest.NewRecorder()
	c.reg.serve.ServeHTTP(answer, head)
	var size int64
	fmt.Sscan(answer.Header().Get("Content-Length"), &size)
	return size > 1<<20
}

type cutWriter struct {
	http.ResponseWriter
	left int64
	cut  func()
}

func (w *cutWriter) Write(p []byte) (int, error) {
	if int64(len(p)) > w.left {
		w.ResponseWriter.Write(p[:w.left])
		w.ResponseWriter.(http.Flusher).Flush()
		if w.cut != nil {
			w.cut()
		}
		panic(http.ErrAbortHandler) // closes the connection
	}
	w.left -= int64(len(p))
	return w.ResponseWriter.Write(p)
}

func TestPullResumes(t *testing.T) {
	for _, test := range []struct {
		name   string
		ranges bool
		times  int64
		fails  bool
	}{
		{"continued", true, 3, false},
		{"from the start without ranges", false, 3, false},
		{"gives up without ranges", false, 1000, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			reg := newRegistry(t)
			ref := reg.push(t, "big:1", bigImage(t))
			c := &cut{reg: reg, after: 700 << 10, ranges: test.ranges}
			c.times.Store(test.times)
			reg.wrap = c.ServeHTTP
			s := openStore(t, Options{})
			_, err := s.Pull(context.Background(), ref, PullOptions{})
			if (err != nil) != test.fails {
				t.Fatal(err)
			}
			if test.fails {
				contains(t, err.Error(), "without progress")
				return
			}
			if len(c.asked) != 4 || c.asked[0] != "" || !strings.HasPrefix(c.asked[1], "bytes=") || c.asked[1] == "bytes=0-" {
				t.Errorf("asked for %q", c.asked)
			}
			if test.ranges && c.asked[1] == c.asked[2] {
				t.Errorf("started over: %q", c.asked)
			}
			noLeftovers(t, s)
		})
	}
}

// blobsLeft are the interrupted downloads of big blobs.
func blobsLeft(t testing.TB, s *Store) []string {
	t.Helper()
	left, err := filepath.Glob(s.path("partial", "*"))
	must(t, err)
	return slices.DeleteFunc(left, func(name string) bool { return fileSize(name) < 64<<10 })
}

// TestPullResumesLater continues what another process left, and survives a
// beginning that is not the blob's.
func TestPullResumesLater(t *testing.T) {
	for _, spoil := range []bool{false, true} {
		t.Run(fmt.Sprintf("spoilt=%v", spoil), func(t *testing.T) {
			reg := newRegistry(t)
			ref := reg.push(t, "big:1", bigImage(t))
			s := openStore(t, Options{})
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			// Stands still in the middle of the blob, until the client goes.
			c := &cut{reg: reg, after: 2 << 20, cut: func() { <-ctx.Done() }}
			c.times.Store(1)
			reg.wrap = c.ServeHTTP
			_, err := s.Pull(ctx, ref, PullOptions{Progress: func(e Event) {
				if e.Stage == StageDownload && e.Done >= 1<<20 {
					cancel()
				}
			}})
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v, not %v", err, context.Canceled)
			}
			left := blobsLeft(t, s)
			if len(left) != 1 {
				t.Fatalf("partial blobs %v", left)
			}
			if spoil {
				f, err := os.OpenFile(left[0], os.O_RDWR, 0)
				must(t, err)
				_, err = f.WriteAt([]byte("something else"), 100)
				must(t, err)
				must(t, f.Close())
			}
			var asked []string
			reg.wrap = func(w http.ResponseWriter, req *http.Request) {
				if isBlob(req) && c.isBig(req) {
					asked = append(asked, req.Header.Get("Range"))
				}
				reg.serve.ServeHTTP(w, req)
			}
			_, err = s.Pull(context.Background(), ref, PullOptions{})
			if spoil {
				if !errors.Is(err, ErrDigest) {
					t.Fatalf("error %v, not %v", err, ErrDigest)
				}
				_, err = s.Pull(context.Background(), ref, PullOptions{})
			}
			must(t, err)
			if !strings.HasPrefix(asked[0], "bytes=") {
				t.Errorf("started over: %q", asked)
			}
			noLeftovers(t, s)
		})
	}
}

// TestPullStalls has a registry that falls silent in the middle of a blob.
func TestPullStalls(t *testing.T) {
	reg := newRegistry(t)
	ref := reg.push(t, "big:1", bigImage(t))
	silent := make(chan struct{})
	c := &cut{reg: reg, after: 1 << 20, ranges: true, cut: func() { <-silent }}
	c.times.Store(1)
	reg.wrap = c.ServeHTTP
	s := openStore(t, Options{})
	s.patience.stall = 50 * time.Millisecond
	_, err := s.Pull(context.Background(), ref, PullOptions{})
	close(silent)
	must(t, err)
	if len(c.asked) != 2 || !strings.HasPrefix(c.asked[1], "bytes=") {
		t.Errorf("asked for %q", c.asked)
	}
}

func TestPullInsecure(t *testing.T) {
	server := httptest.NewUnstartedServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that is to fail
	server.StartTLS()
	defer server.Close()
	img := imageOf(t, gzipLayer(t, entry{name: "f"}))
	ref, err := name.ParseReference(strings.TrimPrefix(server.URL, "https://") + "/app:1")
	must(t, err)
	must(t, remote.Write(ref, img, remote.WithTransport(server.Client().Transport)))
	s := openStore(t, Options{})
	if _, err := s.Pull(context.Background(), ref.String(), PullOptions{}); err == nil {
		t.Error("pulled from a registry whose certificate nobody vouches for")
	}
	if _, err := s.Pull(context.Background(), ref.String(), PullOptions{Insecure: true}); err != nil {
		t.Error(err)
	}
}

func TestPullWrongContent(t *testing.T) {
	reg := newRegistry(t)
	ref := reg.push(t, "app:1", bigImage(t))
	reg.wrap = func(w http.ResponseWriter, req *http.Request) {
		c := &cut{reg: reg}
		if isBlob(req) && c.isBig(req) {
			answer := httptest.NewRecorder()
			reg.serve.ServeHTTP(answer, req)
			body := answer.Body.Bytes()
			body[len(body)/2] ^= 1
			w.Write(body)
			return
		}
		reg.serve.ServeHTTP(w, req)
	}
	s := openStore(t, Options{})
	_, err := s.Pull(context.Background(), ref, PullOptions{})
	if !errors.Is(err, ErrDigest) {
		t.Fatalf("error %v, not %v", err, ErrDigest)
	}
	if list, _ := s.List(context.Background()); len(list) != 0 {
		t.Errorf("in the store: %v", list)
	}
	noLeftovers(t, s)
}

func TestPullRefusals(t *testing.T) {
	reg := newRegistry(t)
	s := openStore(t, Options{})
	for ref, text := range map[string]string{
		reg.host + "/none:1": "NAME_UNKNOWN",
		"BAD NAME":           "could not parse reference",
	} {
		_, err := s.Pull(context.Background(), ref, PullOptions{})
		if err == nil {
			t.Fatalf("pulled %s", ref)
		}
		contains(t, err.Error(), "pull "+ref)
		contains(t, err.Error(), text)
	}
}

func TestConcurrentPulls(t *testing.T) {
	reg := newRegistry(t)
	ref := reg.push(t, "app:1", bigImage(t))
	s := openStore(t, Options{})
	second, err := Open(s.dir, Options{})
	must(t, err)
	var group sync.WaitGroup
	for i := range 6 {
		group.Go(func() {
			if _, err := []*Store{s, second}[i%2].Pull(context.Background(), ref, PullOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	// Six configs, and each layer once.
	if n := reg.blobs.Load(); n != 6+2 {
		t.Errorf("%d blobs fetched, not 8", n)
	}
}
