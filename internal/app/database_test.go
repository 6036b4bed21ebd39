package app

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/internal/queue"
	"assay/internal/session"
	"assay/internal/store"
	"assay/internal/store/pgtest"
	"assay/internal/verification"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Stopping(m).Run()) }

// TestRoleThatMayOnlyChangeRowsServes migrates as the owner of a database, and works in
// it as a role with the rights that docs/operations.md names.
func TestRoleThatMayOnlyChangeRowsServes(t *testing.T) {
	owner := Config{DatabaseURL: pgtest.Database(t)}
	if _, err := MigrateSchema(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	limited := Config{DatabaseURL: limitedRole(t, owner.DatabaseURL)}

	schema, err := CheckSchema(t.Context(), limited)
	if err != nil || !schema.Current {
		t.Fatalf("the schema is %+v, %v", schema, err)
	}
	s, err := store.Open(t.Context(), limited.DatabaseURL, limited.WithDefaults().storeOptions(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := s.Writer().Exec(`CREATE TABLE mine (id INTEGER)`); err == nil {
		t.Fatal("the role may change the schema")
	}
	claim, err := s.Claim(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer claim.Close()
	if err := s.InsertUser(t.Context(), &assay.User{ID: "usr_1", CreatedAt: time.Now()}, assay.AuditEvent{}); err != nil {
		t.Error(err)
	}
	work(t, s)
}

// A server that cannot reach its database says so, waits for it and goes on.
func TestHealthTellsThatTheDatabaseIsAway(t *testing.T) {
	proxy := pgtest.NewProxy(t, pgtest.Database(t))
	var log strings.Builder
	s, err := store.Open(t.Context(), proxy.URL, store.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	claim, err := s.Claim(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- claim.Keep(ctx) }()

	serving := &server{App: &App{store: s}, claim: claim}
	proxy.Away(true)
	var known *assay.Error
	for !errors.As(serving.databaseHealth(t.Context()), &known) {
		<-time.After(time.Millisecond)
	}
	if known.Code != assay.CodeUnavailable || !strings.Contains(known.Message, "the database cannot be reached") {
		t.Errorf("health says %+v", known)
	}
	proxy.Away(false)
	for deadline := time.Now().Add(20 * time.Second); serving.databaseHealth(t.Context()) != nil; <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(serving.databaseHealth(t.Context()))
		}
	}
	stop()
	if err := errors.Join(<-ended, claim.Close()); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"the database is lost", "the database is back"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say that %s:\n%s", want, &log)
		}
	}
}

// limitedRole makes a role that may change rows, and returns the URL with it.
func limitedRole(t *testing.T, ownerURL string) string {
	t.Helper()
	db, err := sql.Open("pgx", ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	u, err := url.Parse(ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	role := "only_rows_" + strings.TrimPrefix(u.Path, "/") // roles are of the server, not of the database
	for _, statement := range []string{
		`CREATE ROLE ` + role + ` LOGIN`,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ` + role,
		`GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ` + role,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	u.User = url.User(role)
	return u.String()
}

// work does a job of the queue.
func work(t *testing.T, s *store.Store) {
	t.Helper()
	done := make(chan string, 1)
	q, err := queue.New(queue.Config{Store: s, Judge: func(_ context.Context, v *assay.Verification) error {
		_, _, err := s.MoveVerification(context.Background(), v.ID, v.Status, verification.Change{Status: assay.VerificationCompleted, Lease: v.Lease})
		done <- v.ID
		return err
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := q.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	if _, err := s.ImportDataset(t.Context(), &assay.Dataset{Name: "d"}, []*assay.Sample{{Dataset: "d", ID: "one"}}); err != nil {
		t.Fatal(err)
	}
	_, _, err = s.InsertSession(t.Context(), &assay.Session{
		ID: "ses_1", UserID: "usr_1", Dataset: "d", SampleID: "one", SampleVersion: 1, Status: assay.SessionCreating,
	}, session.Idempotency{}, session.LiveLimits{})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.InsertVerification(t.Context(), &assay.Verification{
		ID: "ver_1", SessionID: "ses_1", UserID: "usr_1", Dataset: "d", SampleID: "one", SampleVersion: 1, Status: assay.VerificationPending,
	}, session.Idempotency{}, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	if id := <-done; id != "ver_1" { // it was heard of: nobody woke the queue
		t.Errorf("job %q was done", id)
	}
}
