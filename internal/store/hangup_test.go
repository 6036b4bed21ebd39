package store

import (
	"context"
	"testing"

	"assay"
)

// gone is the context of a request whose client has hung up.
func gone(t *testing.T) context.Context {
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	return ctx
}

// Whether a client still waits is never what decides whether something is stored: a driver
// that is told to stop while it commits cannot say what it did.
func TestWritesAreDoneThoughNobodyWaits(t *testing.T) {
	insert := func(ctx context.Context, w txn, name string) error {
		_, err := w.exec(ctx, upsertDataset, name, "", 0, 0, "users", "{}")
		return err
	}
	for name, write := range map[string]func(t *testing.T, s *Store) error{
		"a statement": func(t *testing.T, s *Store) error {
			_, err := s.writer.exec(gone(t), upsertDataset, "d", "", 0, 0, "users", "{}")
			return err
		},
		"a transaction": func(t *testing.T, s *Store) error {
			return s.write(gone(t), func(ctx context.Context, w txn) error { return insert(ctx, w, "d") })
		},
		"hung up between two statements": func(t *testing.T, s *Store) error {
			ctx, hangUp := context.WithCancel(t.Context())
			return s.write(ctx, func(ctx context.Context, w txn) error {
				if err := insert(ctx, w, "d"); err != nil {
					return err
				}
				hangUp()
				return insert(ctx, w, "e")
			})
		},
		"hung up before the commit": func(t *testing.T, s *Store) error {
			ctx, hangUp := context.WithCancel(t.Context())
			return s.write(ctx, func(ctx context.Context, w txn) error {
				defer hangUp()
				return insert(ctx, w, "d")
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, s *Store) {
				if err := write(t, s); err != nil {
					t.Errorf("it is answered with %v", err)
				}
				if _, err := s.Dataset(t.Context(), "d"); err != nil {
					t.Errorf("it is not stored: %v", err)
				}
			})
		})
	}
}

// An import is long, and who began it may end it: nothing of it is stored then.
func TestAnImportEndsWithWhoAskedForIt(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		if _, err := s.ImportDataset(gone(t), &assay.Dataset{Name: "d"}, []*assay.Sample{{Dataset: "d", ID: "one"}}); err == nil {
			t.Error("it went on")
		}
		if all, err := s.Datasets(t.Context()); err != nil || len(all) > 0 {
			t.Errorf("there are %d datasets, %v", len(all), err)
		}
	})
}
