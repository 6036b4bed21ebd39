package queue_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"assay"
	"assay/internal/queue"
	"assay/internal/session"
	"assay/internal/store"
	"assay/internal/store/pgtest"
	"assay/internal/verification"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(envCrash); path != "" {
		if err := workUntilKilled(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	goleak.VerifyTestMain(pgtest.Stopping(m))
}

// engines are the databases that tests run on, each with a way to make an empty one.
var engines = map[string]func(testing.TB) string{
	"sqlite":   func(tb testing.TB) string { return filepath.Join(tb.TempDir(), "assay.db") },
	"postgres": pgtest.Database,
}

// onEach runs a test on an empty database of each engine.
func onEach(t *testing.T, test func(f *fixture)) {
	for name, database := range engines {
		t.Run(name, func(t *testing.T) { test(newFixture(t, database(t))) })
	}
}

// fixture is a database, with a session of each user who has verifications.
type fixture struct {
	testing.TB
	database string
	store    *store.Store
	sessions map[string]*assay.Session
}

func newFixture(tb testing.TB, database string) *fixture {
	tb.Helper()
	f := &fixture{TB: tb, database: database, store: open(tb, database), sessions: map[string]*assay.Session{}}
	_, err := f.store.ImportDataset(tb.Context(), &assay.Dataset{Name: "d"}, []*assay.Sample{{Dataset: "d", ID: "one"}})
	must(tb, err)
	return f
}

// open opens a database, as each server does for itself.
func open(tb testing.TB, database string) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), database, store.Options{})
	must(tb, err)
	tb.Cleanup(func() { must(tb, s.Close()) })
	return s
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func (f *fixture) session(user string) *assay.Session {
	f.Helper()
	if s := f.sessions[user]; s != nil {
		return s
	}
	now := time.Now()
	must(f, f.store.InsertUser(f.Context(), &assay.User{ID: "usr_" + user, CreatedAt: now, Active: true}, assay.AuditEvent{}))
	s, _, err := f.store.InsertSession(f.Context(), &assay.Session{
		ID: "ses_" + user, UserID: "usr_" + user, Dataset: "d", SampleID: "one", SampleVersion: 1,
		Status: assay.SessionCreating, RequestedAt: now, ExpiresAt: now.Add(time.Hour),
	}, session.Idempotency{}, session.LiveLimits{})
	must(f, err)
	f.sessions[user] = s
	return s
}

// add stores a verification of a user, without a word to any queue.
func (f *fixture) add(user, id, origin string) {
	f.Helper()
	s := f.session(user)
	_, _, err := f.store.InsertVerification(f.Context(), &assay.Verification{
		ID: id, SessionID: s.ID, UserID: s.UserID, Dataset: "d", SampleID: "one", SampleVersion: 1,
		Status: assay.VerificationPending, CreatedAt: time.Now(),
	}, session.Idempotency{}, 0, origin)
	must(f, err)
}

func (f *fixture) enqueue(q *queue.Queue, id string) {
	f.Helper()
	f.add("ada", id, "")
	q.Wake()
}

// end ends a verification under its lease.
func (f *fixture) end(v *assay.Verification) error { return end(f.store, v) }

func end(s *store.Store, v *assay.Verification) error {
	_, moved, err := s.MoveVerification(context.Background(), v.ID, assay.VerificationStarting,
		verification.Change{Status: assay.VerificationCompleted, Lease: v.Lease})
	if err == nil && !moved {
		err = fmt.Errorf("%s is no longer of %s", v.ID, v.Lease)
	}
	return err
}

func (f *fixture) get(id string) *assay.Verification {
	f.Helper()
	v, err := f.store.Verification(f.Context(), "", "", id)
	must(f, err)
	return v
}

// sawDie has a verification that nobody works on see some servers die.
func (f *fixture) sawDie(id string, deaths int) {
	f.Helper()
	for range deaths {
		job, err := f.store.ClaimVerification(f.Context(), queue.Claim{Lease: "deadbeef1", For: time.Hour, Alone: true, At: time.Now()})
		must(f, err)
		if job == nil || job.ID != id {
			f.Fatalf("claimed %+v, want %s", job, id)
		}
		_, err = f.store.ReapVerifications(f.Context(), "another0", true)
		must(f, err)
	}
}

// queue makes a queue, and cuts short what it does when the test ends.
func (f *fixture) queue(cfg queue.Config) *queue.Queue {
	f.Helper()
	if cfg.Store == nil {
		cfg.Store = f.store
	}
	q, err := queue.New(cfg)
	must(f, err)
	f.Cleanup(func() { must(f, stopNow(q)) })
	return q
}

// judge tells which jobs begin; each ends when the test lets it.
type judge struct {
	f     *fixture
	begun chan string
	end   chan struct{}
}

func newJudge(f *fixture) *judge { return &judge{f, make(chan string), make(chan struct{})} }

// judge waits until it is let, or cut short.
func (j *judge) judge(ctx context.Context, v *assay.Verification) error {
	select {
	case j.begun <- v.ID:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-j.end:
		return j.f.end(v)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// none checks that nothing begins for a moment.
func (j *judge) none(when string) {
	j.f.Helper()
	select {
	case id := <-j.begun:
		j.f.Errorf("%s: %s began", when, id)
	case <-time.After(100 * time.Millisecond):
	}
}

// next checks what begins next.
func (j *judge) next(want ...string) {
	j.f.Helper()
	for range want {
		id := <-j.begun
		found := false
		for _, w := range want {
			found = found || w == id
		}
		if !found {
			j.f.Errorf("%s began, want one of %v", id, want)
		}
	}
}
