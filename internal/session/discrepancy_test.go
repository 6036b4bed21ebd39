package session_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"assay"
	"assay/internal/reconcile"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/session"
)

// rounds are those of a reconciler over the sessions of a fixture.
type rounds struct {
	*reconcile.Reconciler
	*fixture
	clock *clock

	mu    sync.Mutex
	found []assay.DiscrepancyKind
}

func (r *rounds) DiscrepancyFound(kind assay.DiscrepancyKind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found = append(r.found, kind)
}

func (r *rounds) OrphanDestroyed() {}

func reconciling(t *testing.T) *rounds {
	t.Helper()
	r := &rounds{clock: &clock{}}
	r.fixture = newFixture(t, func(c *session.Config) { c.Now = r.clock.now })
	r.Reconciler = reconcile.New(reconcile.Config{
		Parts:   []reconcile.Part{{Service: r.Service, Owns: session.Owns}},
		Runtime: r.runtime, Uses: r.Uses, Observer: r, Log: slog.New(slog.DiscardHandler), Now: r.clock.now,
	})
	return r
}

// finds makes two rounds, a minute apart, and compares what is found.
func (r *rounds) finds(want ...assay.DiscrepancyKind) {
	r.t.Helper()
	r.Round(r.t.Context())
	if r.found != nil {
		r.t.Errorf("found without grace: %v", r.found)
	}
	r.clock.advance(time.Minute)
	r.Round(r.t.Context())
	if !slices.Equal(r.found, want) {
		r.t.Errorf("found %v, want %v", r.found, want)
	}
	if report := r.Report(); report.Rounds != 2 || report.Total() != len(want) || report.Error != "" || report.Last == nil {
		r.t.Errorf("the report is %+v", report)
	}
	r.found = nil
	r.clock.advance(time.Minute)
	if r.Round(r.t.Context()); r.found != nil {
		r.t.Errorf("found again: %v", r.found)
	}
}

// stored stores a session behind the back of the service.
func (r *rounds) stored(status assay.SessionStatus) *assay.Session {
	r.t.Helper()
	now := r.clock.now().UTC()
	sess, _, err := r.store.InsertSession(r.t.Context(), &assay.Session{
		ID: assay.NewID(assay.PrefixSession), UserID: user, Dataset: "d", SampleID: "s", SampleVersion: 1,
		Status: assay.SessionCreating, RequestedAt: now, ExpiresAt: now.Add(time.Hour), Location: "memory",
	}, session.Idempotency{}, session.LiveLimits{})
	if err != nil {
		r.t.Fatal(err)
	}
	if status == assay.SessionReady {
		sess, _, err = r.store.MoveSession(r.t.Context(), sess.ID, assay.SessionCreating, session.SessionChange{Status: status, ReadyAt: &now})
		if err != nil {
			r.t.Fatal(err)
		}
	}
	return sess
}

func (r *rounds) endsWith(sess *assay.Session, status assay.SessionStatus, code assay.Code) {
	r.t.Helper()
	if got := r.awaited(sess, status); got.Error == nil || got.Error.Code != code {
		r.t.Errorf("it ended with %+v, want %s", got.Error, code)
	}
}

func TestAHealthyServerFindsNothing(t *testing.T) {
	r := reconciling(t)
	sess := r.ready()
	r.exec(sess, "gate g")
	<-r.gates.gate("at g")
	making := r.beingMade()
	r.finds()
	r.awaited(making, assay.SessionCreating)
	r.awaited(sess, assay.SessionReady)
}

func TestALiveRowThatNobodyOwnsEnds(t *testing.T) {
	r := reconciling(t)
	ready, creating := r.stored(assay.SessionReady), r.stored(assay.SessionCreating)
	r.finds(assay.SessionUnowned, assay.SessionUnowned)
	r.endsWith(ready, assay.SessionTerminated, assay.CodeSandboxLost)
	r.endsWith(creating, assay.SessionError, assay.CodeSandboxFailed)
	if got, err := r.Get(t.Context(), user, ready.ID); err != nil || got.Duration(r.clock.now()) > time.Second {
		t.Errorf("%s are billed of a session that nobody saw, %v", got.Duration(r.clock.now()), err)
	}
}

