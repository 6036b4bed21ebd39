package store_test

import (
	"errors"
	"testing"
	"time"

	"assay"
	"assay/internal/persist"
	"assay/internal/session"
	"assay/internal/store"
	"assay/internal/store/pgtest"
	"assay/internal/verification"
)

// behindProxy is a filled store whose connections can be cut.
func behindProxy(t *testing.T) (*store.Store, *pgtest.Proxy, *assay.Session) {
	t.Helper()
	p := pgtest.NewProxy(t, migrated.Database(t))
	s, sess, _ := filled(t, p.URL)
	return s, p, sess
}

// The first statement of a transaction that writes begins with this, also where it is all of it.
const alone = "with written"

func TestAWriteWhoseAnswerIsLostIsLookedUp(t *testing.T) {
	s, p, sess := behindProxy(t)

	p.Once(alone, pgtest.CutAfter)
	in, created, err := s.InsertInteraction(t.Context(), interaction(sess.ID), session.Idempotency{}, 1)
	must(t, err)
	if !created {
		t.Error("a command that was stored is another's")
	}
	p.Once(alone, pgtest.CutAfter)
	if finished, err := s.FinishInteraction(t.Context(), finished(in, "out")); err != nil || !finished {
		t.Errorf("its end was stored by another: %v, %v", finished, err)
	}
	p.Once("commit", pgtest.CutAfter)
	v, created, err := s.InsertVerification(t.Context(), &assay.Verification{
		ID: assay.NewID(assay.PrefixVerification), SessionID: sess.ID, UserID: sess.UserID, Dataset: sess.Dataset, SampleID: sess.SampleID,
		SampleVersion: 1, Status: assay.VerificationPending, CreatedAt: time.Now(),
	}, session.Idempotency{}, 0, "")
	must(t, err)
	if !created {
		t.Error("a verification that was stored is another's")
	}
	p.Once("commit", pgtest.CutAfter)
	if _, moved, err := s.MoveVerification(t.Context(), v.ID, v.Status, verification.Change{Status: assay.VerificationStarting}); err != nil || !moved {
		t.Errorf("it was moved by another: %v, %v", moved, err)
	}
	p.Once("commit", pgtest.CutAfter)
	if _, moved, err := s.MoveSession(t.Context(), sess.ID, assay.SessionReady, closedNow()); err != nil || !moved {
		t.Errorf("the session was closed by another: %v, %v", moved, err)
	}
}

func closedNow() session.SessionChange {
	now := time.Now()
	return session.SessionChange{Status: assay.SessionClosed, EndedAt: &now}
}

func TestAWriteThatDidNotArriveIsNotStored(t *testing.T) {
	s, p, sess := behindProxy(t)
	p.Once(alone, pgtest.CutBefore)
	in := interaction(sess.ID)
	if _, _, err := s.InsertInteraction(t.Context(), in, session.Idempotency{}, 1); assay.CodeOf(err) != assay.CodeUnavailable || persist.IsUnknown(err) {
		t.Errorf("it is answered with %v", err)
	}
	if _, err := s.Interaction(t.Context(), sess.UserID, sess.ID, in.ID); assay.CodeOf(err) != assay.CodeInteractionNotFound {
		t.Errorf("looking for it: %v", err)
	}
	p.Once("commit", pgtest.CutBefore)
	if _, _, err := s.MoveSession(t.Context(), sess.ID, assay.SessionReady, closedNow()); assay.CodeOf(err) != assay.CodeUnavailable || persist.IsUnknown(err) {
		t.Errorf("it is answered with %v", err)
	}
	if got, err := s.Session(t.Context(), "", sess.ID); err != nil || got.Status != assay.SessionReady {
		t.Errorf("the session is %+v, %v", got, err)
	}
	_, moved, err := s.MoveSession(t.Context(), sess.ID, assay.SessionReady, closedNow())
	if err != nil || !moved {
		t.Errorf("again: %v, %v", moved, err)
	}
}

// A database that is away for longer than anybody waits is asked when it is there again.
func TestAnOutcomeIsUnknownAsLongAsTheDatabaseIsAway(t *testing.T) {
	s, p, sess := behindProxy(t)
	p.CutAndAway("commit")
	_, moved, err := s.MoveSession(t.Context(), sess.ID, assay.SessionReady, closedNow())
	var unknown persist.Unknown
	if !errors.As(err, &unknown) || assay.CodeOf(err) != assay.CodeUnavailable || !moved {
		t.Fatalf("it is answered with %v, %v", moved, err)
	}
	if _, err := unknown.Settle(t.Context()); assay.CodeOf(err) != assay.CodeUnavailable {
		t.Errorf("while it is away, its outcome is answered with %v", err)
	}
	p.Choose(nil)
	p.Away(false)
	for range 2 {
		if stored, err := unknown.Settle(t.Context()); err != nil || !stored {
			t.Errorf("once it is back, its outcome is %v, %v", stored, err)
		}
	}
}

// What is said not to be stored never will be: a transaction that has not ended when its
// outcome is asked for finds its token taken, whatever it does then.
func TestWhatIsNotStoredStaysSo(t *testing.T) {
	s, p, sess := behindProxy(t)
	in := interaction(sess.ID)
	p.Choose(func(statement string) pgtest.Cut {
		if len(statement) > len(alone) && statement[:4] == "WITH" {
			return pgtest.CutBefore
		}
		return pgtest.Pass
	})
	for range 3 { // each asks for its outcome, and takes its token
		if _, _, err := s.InsertInteraction(t.Context(), in, session.Idempotency{}, 1); assay.CodeOf(err) != assay.CodeUnavailable {
			t.Fatal(err)
		}
	}
	p.Choose(nil)
	var taken, stored int
	must(t, s.Writer().QueryRow(`SELECT count(*), coalesce(sum(CASE WHEN affected >= 0 THEN 1 END), 0) FROM writes WHERE affected < 0 OR id > (SELECT min(id) FROM writes WHERE affected < 0)`).Scan(&taken, &stored))
	if taken == 0 || stored != 0 {
		t.Errorf("%d tokens are taken, and %d writes stored", taken, stored)
	}
	token := ""
	must(t, s.Writer().QueryRow(`SELECT max(id) FROM writes WHERE affected < 0`).Scan(&token))
	if _, err := s.Writer().Exec(`INSERT INTO writes (id, affected) VALUES ($1, 0)`, token); err == nil {
		t.Error("a write came after it was said not to be stored")
	}
}
