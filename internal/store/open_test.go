package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	urlpkg "net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"modernc.org/sqlite"

	"assay"
	"assay/internal/session"
	"assay/internal/store"
	"assay/internal/store/pgtest"
)

func TestOpenMakesFilesOfTheOwnerAlone(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "a b?c%d#e.db"))
	must(t, s.Ping(t.Context()))
	files, err := os.ReadDir(dir)
	must(t, err)
	if len(files) != 4 { // the database, its log, the index of the log, and the lock of migrations
		t.Errorf("there are %d files, want 4", len(files))
	}
	for _, f := range files {
		info, err := f.Info()
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, want 600", f.Name(), info.Mode().Perm())
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text.db")
	must(t, os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 100)), 0o600))

	for name, tt := range map[string]struct{ path, want string }{
		"a file of other kind": {text, "not a database"},
		"a folder":             {t.TempDir(), "is a directory"},
		"no such folder":       {filepath.Join(t.TempDir(), "no", "x.db"), "no such file"},
		"another database":     {"mysql://localhost/assay", "no file path"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(t.Context(), tt.path, store.Options{})
			if err == nil {
				must(t, s.Close())
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.path) {
				t.Errorf("got %q, want the path and %q in it", err, tt.want)
			}
		})
	}
}

func TestOpenRefusesANewerSchema(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		s := open(t, database)
		_, err := s.Writer().Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`)
		must(t, err)
		must(t, s.Close())
		before, err := store.CheckVersions(t.Context(), database, store.Options{})
		must(t, err)
		if before.Has != 9999 || before.Current() {
			t.Errorf("the versions are %+v", before)
		}
		if _, err := store.Open(t.Context(), database, store.Options{}); err == nil || !strings.Contains(err.Error(), "newer assay") {
			t.Errorf("got %v, want a refusal", err)
		}
	})
}

// TestOpenRefusesADatabaseThatSortsByTheRulesOfALanguage, because SQLite does not.
func TestOpenRefusesADatabaseThatSortsByTheRulesOfALanguage(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	_, err := s.Writer().Exec(`CREATE DATABASE sorted_by_language TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C'`)
	must(t, err)
	defer func() {
		_, err := s.Writer().Exec(`DROP DATABASE sorted_by_language WITH (FORCE)`)
		must(t, err)
	}()
	other, err := urlpkg.Parse(url)
	must(t, err)
	other.Path = "/sorted_by_language"
	if _, err := store.Open(t.Context(), other.String(), store.Options{}); err == nil || !strings.Contains(err.Error(), "LOCALE 'C'") {
		t.Errorf("got %v, want a refusal that tells how to make it", err)
	}
}

func TestReopenFindsWhatWasStored(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		s, sess, _ := filled(t, database)
		must(t, s.Close())
		must(t, s.Close())
		got, err := open(t, database).Session(t.Context(), sess.UserID, sess.ID)
		must(t, err)
		if got.Status != assay.SessionReady {
			t.Errorf("the session is %s, want ready", got.Status)
		}
	})
}

func TestEveryConnectionHasItsSettings(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "assay.db"))
	checkSettings(t, s.Writer(), 1, "PRAGMA ", map[string]string{
		"journal_mode": "wal", "synchronous": "1", "foreign_keys": "1", "busy_timeout": "10000", "temp_store": "2", "query_only": "0",
	})
	checkSettings(t, store.Reader(s), 4, "PRAGMA ", map[string]string{
		"journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "10000", "temp_store": "2", "query_only": "1",
	})

	p, err := store.Open(t.Context(), migrated.Database(t), store.Options{Connections: 8})
	must(t, err)
	defer func() { must(t, p.Close()) }()
	bounded := map[string]string{"statement_timeout": "30s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "1min", "application_name": "assay"}
	with := func(name, value, other, as string) map[string]string {
		all := maps.Clone(bounded)
		all[name], all[other] = value, as
		return all
	}
	checkSettings(t, p.Writer(), 2, "SHOW ", with("transaction_isolation", "read committed", "transaction_read_only", "off"))
	checkSettings(t, store.Writer(p), 3, "SHOW ", with("transaction_isolation", "serializable", "transaction_read_only", "off"))
	checkSettings(t, store.Reader(p), 3, "SHOW ", with("transaction_isolation", "repeatable read", "transaction_read_only", "on"))
}