func TestExpiryIsReadFromRows(t *testing.T) {
	r := reconciling(t)
	ready, creating, owned := r.stored(assay.SessionReady), r.stored(assay.SessionCreating), r.ready()
	r.clock.advance(2 * time.Hour) // the timer of its owner waits for the time of the machine
	r.finds(assay.SessionOverdue, assay.SessionOverdue, assay.SessionOverdue)
	for _, sess := range []*assay.Session{ready, creating, owned} {
		r.endsWith(sess, assay.SessionTerminated, assay.CodeExpired)
	}
	r.gone()
}

// vanished is a sandbox of which nothing is left, though its owner waits for its end.
type vanished struct{ *memory.Runtime }

func (vanished) List(context.Context) ([]sandbox.Handle, error) { return nil, nil }

func TestAReadyRowWithoutSandboxEnds(t *testing.T) {
	r := reconciling(t)
	sess := r.ready()
	r.Reconciler = reconcile.New(reconcile.Config{
		Parts:   []reconcile.Part{{Service: r.Service, Owns: session.Owns}},
		Runtime: vanished{r.runtime}, Uses: r.Uses, Observer: r, Log: slog.New(slog.DiscardHandler), Now: r.clock.now,
	})
	r.finds(assay.SessionWithoutSandbox)
	r.endsWith(sess, assay.SessionTerminated, assay.CodeSandboxLost)
	r.gone()
}

func TestASandboxDoesNotOutliveItsSession(t *testing.T) {
	r := reconciling(t)
	sess := r.ready()
	if _, _, err := r.store.MoveSession(t.Context(), sess.ID, assay.SessionReady, session.SessionChange{Status: assay.SessionClosed, EndedAt: new(r.clock.now())}); err != nil {
		t.Fatal(err)
	}
	r.finds(assay.SandboxOutlives)
	r.gone()
}

func TestACommandThatNobodyWaitsForEnds(t *testing.T) {
	r := reconciling(t)
	alive, dead := r.ready(), r.ready()
	began := r.exec(alive, "gate g")
	<-r.gates.gate("at g")
	var all []*assay.Interaction
	for _, sess := range []*assay.Session{alive, dead} {
		in, _, err := r.store.InsertInteraction(t.Context(), &assay.Interaction{
			ID: assay.NewID(assay.PrefixInteraction), SessionID: sess.ID, CreatedAt: time.Now(), Command: "echo x", Status: assay.InteractionProcessing,
		}, session.Idempotency{}, 10)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, in)
	}
	if _, err := r.Close(t.Context(), user, dead.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() (struct{}, error) {
		if r.Uses(dead.ID) {
			return struct{}{}, errors.New("the session's watch has not ended")
		}
		return struct{}{}, nil
	})
	r.finds(assay.InteractionAbandoned, assay.InteractionAbandoned)
	for _, in := range all {
		if end := r.ended(in); end.ExitCode != assay.ExitUnknown || end.Message == "" {
			t.Errorf("it ended with %d: %q", end.ExitCode, end.Message)
		}
	}
	close(r.gates.gate("g"))
	if end := r.ended(began); end.ExitCode != 7 {
		t.Errorf("one that somebody waits for ended with %d", end.ExitCode)
	}
}

func TestOrphansAreFoundAndDestroyed(t *testing.T) {
	r := reconciling(t)
	kept, sess := r.ready(), r.ready()
	refused := make(chan struct{})
	r.runtime.SetFaults(memory.Faults{Destroy: func(context.Context, sandbox.Handle) error {
		close(refused)
		return context.DeadlineExceeded
	}})
	if _, err := r.Close(t.Context(), user, sess.ID); err != nil {
		t.Fatal(err)
	}
	<-refused
	r.runtime.SetFaults(memory.Faults{})
	eventually(t, func() (struct{}, error) {
		if r.Uses(sess.ID) {
			return struct{}{}, errors.New("the session's watch has not ended")
		}
		return struct{}{}, nil
	})
	r.finds(assay.SandboxUnowned)
	if names := r.runtime.Names(); len(names) != 1 || names[0] != kept.ID {
		t.Errorf("%q is left, want %s", names, kept.ID)
	}
}
