package store

import (
	"sync"
	"testing"

	"assay/internal/store/pgtest"
)

// TestNoUpdateIsLostOrMadeTwiceWithItsAnswer has writers count in one row while the answers
// to their commits are lost: each is told what it did.
func TestNoUpdateIsLostOrMadeTwiceWithItsAnswer(t *testing.T) {
	const writers, each, loses = 3, 5, 4
	p := pgtest.NewProxy(t, pgtest.Database(t))
	s := opened(t, p.URL)
	if _, err := s.writer.exec(t.Context(), upsertDataset, "d", "", 0, 0, "users", "{}"); err != nil {
		t.Fatal(err)
	}
	commits := 0
	p.Choose(func(statement string) pgtest.Cut {
		if statement != "commit" {
			return pgtest.Pass
		}
		commits++
		return []pgtest.Cut{pgtest.Pass, pgtest.CutAfter}[min(1, commits%loses/(loses-1))]
	})
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each {
				if err := countUp(s); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	p.Choose(nil)
	var n int
	if err := s.reader.row(t.Context(), `SELECT created_at FROM datasets`).Scan(&n); err != nil || n != writers*each {
		t.Errorf("it counts %d, want %d, %v", n, writers*each, err)
	}
}

// Tokens are dropped when they are old, unless somebody may still ask for one.
func TestOldTokensAreDropped(t *testing.T) {
	s := opened(t, pgtest.Database(t))
	o := s.writer.outcomes
	left := func() (n int) {
		t.Helper()
		if err := s.queue.db.QueryRowContext(t.Context(), `SELECT count(*) FROM writes WHERE id < '0000000000000003'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, token := range []string{"0000000000000001a", "0000000000000002b"} {
		if _, err := s.queue.db.ExecContext(t.Context(), `INSERT INTO writes (id, affected) VALUES ($1, 0)`, token); err != nil {
			t.Fatal(err)
		}
	}
	sweep := func() {
		o.drawn.Store(dropEvery - 1)
		if _, err := s.writer.exec(t.Context(), upsertDataset, "d", "", 0, 0, "users", "{}"); err != nil {
			t.Fatal(err)
		}
	}
	o.ask("0000000000000002b")
	sweep()
	if n := left(); n != 1 {
		t.Errorf("%d old tokens are left, want the one that somebody asks for", n)
	}
	o.answered("0000000000000002b")
	sweep()
	if n := left(); n != 0 {
		t.Errorf("%d old tokens are left", n)
	}
}