// checkSettings looks at each connection of a pool.
func checkSettings(t *testing.T, db *sql.DB, connections int, ask string, want map[string]string) {
	t.Helper()
	if most := db.Stats().MaxOpenConnections; most != connections {
		t.Errorf("there may be %d connections, want %d", most, connections)
	}
	for range connections { // all are held until the end, so each is another one
		conn, err := db.Conn(t.Context())
		must(t, err)
		defer func() { must(t, conn.Close()) }()
		for name, want := range want {
			var got string
			must(t, conn.QueryRowContext(t.Context(), ask+name).Scan(&got))
			if got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
	}
}

// TestReadersDoNotWaitForAWriter holds a transaction open and reads meanwhile.
func TestReadersDoNotWaitForAWriter(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		s, sess, _ := filled(t, database)
		tx, err := s.Writer().Begin()
		must(t, err)
		defer tx.Rollback()
		_, err = tx.Exec(`UPDATE sessions SET location = 'elsewhere'`)
		must(t, err)
		got, err := s.Session(t.Context(), sess.UserID, sess.ID)
		must(t, err)
		if got.Location == "elsewhere" {
			t.Error("a reader saw what was not committed")
		}
	})
}

// TestBusyDatabaseIsSomethingToTryAgain has another process, here another store,
// hold the write lock, or the row.
func TestBusyDatabaseIsSomethingToTryAgain(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		other, _, key := filled(t, database)
		s, err := store.Open(t.Context(), database, store.Options{BusyTimeout: time.Millisecond})
		must(t, err)
		defer func() { must(t, s.Close()) }()
		tx, err := other.Writer().Begin()
		must(t, err)
		defer tx.Rollback()
		_, err = tx.Exec(`UPDATE api_keys SET last_used_at = 1`)
		must(t, err)
		if code := assay.CodeOf(s.TouchAPIKey(t.Context(), key.ID, time.Now())); code != assay.CodeUnavailable {
			t.Errorf("code %q, want %q", code, assay.CodeUnavailable)
		}
	})
}

func TestPingFailsOnceClosed(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		s := open(t, database)
		must(t, s.Ping(t.Context()))
		must(t, s.Close())
		if err := s.Ping(t.Context()); err == nil {
			t.Error("a closed database answers")
		}
	})
}

// TestCopyTakenWhileWriting copies the files while commands begin and end, and a
// reader keeps the log from being begun anew. The copy may lack the newest commands;
// it must open, be sound, and hold those that were stored before the copying began.
func TestCopyTakenWhileWriting(t *testing.T) {
	dir := t.TempDir()
	s, sess, _ := filled(t, filepath.Join(dir, "assay.db"))
	var before []string
	for range 50 {
		before = append(before, exec(t, s, sess.ID))
	}
	ctx, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	began := make(chan struct{})
	writer.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			exec(t, s, sess.ID)
			if i == 20 {
				close(began)
			}
		}
	})
	<-began
	copied := t.TempDir()
	tx, err := store.Reader(s).BeginTx(t.Context(), nil)
	must(t, err)
	must(t, tx.QueryRow(`SELECT count(*) FROM sessions`).Scan(new(int)))
	for _, name := range []string{"assay.db", "assay.db-wal"} { // what is half folded into the first is whole in the second
		data, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(copied, name), data, 0o600))
	}
	must(t, tx.Rollback())
	stop()
	writer.Wait()

	again := open(t, filepath.Join(copied, "assay.db"))
	sound(t, again)
	for _, id := range before {
		_, err := again.Interaction(t.Context(), sess.UserID, sess.ID, id)
		must(t, err)
	}
}

// exec stores the beginning and the end of a command and returns its id.
func exec(tb testing.TB, s *store.Store, sessionID string) string {
	in, _, err := s.InsertInteraction(context.Background(), interaction(sessionID), session.Idempotency{}, 0)
	if err != nil {
		tb.Error(err)
		return ""
	}
	if _, err := s.FinishInteraction(context.Background(), finished(in, fmt.Sprintf("output of %s", in.ID))); err != nil {
		tb.Error(err)
	}
	return in.ID
}

// sound fails the test when the database is damaged.
func sound(tb testing.TB, s *store.Store) {
	tb.Helper()
	if _, file := s.Writer().Driver().(*sqlite.Driver); !file {
		return // PostgreSQL looks after itself
	}
	var verdict string
	must(tb, s.Writer().QueryRow(`PRAGMA integrity_check`).Scan(&verdict))
	if verdict != "ok" {
		tb.Errorf("integrity check: %s", verdict)
	}
}
