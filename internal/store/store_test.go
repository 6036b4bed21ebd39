package store_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"assay"
	"assay/internal/session"
	"assay/internal/store"
	"assay/internal/store/pgtest"
	"assay/internal/store/storetest"
)

// engines are the databases that tests run on, each with a way to make an empty one.
var engines = map[string]func(testing.TB) string{
	"sqlite":   newFile,
	"postgres": migrated.Database,
}

// newFile returns the path of a database that does not exist yet.
func newFile(tb testing.TB) string { return filepath.Join(tb.TempDir(), "assay.db") }

// migrated is a PostgreSQL database with the schema and no rows.
var migrated = pgtest.Template{Fill: func(ctx context.Context, url string) error {
	_, err := store.Migrate(ctx, url, store.Options{})
	return err
}}

// onEach runs a test on each engine.
func onEach(t *testing.T, test func(t *testing.T, database string)) {
	for name, database := range engines {
		t.Run(name, func(t *testing.T) { test(t, database(t)) })
	}
}

func open(t testing.TB, database string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), database, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	for name, database := range engines {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) storetest.Stores { return open(t, database(t)) })
		})
	}
}

// filled opens a store with a user, a key and a session that is ready.
func filled(tb testing.TB, database string) (*store.Store, *assay.Session, *assay.APIKey) {
	tb.Helper()
	s := open(tb, database)
	now := time.Now()
	user := &assay.User{ID: assay.NewID(assay.PrefixUser), CreatedAt: now, Active: true}
	key := &assay.APIKey{ID: assay.NewID(assay.PrefixAPIKey), UserID: user.ID, Hash: []byte("0123456789abcdef0123456789abcdef"), CreatedAt: now}
	sess := &assay.Session{
		ID: assay.NewID(assay.PrefixSession), UserID: user.ID, Dataset: "d", SampleID: "one", SampleVersion: 1,
		Status: assay.SessionCreating, RequestedAt: now, ExpiresAt: now.Add(time.Hour),
	}
	_, err := s.ImportDataset(tb.Context(), &assay.Dataset{Name: "d"}, []*assay.Sample{{Dataset: "d", ID: "one"}})
	must(tb, err)
	must(tb, s.InsertUser(tb.Context(), user, assay.AuditEvent{}))
	must(tb, s.InsertAPIKey(tb.Context(), key, 0, assay.AuditEvent{}))
	_, _, err = s.InsertSession(tb.Context(), sess, session.Idempotency{}, session.LiveLimits{PerUser: 5, Total: 5})
	must(tb, err)
	_, _, err = s.MoveSession(tb.Context(), sess.ID, assay.SessionCreating, session.SessionChange{Status: assay.SessionReady, ReadyAt: &now})
	must(tb, err)
	return s, sess, key
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func interaction(sessionID string) *assay.Interaction {
	return &assay.Interaction{ID: assay.NewID(assay.PrefixInteraction), SessionID: sessionID, CreatedAt: time.Now(), Command: "go test ./...", Timeout: time.Minute}
}

func finished(in *assay.Interaction, output string) *assay.Interaction {
	end := *in
	end.Status, end.Duration = assay.InteractionCompleted, time.Second
	end.Stdout = assay.Output{Text: output, Bytes: int64(len(output))}
	return &end
}
