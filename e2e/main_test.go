// Package e2e_test drives the built program from outside, with real sandboxes: over
// HTTP as a foreign client would, through its command line, and with signals.
//
// ASSAY_BIN names the directory of the built binaries and ASSAY_STARTER the built
// starter dataset; make e2e sets both. Images are unpacked once and kept beside the
// starter dataset, in e2e/. Every test has users of its own, and one that stops or
// kills a server has a server of its own.
package e2e_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"assay/e2e/harness"
	"assay/internal/store/pgtest"
)

// semver is the sample of the starter dataset whose image all tests use.
const semver = "Masterminds__semver-3.3.1"

// world is what the tests share.
var world struct {
	bin    string          // directory of the built binaries
	folder string          // selected dataset and images, and a data directory whose images all others share
	shared harness.Program // serves the tests that leave the server alone
	server *harness.Server // of shared
	users  atomic.Int64    // made so far, to tell them apart
}

// atOnce is how many tests run at once: they wait more than they work.
const atOnce = "6"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err) // there is no such flag
	}
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (code int, err error) {
	starter := os.Getenv("ASSAY_STARTER")
	world.bin = os.Getenv("ASSAY_BIN")
	if world.bin == "" || starter == "" {
		return 1, errors.New("ASSAY_BIN and ASSAY_STARTER are not set; run make e2e")
	}
	world.folder = filepath.Join(filepath.Dir(starter), "e2e")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	if err := prepareImages(ctx, starter); err != nil {
		return 1, err
	}
	tmp, err := os.MkdirTemp("", "assay-e2e-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	if world.shared, err = newProgram(ctx, tmp, ""); err != nil {
		return 1, err
	}
	// All tests have one address, from which they try a lot of tokens that are refused.
	if world.server, err = world.shared.Start(ctx, "--rate-limit-auth-per-minute=-1"); err != nil {
		return 1, errors.Join(err, showLog(world.shared))
	}
	code = pgtest.Stopping(m).Run()
	err = errors.Join(world.server.Stop(), nothingAtAllLeft(world.shared), noLeases())
	if _, wrong := world.shared.CheckBooks(ctx); wrong != nil {
		err = errors.Join(err, wrong)
	}
	if code != 0 || err != nil {
		err = errors.Join(err, showLog(world.shared))
	}
	return code, err
}

// prepareImages unpacks the image of the tests, once for all runs.
func prepareImages(ctx context.Context, starter string) error {
	if err := harness.Select(starter, world.folder, semver); err != nil {
		return err
	}
	p := harness.Program{Path: filepath.Join(world.bin, "assay"), DataDir: filepath.Join(world.folder, "data")}
	_, err := p.Run(ctx, "image", "load", filepath.Join(world.folder, "images"))
	if err != nil { // unpacked by a program that did so in another way
		if err := os.RemoveAll(p.DataDir); err != nil {
			return err
		}
		_, err = p.Run(ctx, "image", "load", filepath.Join(world.folder, "images"))
	}
	return err
}

// newProgram makes a data directory in dir with the datasets and the images of the
// tests, and a log beside it. The database is the URL of one, or "" for SQLite.
func newProgram(ctx context.Context, dir, database string) (harness.Program, error) {
	p := harness.Program{Path: filepath.Join(world.bin, "assay"), DataDir: filepath.Join(dir, "data"), DatabaseURL: database}
	p.Env = []string{"ASSAY_ALTERATIONS=off"} // tests count sandboxes; those of searches ask for them
	if err := os.Mkdir(p.DataDir, 0o700); err != nil {
		return p, err
	}
	if err := os.Symlink(imagesDir(), filepath.Join(p.DataDir, "images")); err != nil {
		return p, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return p, err
	}
	p.Log = log
	for _, folder := range []string{filepath.Join(world.folder, "dataset"), "testdata/dataset"} {
		if _, err := p.Run(ctx, "dataset", "import", folder); err != nil {
			return p, err
		}
	}
	return p, nil
}

func imagesDir() string { return filepath.Join(world.folder, "data", "images") }

// showLog returns the end of a server's log as an error.
func showLog(p harness.Program) error {
	content, err := os.ReadFile(filepath.Join(filepath.Dir(p.DataDir), "log"))
	if err != nil {
		return err
	}
	const enough = 16 << 10
	return fmt.Errorf("end of the server's log:\n%s", content[max(0, len(content)-enough):])
}

// freed bounds how long freeing sandboxes in the background may take.
const freed = 20 * time.Second

// nothingLeft waits until the host holds nothing for sandboxes of p but those in keep.
func nothingLeft(p harness.Program, keep ...string) error {
	for deadline := time.Now().Add(freed); ; {
		left, err := p.Leftovers(keep...)
		if err != nil || len(left) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the host still holds:\n  %s", strings.Join(left, "\n  "))
		}
		pause(50 * time.Millisecond) // the kernel gives no signal
	}
}

// nothingAtAllLeft is nothingLeft for a program whose server has stopped in order.
func nothingAtAllLeft(p harness.Program) error {
	if err := nothingLeft(p); err != nil {
		return err
	}
	dir, err := p.RunDir()
	if err != nil {
		return err
	}
	_, err = os.Lstat(dir)
	if err == nil {
		return fmt.Errorf("%s is left", dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// noLeases tells whether the sandboxes of all tests gave their images back.
func noLeases() error {
	left, err := world.shared.Leases()
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("%d leases of images are left, such as %s", len(left), left[0])
	}
	return err
}

// ownProgram returns a program with a data directory for one test.
func ownProgram(t *testing.T) harness.Program {
	t.Helper()
	return programOn(t, "")
}

// programOn is ownProgram on a database.
func programOn(t *testing.T, database string) harness.Program {
	t.Helper()
	p, err := newProgram(t.Context(), t.TempDir(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(showLog(p))
		}
	})
	return p
}

// start starts a server. It is killed at the end of the test if it still runs, and
// its sandboxes are destroyed.
func start(t *testing.T, p harness.Program, args ...string) *harness.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := p.Start(ctx, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Kill(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// clean ends everything that sandboxes of p still hold when the test is over, and
// fails the test if that leaves anything. Call it before the first start.
func clean(t *testing.T, p harness.Program) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		s, err := p.Start(ctx, "--destroy-on-exit")
		if err == nil {
			err = s.Stop()
		}
		if err := errors.Join(err, nothingAtAllLeft(p)); err != nil {
			t.Error(err)
		}
	})
}

// eventually waits until ok, for what the program gives no signal of.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); pause(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// pause waits where nobody gives a signal: the kernel does not, nor does a server
// that is down.
func pause(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // see above
}
