// Package storetest is what every store must do: one suite for the ports that the
// services declare, run against each database.
package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"assay"
	"assay/internal/alteration/catalog"
	"assay/internal/alteration/idle"
	"assay/internal/billing"
	"assay/internal/dataset"
	"assay/internal/identity"
	"assay/internal/queue"
	"assay/internal/session"
	"assay/internal/verification"
)

// Stores is a store as all services see it.
type Stores interface {
	session.Store
	verification.Store
	verification.Judged
	dataset.Store
	identity.Store
	billing.Store
	identity.LoginStore
	catalog.Store
	idle.Uses
	queue.Store
}

// Run runs the suite. Open returns an empty store, which it closes when its test ends.
func Run(t *testing.T, open func(t *testing.T) Stores) {
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"Identity", identityTests},
		{"Login", loginTests},
		{"Audit", auditTests},
		{"Dataset", datasetTests},
		{"Validation", validationTests},
		{"Session", sessionTests},
		{"Interaction", interactionTests},
		{"Verification", verificationTests},
		{"Queue", queueTests},
		{"Evidence", evidenceTests},
		{"Plays", playTests},
		{"Withdrawals", withdrawalTests},
		{"Alterations", alterationTests},
		{"Ledger", ledgerTests},
		{"Statement", statementTests},
		{"Deposit", depositTests},
		{"Text", textTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, tt := range group.tests {
				t.Run(tt.name, func(t *testing.T) {
					f := fixture{T: t, Stores: open(t), ctx: t.Context()}
					tt.run(f)
					f.provesBooks()
				})
			}
		})
	}
}

type test struct {
	name string
	run  func(f fixture)
}

// fixture is one test and its store, with short ways to fill it.
type fixture struct {
	*testing.T
	Stores
	ctx context.Context
}

// at is a moment with more digits than a store keeps.
var at = time.Date(2026, 3, 1, 12, 30, 15, 123_456_789, time.FixedZone("elsewhere", 3600))

// kept is at as a store returns it.
var kept = at.UTC().Truncate(time.Microsecond)

// untold is no event of the audit log.
var untold assay.AuditEvent

func later(t time.Time) *time.Time {
	t = t.Add(time.Minute)
	return &t
}

// must fails the test at once when err is not nil.
func (f fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// code checks that err has a code that its user sees.
func (f fixture) code(err error, want assay.Code) {
	f.Helper()
	if got := assay.CodeOf(err); got != want {
		f.Errorf("got error %v with code %q, want code %q", err, got, want)
	}
}

func (f fixture) user() *assay.User {
	f.Helper()
	u := &assay.User{ID: assay.NewID(assay.PrefixUser), Name: "Ada", Email: "ada@example.org", CreatedAt: kept, Active: true}
	f.must(f.InsertUser(f.ctx, u, untold))
	return u
}

// sample stores a dataset with one sample, both with these names.
func (f fixture) sample(dataset, id string) *assay.Sample {
	f.Helper()
	s := &assay.Sample{Dataset: dataset, ID: id, CreatedAt: kept}
	_, err := f.ImportDataset(f.ctx, &assay.Dataset{Name: dataset}, []*assay.Sample{s})
	f.must(err)
	return s
}

func newSession(userID, dataset, sampleID string) *assay.Session {
	return &assay.Session{
		ID: assay.NewID(assay.PrefixSession), UserID: userID, Dataset: dataset, SampleID: sampleID, SampleVersion: 1,
		Status: assay.SessionCreating, RequestedAt: kept, ExpiresAt: *later(kept), Location: "here",
	}
}

// creating stores a session that is creating, of a new user.
func (f fixture) creating() *assay.Session {
	f.Helper()
	u := f.user()
	f.sample("starter", "one")
	s, _, err := f.InsertSession(f.ctx, newSession(u.ID, "starter", "one"), session.Idempotency{}, session.LiveLimits{})
	f.must(err)
	return s
}

// ready stores a session that is ready, of a new user.
func (f fixture) ready() *assay.Session {
	f.Helper()
	s, _, err := f.MoveSession(f.ctx, f.creating().ID, assay.SessionCreating, session.SessionChange{Status: assay.SessionReady, ReadyAt: &kept})
	f.must(err)
	return s
}

// close ends a session that is ready.
func (f fixture) close(id string) {
	f.Helper()
	_, _, err := f.MoveSession(f.ctx, id, assay.SessionReady, session.SessionChange{Status: assay.SessionClosed, EndedAt: later(kept)})
	f.must(err)
}

// race calls f(0) to f(n-1) at the same time and returns how many were true.
func race(n int, f func(i int) bool) int {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		won   int
		start = make(chan struct{})
	)
	for i := range n {
		wg.Go(func() {
			<-start
			if f(i) {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
	}
	close(start)
	wg.Wait()
	return won
}

func numbered(prefix string, i int) string { return fmt.Sprintf("%s-%06d", prefix, i) }
