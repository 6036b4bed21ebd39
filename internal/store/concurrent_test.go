package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"assay"
	"assay/internal/session"
	"assay/internal/store"
	"assay/internal/store/pgtest"
)

// empty makes a database without a schema, by engine.
var empty = map[string]func(testing.TB) string{"sqlite": newFile, "postgres": pgtest.Database}

// TestProcessesThatStartAtOnceMigrateOnce opens an empty database many times at the
// same time. Each opening has connections and locks of its own, as processes have.
func TestProcessesThatStartAtOnceMigrateOnce(t *testing.T) {
	for name, database := range empty {
		t.Run(name, func(t *testing.T) {
			var (
				database = database(t)
				mu       sync.Mutex
				migrated int
				all      sync.WaitGroup
			)
			for range 12 {
				all.Go(func() {
					before, err := store.Migrate(context.Background(), database, store.Options{})
					if err != nil {
						t.Error(err)
					}
					if !before.Current() {
						mu.Lock()
						defer mu.Unlock()
						migrated++
					}
				})
			}
			all.Wait()
			if migrated != 1 {
				t.Errorf("%d of them migrated, want 1", migrated)
			}
			open(t, database)
		})
	}
}

// TestWaitingForTheSchemaEndsWithTheContext has somebody migrate for long.
func TestWaitingForTheSchemaEndsWithTheContext(t *testing.T) {
	for name, database := range empty {
		t.Run(name, func(t *testing.T) {
			database := database(t)
			unlock, err := store.LockSchema(t.Context(), database)
			must(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, err := store.Open(ctx, database, store.Options{}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want the end of the context", err)
			}
			must(t, unlock())
		})
	}
}

// TestTransactionsThatCollideAreDoneAgain lets many writers at the same rows: each
// counts the live sessions of a user before it makes one.
func TestTransactionsThatCollideAreDoneAgain(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		s, sess, _ := filled(t, database)
		other := open(t, database) // another process
		const most, writers = 10, 60
		var (
			mu    sync.Mutex
			codes = map[assay.Code]int{}
			all   sync.WaitGroup
		)
		for i := range writers {
			s := []*store.Store{s, other}[i%2]
			all.Go(func() {
				next := *sess
				next.ID, next.Status = assay.NewID(assay.PrefixSession), assay.SessionCreating
				_, _, err := s.InsertSession(context.Background(), &next, session.Idempotency{}, session.LiveLimits{PerUser: most})
				mu.Lock()
				defer mu.Unlock()
				codes[assay.CodeOf(err)]++
				if err != nil && assay.CodeOf(err) != assay.CodeTooManySessions {
					t.Error(err)
				}
			})
		}
		all.Wait()
		live, err := s.LiveSessions(t.Context())
		must(t, err)
		if len(live) != most || codes[""] != most-1 {
			t.Errorf("%d sessions live, of which %d were made, want %d; answers by code: %v", len(live), codes[""], most, codes)
		}
	})
}

// TestOneKeyMakesOneThingFromManyProcesses sends a request many times at once.
func TestOneKeyMakesOneThingFromManyProcesses(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		s, sess, _ := filled(t, database)
		other := open(t, database)
		idem := session.Idempotency{Key: "retry", RequestHash: "hash"}
		var (
			mu   sync.Mutex
			ids  = map[string]int{}
			made int
			all  sync.WaitGroup
		)
		for i := range 40 {
			s := []*store.Store{s, other}[i%2]
			all.Go(func() {
				in, created, err := s.InsertInteraction(context.Background(), interaction(sess.ID), idem, 0)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				ids[in.ID]++
				if created {
					made++
				}
			})
		}
		all.Wait()
		if len(ids) != 1 || made != 1 {
			t.Errorf("%d commands were stored and %d said to be made, want one", len(ids), made)
		}
	})
}
