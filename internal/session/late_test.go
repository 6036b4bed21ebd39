package session_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/session"
	"assay/internal/store/storetest"
)

// late returns a service whose store commits and answers with an error then, once.
func late(t *testing.T) (*fixture, *storetest.Late) {
	t.Helper()
	var l *storetest.Late
	f := newFixture(t, func(c *session.Config) {
		l = storetest.NewLate(c.Store.(storetest.Stores))
		c.Store, c.SeeEvery, c.BeatEvery = l, time.Millisecond, time.Millisecond
		c.Price = func(string) assay.MicroUSD { return assay.MicrosPerCent }
	})
	credit := assay.Transaction{
		ID: assay.NewID(assay.PrefixTransaction), UserID: user, Type: assay.TransactionDeposit, Amount: assay.FromCents(1000),
		Against: assay.AccountPromotions, CreatedAt: time.Now().UTC(), Description: "for the test", Key: "k",
	}
	if _, _, err := f.store.Post(t.Context(), credit, assay.AuditEvent{}); err != nil {
		t.Fatal(err)
	}
	return f, l
}

// The errors of a write that was committed.
var lateErrors = map[string]error{
	"out of time": context.DeadlineExceeded,
	"unknown":     assay.Wrap(storetest.Lost{}, assay.CodeUnavailable, "it is not known whether this was done"),
}

// Whatever write loses its answer: no command stays under way, no session lives without an
// owner, no sandbox without a session, and nothing is billed twice.
func TestAWriteWhoseAnswerIsLostHasItsRightEnd(t *testing.T) {
	moves := []assay.SessionStatus{assay.SessionReady, assay.SessionClosed}
	for name, lost := range lateErrors {
		for _, method := range storetest.SessionWrites {
			switch method {
			case "ShiftSessions": // which the clock asks for: see TestAClockIsFollowedOnce
				continue
			case "MoveSession":
				for _, to := range moves {
					t.Run(fmt.Sprintf("%s/%s to %s", name, method, to), func(t *testing.T) { endsRight(t, method, to, lost) })
				}
				continue
			}
			t.Run(name+"/"+method, func(t *testing.T) { endsRight(t, method, "", lost) })
		}
	}
}

func endsRight(t *testing.T, method string, to assay.SessionStatus, lost error) {
	f, l := late(t)
	arm := func(when ...string) {
		for _, m := range when {
			if m == method || m == method+" "+string(to) {
				l.After(method, lost)
			}
		}
	}
	arm("InsertSession", "SetHandle", "MoveSession ready", "SeeSessions")
	sess, err := f.Create(t.Context(), user, session.CreateRequest{Dataset: "d", SampleID: "s", TTL: time.Hour})
	if err == nil {
		sess, err = f.Await(t.Context(), user, sess.ID)
	}
	if err == nil && sess.Status == assay.SessionReady {
		f.live(sess, arm)
	}
	eventually(t, func() (struct{}, error) {
		if l.Fired(method) == 0 {
			return struct{}{}, fmt.Errorf("%s lost no answer", method)
		}
		return struct{}{}, f.settled()
	})
	f.gone()
	f.billedOnce()
}

// live lives through a session with everything that is written of one.
func (f *fixture) live(sess *assay.Session, arm func(...string)) {
	f.t.Helper()
	ctx := f.t.Context()
	arm("InsertInteraction", "NoteLookup", "FinishInteraction")
	in, err := f.Exec(ctx, user, sess.ID, session.ExecRequest{Command: "echo $(git reflog)", Timeout: time.Minute})
	if err == nil && f.ended(in).ExitCode != 0 {
		f.t.Errorf("the command ended with %d", in.ExitCode)
	}
	arm("LoseSession", "RegainSession")
	f.runtime.SetFaults(memory.Faults{
		Ping: func(context.Context, sandbox.Handle) error { return errReset },
		Open: func(context.Context, sandbox.Handle) error { return errReset },
	})
	f.unreached(sess)
	f.runtime.SetFaults(memory.Faults{})
	eventually(f.t, func() (struct{}, error) {
		got, err := f.Get(ctx, user, sess.ID)
		if err == nil && (got.UnreachableAt != nil || f.Unreachable() > 0) {
			err = fmt.Errorf("it is unreachable")
		}
		return struct{}{}, err
	})
	arm("MoveSession closed")
	_, _ = f.Close(ctx, user, sess.ID) // perhaps with an error: it is closed all the same
	f.awaited(sess, assay.SessionClosed)
}

// settled tells what is under way, or lives without an owner.
func (f *fixture) settled() error {
	running, err := f.store.RunningInteractions(f.t.Context(), "")
	if err != nil || len(running) > 0 {
		return fmt.Errorf("%d commands are under way, %w", len(running), err)
	}
	live, err := f.store.LiveSessions(f.t.Context())
	if err != nil || len(live) > 0 {
		return fmt.Errorf("%d sessions live, %w", len(live), err)
	}
	return nil
}

// billedOnce holds the ledger against the sessions that were ready.
func (f *fixture) billedOnce() {
	f.t.Helper()
	books, err := f.store.Books(f.t.Context())
	if err != nil || len(books.Findings) > 0 {
		f.t.Errorf("the books: %+v, %v", books.Findings, err)
	}
	page, err := f.List(f.t.Context(), session.Query{})
	if err != nil {
		f.t.Fatal(err)
	}
	var ready int64
	for _, sess := range page.Sessions {
		if sess.ReadyAt != nil {
			ready++
		}
	}
	if books.Sessions != ready {
		f.t.Errorf("%d sessions are billed of %d that were ready", books.Sessions, ready)
	}
}
