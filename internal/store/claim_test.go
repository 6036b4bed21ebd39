package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"assay"
	"assay/internal/store"
	"assay/internal/store/pgtest"
)

// kept is a store whose claim is kept until stop is called. How that ended is sent to ended.
func kept(t *testing.T, url string) (s *store.Store, ended <-chan error, stop func()) {
	t.Helper()
	s = open(t, url)
	claim, err := s.Claim(t.Context())
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	end, joined := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(joined)
		end <- claim.Keep(ctx)
	}()
	stop = func() {
		cancel()
		<-joined
		must(t, claim.Close())
	}
	t.Cleanup(stop)
	return s, end, stop
}

// until waits until the store answers as wanted: nil, or a code.
func until(t *testing.T, s *store.Store, want assay.Code) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; <-time.After(time.Millisecond) {
		err := s.Ping(t.Context())
		if err == nil && want == "" || err != nil && assay.CodeOf(err) == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the store answers %v, want %q", err, want)
		}
	}
}

func TestAClaimIsTakenAgainWhenTheDatabaseIsBack(t *testing.T) {
	p := pgtest.NewProxy(t, migrated.Database(t))
	s, ended, stop := kept(t, p.URL)
	for range 3 {
		p.Away(true)
		until(t, s, assay.CodeUnavailable)
		if err := s.InsertUser(t.Context(), &assay.User{ID: "usr_1"}, assay.AuditEvent{}); assay.CodeOf(err) != assay.CodeUnavailable {
			t.Fatalf("a write meanwhile is answered with %v", err)
		}
		p.Away(false)
		until(t, s, "")
	}
	stop()
	must(t, <-ended)
	must(t, s.Ping(t.Context()))
}

// The database may notice later than its server that a connection is gone, and keep its lock.
func TestAClaimIsTakenAgainWhenTheDatabaseLetsGoOfTheLostConnection(t *testing.T) {
	database := migrated.Database(t)
	p := pgtest.NewProxy(t, database)
	s, ended, stop := kept(t, p.URL)
	p.Leave()
	until(t, s, assay.CodeUnavailable)
	if _, err := open(t, database).Claim(t.Context()); !errors.Is(err, store.ErrClaimed) {
		t.Fatalf("another server gets %v, want %v", err, store.ErrClaimed)
	}
	until(t, s, assay.CodeUnavailable)
	p.Forget()
	until(t, s, "")
	stop()
	must(t, <-ended)
}

// Whoever took the database meanwhile, whether it serves still or not, has taken the sandboxes
// of this server for lost.
func TestAClaimThatAnotherTookIsGone(t *testing.T) {
	for _, still := range []bool{true, false} {
		database := migrated.Database(t)
		p := pgtest.NewProxy(t, database)
		s, ended, _ := kept(t, p.URL)
		p.Away(true)
		until(t, s, assay.CodeUnavailable)
		other := open(t, database)
		var claim *store.Claim
		for claim == nil { // once the database has noticed
			claim, _ = other.Claim(t.Context())
		}
		if !still {
			must(t, claim.Close())
		}
		p.Away(false)
		select {
		case err := <-ended:
			if !errors.Is(err, store.ErrClaimTaken) {
				t.Errorf("it ends with %v, want %v", err, store.ErrClaimTaken)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("it goes on")
		}
		until(t, s, assay.CodeUnavailable) // and stays so
		must(t, claim.Close())
	}
}
