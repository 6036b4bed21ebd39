package store

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"assay/internal/store/pgtest"
)

// onBoth runs a test on an open store of each engine.
func onBoth(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Run("sqlite", func(t *testing.T) { test(t, opened(t, filepath.Join(t.TempDir(), "assay.db"))) })
	t.Run("postgres", func(t *testing.T) { test(t, opened(t, pgtest.Database(t))) })
}

func TestBrokenConstraintsAreNamedAlike(t *testing.T) {
	rows := []string{
		`INSERT INTO users (id, name, email, github_id, created_at, active) VALUES ('u', '', '', '7', 0, 1)`,
		`INSERT INTO datasets (name, description, created_at) VALUES ('d', '', 0)`,
		`INSERT INTO api_keys (id, user_id, name, hash, hint, created_at) VALUES ('k', 'u', '', 'h', '', 0)`,
		sampleRow("s", 1, 1),
		sessionRow("a", "u", "key"),
	}
	tests := []struct {
		statement string
		want      constraint
	}{
		{`INSERT INTO users (id, name, email, created_at, active) VALUES ('u', '', '', 0, 1)`, constraint{unique: "users.id"}},
		{`UPDATE users SET github_id = '7' WHERE id = 'v'`, constraint{}},
		{`INSERT INTO users (id, name, email, github_id, created_at, active) VALUES ('v', '', '', '7', 0, 1)`, constraint{unique: "users.github_id"}},
		{`INSERT INTO api_keys (id, user_id, name, hash, hint, created_at) VALUES ('l', 'u', '', 'h', '', 0)`, constraint{unique: "api_keys.hash"}},
		{`INSERT INTO api_keys (id, user_id, name, hash, hint, created_at) VALUES ('l', 'none', '', 'i', '', 0)`, constraint{foreign: true}},
		{`DELETE FROM users WHERE id = 'u'`, constraint{foreign: true}},
		{sampleRow("s", 1, 0), constraint{unique: "samples.dataset, samples.id, samples.version"}},
		{sampleRow("s", 2, 1), constraint{unique: "samples.dataset, samples.id"}}, // a partial index
		{sessionRow("b", "u", "key"), constraint{unique: "sessions.user_id, sessions.idem_key"}},
		{sessionRow("b", "u", "a, (b)=(c)"), constraint{}},
		{sessionRow("c", "u", "a, (b)=(c)"), constraint{unique: "sessions.user_id, sessions.idem_key"}},
		{`SELECT 1`, constraint{}},
		{`INSERT INTO users (id) VALUES ('w')`, constraint{}}, // NOT NULL: a fault of the program
	}
	onBoth(t, func(t *testing.T, s *Store) {
		for _, row := range rows {
			if _, err := s.writer.exec(t.Context(), row); err != nil {
				t.Fatalf("%s: %v", row, err)
			}
		}
		for _, tt := range tests {
			_, err := s.writer.exec(t.Context(), tt.statement)
			if got := constraintOf(err); got != tt.want {
				t.Errorf("%s: %v is taken for %+v, want %+v", tt.statement, err, got, tt.want)
			}
		}
	})
}

func sampleRow(id string, version, latest int) string {
	return `INSERT INTO samples (dataset, id, version, latest, content_hash, created_at, version_description, description, repo, base_commit,
		environment_setup_commit, problem_statement, hints_text, patch, non_code_patch, test_patch, fail_to_pass, pass_to_pass, fail_to_fail, task)
		VALUES ('d', '` + id + `', ` + strconv.Itoa(version) + `, ` + strconv.Itoa(latest) + `, '', 0, '', '', '', '', '', '', '', '', '', '', '', '', '', '')`
}

func sessionRow(id, user, key string) string {
	return `INSERT INTO sessions (id, user_id, dataset, sample_id, sample_version, status, requested_at, expires_at, location, handle, idem_key)
		VALUES ('` + id + `', '` + user + `', 'd', 's', 1, 'ready', 0, 0, '', '', '` + key + `')`
}

// TestReadSeesOneState has somebody write between the statements of a reader.
func TestReadSeesOneState(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		count := func(r txn) (n int) {
			if err := r.row(t.Context(), `SELECT count(*) FROM datasets`).Scan(&n); err != nil {
				t.Error(err)
			}
			return n
		}
		err := s.read(t.Context(), func(ctx context.Context, r txn) error {
			before := count(r)
			if _, err := s.writer.exec(t.Context(), upsertDataset, "d", "", 0, 0, "users", "{}"); err != nil {
				return err
			}
			if after := count(r); after != before {
				t.Errorf("there were %d datasets and are %d", before, after)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = s.read(t.Context(), func(ctx context.Context, r txn) error {
			_, err := r.exec(t.Context(), upsertDataset, "e", "", 0, 0, "users", "{}")
			return err
		})
		if err == nil {
			t.Error("a reader wrote")
		}
	})
}

// TestWriteLeavesNothingBehindWhenItFails, whatever it did before.
func TestWriteLeavesNothingBehindWhenItFails(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		fault := errors.New("no")
		err := s.write(t.Context(), func(ctx context.Context, w txn) error {
			if _, err := w.exec(t.Context(), upsertDataset, "d", "", 0, 0, "users", "{}"); err != nil {
				return err
			}
			return fault
		})
		if !errors.Is(err, fault) {
			t.Errorf("got %v, want %v", err, fault)
		}
		all, err := s.Datasets(t.Context())
		if err != nil || len(all) != 0 {
			t.Errorf("there are %d datasets, %v", len(all), err)
		}
	})
}

// TestNoUpdateOfABusyRowIsLost has many writers count in one row, from several stores as
// from several processes. None of them is sent away.
func TestNoUpdateOfABusyRowIsLost(t *testing.T) {
	const writers, each = 60, 10
	for name, database := range map[string]func(testing.TB) string{
		"sqlite":   func(tb testing.TB) string { return filepath.Join(tb.TempDir(), "assay.db") },
		"postgres": pgtest.Database,
	} {
		t.Run(name, func(t *testing.T) {
			url := database(t)
			stores := []*Store{opened(t, url), opened(t, url), opened(t, url)}
			if _, err := stores[0].writer.exec(t.Context(), upsertDataset, "d", "", 0, 0, "users", "{}"); err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for i := range writers {
				all.Go(func() {
					for range each {
						if err := countUp(stores[i%len(stores)]); err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
			var n int
			if err := stores[0].reader.row(t.Context(), `SELECT created_at FROM datasets`).Scan(&n); err != nil || n != writers*each {
				t.Errorf("it was counted to %d, %v; want %d", n, err, writers*each)
			}
		})
	}
}

// countUp reads a number and writes the next one.
func countUp(s *Store) error {
	ctx := context.Background()
	return s.write(ctx, func(ctx context.Context, w txn) error {
		var n int64
		if err := w.row(ctx, `SELECT created_at FROM datasets WHERE name = 'd'`).Scan(&n); err != nil {
			return err
		}
		_, err := w.exec(ctx, `UPDATE datasets SET created_at = $1 WHERE name = 'd'`, n+1)
		return err
	})
}
