package store_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/internal/session"
	"assay/internal/store"
)

func benched(b *testing.B) (*store.Store, *assay.Session, *assay.APIKey) {
	return filled(b, filepath.Join(b.TempDir(), "assay.db"))
}

func BenchmarkSession(b *testing.B) {
	s, sess, _ := benched(b)
	for b.Loop() {
		_, err := s.Session(b.Context(), sess.UserID, sess.ID)
		must(b, err)
	}
}

func BenchmarkSessionParallel(b *testing.B) {
	s, sess, _ := benched(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Session(b.Context(), sess.UserID, sess.ID); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkAPIKeyByHash(b *testing.B) {
	s, _, key := benched(b)
	for b.Loop() {
		_, _, err := s.APIKeyByHash(b.Context(), key.Hash)
		must(b, err)
	}
}

func BenchmarkInteraction(b *testing.B) {
	s, sess, _ := benched(b)
	in, _, err := s.InsertInteraction(b.Context(), interaction(sess.ID), session.Idempotency{}, 32)
	must(b, err)
	_, err = s.FinishInteraction(b.Context(), finished(in, strings.Repeat("x", 1000)))
	must(b, err)
	for b.Loop() {
		_, err := s.Interaction(b.Context(), sess.UserID, sess.ID, in.ID)
		must(b, err)
	}
}

// BenchmarkExec is both writes of a command: its beginning and its end.
func BenchmarkExec(b *testing.B) {
	for name, output := range map[string]string{"1KiB": strings.Repeat("x", 1<<10), "1MiB": strings.Repeat("x", 1<<20)} {
		b.Run(name, func(b *testing.B) {
			s, sess, _ := benched(b)
			for b.Loop() {
				in, _, err := s.InsertInteraction(b.Context(), interaction(sess.ID), session.Idempotency{}, 32)
				must(b, err)
				_, err = s.FinishInteraction(b.Context(), finished(in, output))
				must(b, err)
			}
		})
	}
}

func BenchmarkInsertInteraction(b *testing.B) {
	s, sess, _ := benched(b)
	for b.Loop() {
		in, _, err := s.InsertInteraction(b.Context(), interaction(sess.ID), session.Idempotency{}, 32)
		must(b, err)
		b.StopTimer()
		_, err = s.FinishInteraction(b.Context(), finished(in, ""))
		must(b, err)
		b.StartTimer()
	}
}

func BenchmarkTouchAPIKey(b *testing.B) {
	s, _, key := benched(b)
	for b.Loop() {
		must(b, s.TouchAPIKey(b.Context(), key.ID, time.Now()))
	}
}

func BenchmarkInsertSession(b *testing.B) {
	s, sess, _ := benched(b)
	for b.Loop() {
		next := *sess
		next.ID, next.Status = assay.NewID(assay.PrefixSession), assay.SessionCreating
		_, _, err := s.InsertSession(b.Context(), &next, session.Idempotency{}, session.LiveLimits{})
		must(b, err)
	}
}

func BenchmarkPing(b *testing.B) {
	s, _, _ := benched(b)
	for b.Loop() {
		must(b, s.Ping(b.Context()))
	}
}
