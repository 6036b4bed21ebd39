package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// makeFile makes the database file readable by its owner alone; SQLite gives its
// companions (-wal, -shm) the same mode. It returns the absolute path.
func makeFile(path string) (string, error) {
	if strings.Contains(path, "://") {
		return "", errors.New("this is no file path; SQLite is the one database that this program knows")
	}
	file, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	return file, f.Close()
}

// The settings of a connection stand in its DSN: a PRAGMA that is executed on a
// pool reaches one connection of it only.
//
// In WAL mode synchronous=NORMAL keeps the database whole in any case. A killed
// process loses nothing that was committed; a loss of power may lose the last
// transactions.
func dsn(file string, busy time.Duration, more ...string) string {
	settings := append([]string{
		fmt.Sprintf("_pragma=busy_timeout(%d)", busy.Milliseconds()),
		"_pragma=foreign_keys(1)",
		"_pragma=recursive_triggers(1)", // or REPLACE would delete without asking the triggers that refuse it
		"_pragma=temp_store(memory)",
	}, more...)
	return (&url.URL{Scheme: "file", Path: file, OmitHost: true}).String() + "?" + strings.Join(settings, "&")
}

func writerDSN(file string, busy time.Duration) string {
	return dsn(file, busy, "_pragma=journal_mode(wal)", "_pragma=synchronous(normal)", "_txlock=immediate")
}

func readerDSN(file string, busy time.Duration) string {
	return dsn(file, busy, "_pragma=query_only(1)")
}

// pool is some connections, and the statements that are prepared on them.
type pool struct {
	db       *sql.DB
	prepared map[string]*sql.Stmt // by text; never changed once the store is open
}

func openPool(dsn string, size int) (*pool, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return &pool{db: db, prepared: map[string]*sql.Stmt{}}, nil
}

func (p *pool) prepare(ctx context.Context, texts []string) error {
	for _, text := range texts {
		stmt, err := p.db.PrepareContext(ctx, text) //nolint:sqlclosecheck // closed with the pool
		if err != nil {
			return fmt.Errorf("prepare %q: %w", text, err)
		}
		p.prepared[text] = stmt
	}
	return nil
}

func (p *pool) close() error { return p.db.Close() } // and with it the statements
