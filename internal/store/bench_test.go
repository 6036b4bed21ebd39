package store_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/internal/session"
	"assay/internal/store"
)

// onEachBench runs a benchmark on each engine, with a user, a key and a session that is
// ready.
func onEachBench(b *testing.B, bench func(*testing.B, *store.Store, *assay.Session, *assay.APIKey)) {
	for name, database := range engines {
		b.Run(name, func(b *testing.B) {
			s, sess, key := filled(b, database(b))
			bench(b, s, sess, key)
		})
	}
}

func BenchmarkSession(b *testing.B) {
	onEachBench(b, func(b *testing.B, s *store.Store, sess *assay.Session, _ *assay.APIKey) {
		for b.Loop() {
			_, err := s.Session(b.Context(), sess.UserID, sess.ID)
			must(b, err)
		}
	})
}

func BenchmarkSessionParallel(b *testing.B) {
	onEachBench(b, func(b *testing.B, s *store.Store, sess *assay.Session, _ *assay.APIKey) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Session(b.Context(), sess.UserID, sess.ID); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkAPIKeyByHash(b *testing.B) {
	onEachBench(b, func(b *testing.B, s *store.Store, _ *assay.Session, key *assay.APIKey) {
		for b.Loop() {
			_, _, err := s.APIKeyByHash(b.Context(), key.Hash)
			must(b, err)
		}
	})
}

func BenchmarkInteraction(b *testing.B) {
	onEachBench(b, func(b *testing.B, s *store.Store, sess *assay.Session, _ *assay.APIKey) {
		in, _, err := s.InsertInteraction(b.Context(), interaction(sess.ID), session.Idempotency{}, 32)
		must(b, err)
		_, err = s.FinishInteraction(b.Context(), finished(in, strings.Repeat("x", 1000)))
		must(b, err)
		for b.Loop() {
			_, err := s.Interaction(b.Context(), sess.UserID, sess.ID, in.ID)
			must(b, err)
		}
	})
}

// BenchmarkExec is both writes of a command: its beginning and its end.
func BenchmarkExec(b *testing.B) {
	for name, output := range map[string]string{"1KiB": strings.Repeat("x", 1<<10), "1MiB": strings.Repeat("x", 1<<20)} {
		b.Run(name, func(b *testing.B) {
			onEachBench(b, func(b *testing.B, s *store.Store, sess *assay.Session, _ *assay.APIKey) {
				for b.Loop() {
					in, _, err := s.InsertInteraction(b.Context(), interaction(sess.ID), session.Idempotency{}, 32)
					must(b, err)
					_, err = s.FinishInteraction(b.Context(), finished(in, output))
					must(b, err)
				}
			})
		})
	}
}

func BenchmarkInsertInteraction(b *testing.B) {
	onEachBench(b, func(b *testing.B, s *store.Store, sess *assay.Session, _ *assay.APIKey) {
		for b.Loop() {
			in, _, err := s.InsertInteraction(b.Context(), interaction(sess.ID), session.Idempotency{}, 32)
			must(b, err)
			b.StopTimer()
			_, err = s.FinishInteraction(b.Context(), finished(in, ""))
			must(b, err)
			b.StartTimer()
		}
	})
}

func BenchmarkTouchAPIKey(b *testing.B) {
	onEachBench(b, func(b *testing.B, s *store.Store, _ *assay.Session, key *assay.APIKey) {
		for b.Loop() {
			must(b, s.TouchAPIKey(b.Context(), key.ID, time.Now()))
		}
	})
}

func BenchmarkInsertSession(b *testing.B) {
	onEachBench(b, func(b *testing.B, s *store.Store, sess *assay.Session, _ *assay.APIKey) {
		for b.Loop() {
			next := *sess
			next.ID, next.Status = assay.NewID(assay.PrefixSession), assay.SessionCreating
			_, _, err := s.InsertSession(b.Context(), &next, session.Idempotency{}, session.LiveLimits{})
			must(b, err)
		}
	})
}

func BenchmarkPing(b *testing.B) {
	onEachBench(b, func(b *testing.B, s *store.Store, _ *assay.Session, _ *assay.APIKey) {
		for b.Loop() {
			must(b, s.Ping(b.Context()))
		}
	})
}

// BenchmarkExecInManySessions is BenchmarkExec in sixteen sessions at once, whose
// transactions collide on PostgreSQL.
func BenchmarkExecInManySessions(b *testing.B) {
	onEachBench(b, func(b *testing.B, s *store.Store, sess *assay.Session, _ *assay.APIKey) {
		ids := make(chan string, 16)
		for range cap(ids) {
			ids <- another(b, s, sess)
		}
		b.SetParallelism(cap(ids) / runtime.GOMAXPROCS(0))
		b.RunParallel(func(pb *testing.PB) {
			id := <-ids
			ids <- id // at the end of the line
			for pb.Next() {
				exec(b, s, id)
			}
		})
	})
}

// another stores one more session that is ready.
func another(b *testing.B, s *store.Store, like *assay.Session) (id string) {
	b.Helper()
	next := *like
	next.ID, next.Status = assay.NewID(assay.PrefixSession), assay.SessionCreating
	_, _, err := s.InsertSession(b.Context(), &next, session.Idempotency{}, session.LiveLimits{})
	must(b, err)
	_, _, err = s.MoveSession(b.Context(), next.ID, assay.SessionCreating, session.SessionChange{Status: assay.SessionReady, ReadyAt: &next.RequestedAt})
	must(b, err)
	return next.ID
}
