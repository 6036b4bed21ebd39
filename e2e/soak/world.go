package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"assay/client/wire"
	"assay/e2e/harness"
	"assay/internal/store/pgtest"
)

// The samples that sessions are made of: mostly the first, which is judged quickly.
var samples = []string{"hughsk__flat-5.0.1", "Masterminds__semver-3.3.1"}

// diskBytes is the size of the disk that holds the data directory: what runs at once
// writes much less.
const diskBytes = 8 << 30

// world is a server with its disk, and what is known about it.
type world struct {
	*book
	program harness.Program
	disk    *harness.Disk
	listen  string // the same at every start
	user    harness.User
	api     *caller
	fixes   map[string]string // by sample: the patch that solves it

	server  *harness.Server // only the goroutine that makes trouble, and the end of all, look at it
	moments moments
	proxy   *pgtest.Proxy // in front of PostgreSQL; nil on SQLite
}

// open prepares everything in a folder for a program and starts the first server. Images are
// unpacked once and kept there for later runs; the rest is made anew.
func open(ctx context.Context, p harness.Program, starter, dir string, b *book) (_ *world, err error) {
	w := &world{book: b, program: p, fixes: make(map[string]string)}
	if p.DatabaseURL == "" {
		w.notApplied(cutCommit, "SQLite has no connection that could be cut")
	} else if w.proxy, err = pgtest.OpenProxy(p.DatabaseURL); err != nil {
		return nil, err
	} else {
		w.program.DatabaseURL = w.proxy.URL
	}
	if err := harness.Select(starter, dir, samples...); err != nil {
		return nil, err
	}
	selected, err := harness.Samples(dir)
	if err != nil {
		return nil, err
	}
	for _, s := range selected {
		w.fixes[s.ID] = s.ReferencePatch()
	}
	kept := harness.Program{Path: p.Path, DataDir: filepath.Join(dir, "kept"), Env: p.Env}
	if _, err := kept.Run(ctx, "image", "load", filepath.Join(dir, "images")); err != nil { // unpacked for other ids
		if err := os.RemoveAll(kept.DataDir); err != nil {
			return nil, err
		}
		if _, err := kept.Run(ctx, "image", "load", filepath.Join(dir, "images")); err != nil {
			return nil, err
		}
	}
	if err := kept.DropLeases(); err != nil { // of a run that was broken off
		return nil, err
	}
	w.program.DataDir = filepath.Join(dir, "disk", "data")
	if err := w.program.Reboot(); err != nil { // as above
		return nil, err
	}
	if w.disk, err = harness.NewDisk(ctx, filepath.Join(dir, "disk"), diskBytes); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		return nil, err
	}
	w.program.Log = log
	if err := os.Mkdir(w.program.DataDir, 0o700); err != nil {
		return nil, err
	}
	if err := os.Symlink(filepath.Join(kept.DataDir, "images"), filepath.Join(w.program.DataDir, "images")); err != nil {
		return nil, err
	}
	return w, w.furnish(ctx, dir)
}

// furnish makes the dataset, a user with more money than a run costs, and a server.
func (w *world) furnish(ctx context.Context, dir string) (err error) {
	if _, err := w.program.Run(ctx, "dataset", "import", filepath.Join(dir, "dataset")); err != nil {
		return err
	}
	if w.user, err = w.program.NewUser(ctx, "soak"); err != nil {
		return err
	}
	if _, err := w.program.Run(ctx, "user", "credit", w.user.UserID, "1000000", "--reason", "for the soak"); err != nil {
		return err
	}
	if w.listen, err = freeAddress(); err != nil {
		return err
	}
	w.api = &caller{
		base:   "http://" + w.listen + wire.BasePath,
		key:    w.user.Key,
		http:   &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * players}},
		failed: w.failed,
	}
	if err := w.start(ctx); err != nil {
		return err
	}
	return nil
}

// freeAddress finds an address that every server can have, so that clients find it.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// failed judges an answer that is the server's fault. While the disk is at fault
// there is no better one.
func (w *world) failed(what string, r reply) {
	if w.suffered("", time.Now().Add(-tryBound), time.Now(), diskFull, diskReadOnly) > 0 {
		w.count(didRefuse)
		return
	}
	w.wrong(badAnswer, "%s: %s", what, r)
}

// arguments are those of assay serve.
func (w *world) arguments() []string {
	return []string{
		"--listen", w.listen, "--billing", "on", "--max-verifications", "3", "--max-sessions-per-user", "100",
		"--resources-memory-mb", "1024", "--resources-disk-mb", "2048", "--rate-limit-auth-per-minute=-1", "--reconcile-every", roundEvery.String(),
	}
}

// startBound is how long a server may take to recover and to answer.
const startBound = time.Minute

func (w *world) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startBound)
	defer cancel()
	s, err := w.program.Start(ctx, w.arguments()...)
	if err != nil {
		return err
	}
	w.server = s
	return nil
}

// dieWhileStarting starts a server and kills it d later.
func (w *world) dieWhileStarting(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	s, err := w.program.Start(ctx, w.arguments()...)
	if err == nil {
		return s.Kill()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// sessionsNow are all sessions that the server has.
func (w *world) sessionsNow(ctx context.Context) (all []wire.Session, err error) {
	cursor := ""
	for {
		page, _, err := get[wire.SessionList](ctx, w.api, "/sessions?limit=100&cursor="+cursor)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Sessions...)
		if page.NextCursor == nil {
			return all, nil
		}
		cursor = *page.NextCursor
	}
}

// books asks whether the ledger proves itself.
func (w *world) books(ctx context.Context) {
	out, err := w.program.Run(ctx, "billing", "check", "--json")
	var proof struct {
		OK bool `json:"ok"`
	}
	if err == nil {
		err = json.Unmarshal(out, &proof)
	}
	if ctx.Err() == nil && (err != nil || !proof.OK) {
		w.wrong(badBooks, "%s %v", out, err)
	}
}

// close ends whatever the run has left, with the means of the host alone.
func (w *world) close() error {
	var errs []error
	if w.server != nil {
		errs = append(errs, w.server.Kill())
	}
	if w.program.DataDir != "" {
		errs = append(errs, w.program.Reboot())
	}
	if w.disk != nil {
		errs = append(errs, w.disk.Close())
	}
	if w.proxy != nil {
		errs = append(errs, w.proxy.Close())
	}
	return errors.Join(errs...)
}

// moments lets trouble happen at the very moment of a request.
type moments struct {
	mu    sync.Mutex
	armed map[string]chan struct{}
}

// await returns what is closed at the next request of a kind.
func (m *moments) await(kind string) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.armed == nil {
		m.armed = make(map[string]chan struct{})
	}
	if m.armed[kind] == nil {
		m.armed[kind] = make(chan struct{})
	}
	return m.armed[kind]
}

// now tells that a request of a kind is made.
func (m *moments) now(kind string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ch := m.armed[kind]; ch != nil {
		close(ch)
		delete(m.armed, kind)
	}
}

// panicked tells whether a server ever did, by its log.
func (w *world) panicked(dir string) {
	content, err := os.ReadFile(filepath.Join(dir, "server.log"))
	if err != nil {
		w.wrong(badAnswer, "the log of the server cannot be read: %v", err)
		return
	}
	for _, sign := range []string{"\npanic: ", "\nfatal error: ", "panicked", "DATA RACE"} {
		if at := strings.Index(string(content), sign); at >= 0 {
			w.wrong(badAnswer, "the server's log tells: %.2000s", content[at:])
		}
	}
}
