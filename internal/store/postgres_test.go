package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"assay"
	"assay/internal/session"
	"assay/internal/store"
	"assay/internal/store/pgtest"
)

// TestStoreOutlivesItsServer stops PostgreSQL under an open store and starts it again.
func TestStoreOutlivesItsServer(t *testing.T) {
	server := pgtest.New(t)
	s, sess, key := filled(t, server.Database(t))
	must(t, server.Stop())

	if err := s.Ping(t.Context()); assay.CodeOf(err) != assay.CodeUnavailable {
		t.Errorf("the answer to a ping is %v, want one with code %s", err, assay.CodeUnavailable)
	}
	for range 20 { // more than there are connections that were open
		_, err := s.Session(t.Context(), sess.UserID, sess.ID)
		if code := assay.CodeOf(err); code != assay.CodeUnavailable {
			t.Fatalf("a read fails with %v, code %q, want %q", err, code, assay.CodeUnavailable)
		}
		err = s.TouchAPIKey(t.Context(), key.ID, sess.RequestedAt)
		if code := assay.CodeOf(err); code != assay.CodeUnavailable {
			t.Fatalf("a write fails with %v, code %q, want %q", err, code, assay.CodeUnavailable)
		}
		if _, err = s.AcceptTerms(t.Context(), sess.UserID, sess.RequestedAt); assay.CodeOf(err) != assay.CodeUnavailable {
			t.Fatalf("a transaction fails with %v, want code %q", err, assay.CodeUnavailable)
		}
	}

	must(t, server.Start())
	must(t, s.Ping(t.Context()))
	_, err := s.Session(t.Context(), sess.UserID, sess.ID)
	must(t, err)
	must(t, s.TouchAPIKey(t.Context(), key.ID, sess.RequestedAt))
}

// TestWhatWasStoredMeanwhileIsFound has another program, which takes no heed of ours,
// store a command with the same idempotency key while ours is being inserted. The
// store sees the key taken, and what took it at the second try.
func TestWhatWasStoredMeanwhileIsFound(t *testing.T) {
	url := migrated.Database(t)
	s, sess, _ := filled(t, url)
	tx, err := s.Writer().Begin()
	must(t, err)
	defer tx.Rollback()
	_, err = tx.Exec(`INSERT INTO interactions (id, session_id, created_at, timeout, status, command, idem_key, idem_hash,
		exit_code, duration, message, stdout_bytes, stdout_truncated, stderr_bytes, stderr_truncated, stdout, stderr)
		VALUES ('int_first', $1, 0, 0, 'processing', '', 'key', 'hash', 0, 0, '', 0, 0, 0, 0, '', '')`, sess.ID)
	must(t, err)
	type answer struct {
		in      *assay.Interaction
		created bool
		err     error
	}
	answered := make(chan answer, 1)
	go func() {
		in, created, err := s.InsertInteraction(context.Background(), interaction(sess.ID), session.Idempotency{Key: "key", RequestHash: "hash"}, 0)
		answered <- answer{in, created, err}
	}()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for waiting := 0; waiting == 0; <-look.C {
		must(t, s.Writer().QueryRow(`SELECT count(*) FROM pg_locks WHERE NOT granted`).Scan(&waiting))
	}
	must(t, tx.Commit())
	got := <-answered
	must(t, got.err)
	if got.created || got.in.ID != "int_first" {
		t.Errorf("interaction %s was returned, and created is %v", got.in.ID, got.created)
	}
}

// TestConnectionsThatAreCutAreMadeAnew ends all of them at once, as a restart of the
// server does between two requests.
func TestConnectionsThatAreCutAreMadeAnew(t *testing.T) {
	url := migrated.Database(t)
	s, sess, key := filled(t, url)
	for range 3 {
		cut(t, url, "assay")
		failed := 0
		for range 30 {
			_, err := s.Session(t.Context(), sess.UserID, sess.ID)
			if err = errors.Join(err, s.TouchAPIKey(t.Context(), key.ID, sess.RequestedAt)); err != nil {
				failed++
				if assay.CodeOf(err) != assay.CodeUnavailable {
					t.Errorf("got %v with code %q, want %q", err, assay.CodeOf(err), assay.CodeUnavailable)
				}
			}
		}
		if failed > 12 { // one a connection
			t.Errorf("%d of 30 requests failed", failed)
		}
	}
}

// cut ends the connections of a program to its database.
func cut(t *testing.T, url, program string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer func() { must(t, conn.Close(context.Background())) }()
	tag, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = $1`, program)
	must(t, err)
	if tag.RowsAffected() == 0 {
		t.Errorf("there was no connection of %s to cut", program)
	}
}

func TestOneServerHasADatabase(t *testing.T) {
	url := migrated.Database(t)
	s, other := open(t, url), open(t, url)
	first, err := s.Claim(t.Context())
	must(t, err)
	if _, err := other.Claim(t.Context()); !errors.Is(err, store.ErrClaimed) {
		t.Fatalf("a second server gets %v, want %v", err, store.ErrClaimed)
	}
	must(t, other.Ping(t.Context())) // the verbs of the command line run beside it
	elsewhere := open(t, migrated.Database(t))
	third, err := elsewhere.Claim(t.Context())
	must(t, err)
	must(t, third.Close())

	must(t, first.Close())
	must(t, first.Close())
	second, err := other.Claim(t.Context())
	must(t, err)
	if first.Lost() {
		t.Error("a claim that was given up is said to be lost")
	}
	must(t, second.Close())
}

// TestNoErrorHoldsThePassword breaks the URL of a database in every way that is easy to
// think of.
func TestNoErrorHoldsThePassword(t *testing.T) {
	for _, url := range []string{
		"postgres://ada:hunter2@127.0.0.1:1/assay",
		"postgres://127.0.0.1:1/assay?user=ada&password=hunter2",
		"postgres://ada:hunter2@127.0.0.1:x/assay",
		"postgres://ada:hunter2/3@127.0.0.1:1/assay",
		"postgres://ada:hunter2@3@127.0.0.1:1/assay",
		"postgres://ada:hunter2#3@127.0.0.1:1/assay",
		"postgres://ada:hunter2?3@127.0.0.1:1/assay",
		"postgres://ada:hunter2%@127.0.0.1:1/assay",
		"postgres://ada:hunter2@127.0.0.1:1/assay?sslmode=hunter2",
		"postgres://ada:hunter2@127.0.0.1:1/assay?sslmode=verify-full&sslrootcert=/none",
		"postgres://ada:hunter2@127.0.0.1:1/assay?connect_timeout=x",
		"postgres://ada:hunter2@example.org/assay",
		"postgresql://ada:hunter2@127.0.0.1:1/assay",
		"mysql://ada:hunter2@127.0.0.1:1/assay",
	} {
		_, err := store.Open(t.Context(), url, store.Options{})
		if err == nil {
			t.Fatalf("%s was opened", url)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
