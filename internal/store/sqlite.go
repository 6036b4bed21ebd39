package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// sqliteFile is a SQLite database.
type sqliteFile struct {
	path string // absolute
	busy time.Duration
}

func newSQLite(path string, opts Options) (*sqliteFile, error) {
	if strings.Contains(path, "://") {
		return nil, errors.New("this is no file path, and no URL that begins with postgres://")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return &sqliteFile{abs, opts.BusyTimeout}, nil
}

func (*sqliteFile) dialect() goose.Dialect { return goose.DialectSQLite3 }
func (*sqliteFile) folder() string         { return "sqlite" }

// migrator makes the file when it is absent.
func (e *sqliteFile) migrator() (*sql.DB, error) {
	if err := makeFile(e.path); err != nil {
		return nil, err
	}
	return openSQLite(e.writerDSN(), 1)
}

func (e *sqliteFile) onlooker() (*sql.DB, error) {
	if _, err := os.Stat(e.path); err != nil {
		return nil, err
	}
	return openSQLite(e.readerDSN()+"&mode=ro", 1)
}

func (*sqliteFile) tableExists() string {
	return `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = $1`
}

// makeFile makes the database file readable by its owner alone; SQLite gives its
// companions (-wal, -shm) the same mode. A file that is there is not opened: closing
// it would free the locks that this process holds on it.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		info, err := os.Stat(path)
		if err == nil && info.IsDir() {
			return errors.New("it is a directory")
		}
		return err
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// The settings of a connection stand in its DSN: a PRAGMA that is executed on a
// pool reaches one connection of it only.
//
// In WAL mode synchronous=NORMAL keeps the database whole in any case. A killed
// process loses nothing that was committed; a loss of power may lose the last
// transactions.
func (e *sqliteFile) dsn(more ...string) string {
	settings := append([]string{
		fmt.Sprintf("_pragma=busy_timeout(%d)", e.busy.Milliseconds()),
		"_pragma=foreign_keys(1)",
		"_pragma=recursive_triggers(1)", // or REPLACE would delete without asking the triggers that refuse it
		"_pragma=temp_store(memory)",
	}, more...)
	return (&url.URL{Scheme: "file", Path: e.path, OmitHost: true}).String() + "?" + strings.Join(settings, "&")
}

func (e *sqliteFile) writerDSN() string {
	return e.dsn("_pragma=journal_mode(wal)", "_pragma=synchronous(normal)", "_txlock=immediate")
}

func (e *sqliteFile) readerDSN() string { return e.dsn("_pragma=query_only(1)") }

func openSQLite(dsn string, size int) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// lockRetry is how often a lock is tried that another process holds.
const lockRetry = 20 * time.Millisecond

// lockSchema locks a file beside the database: a lock of SQLite's own would shut the
// migrations out, which take one for each step. The kernel frees it when the process
// ends in whatever way.
func (e *sqliteFile) lockSchema(ctx context.Context, _ *sql.DB) (unlock func() error, err error) {
	f, err := os.OpenFile(e.path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	again := time.NewTicker(lockRetry)
	defer again.Stop()
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return f.Close, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return nil, errors.Join(err, f.Close())
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		}
	}
}

func (*sqliteFile) fit(context.Context, *sql.DB) error { return nil }

// open opens one connection that writes, for the queue as well, and some that read.
func (e *sqliteFile) open(opts Options) (_ *connections, err error) {
	writer, err := openSQLite(e.writerDSN(), 1)
	if err != nil {
		return nil, err
	}
	reader, err := openSQLite(e.readerDSN(), opts.Readers)
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	all := &connections{reader: newPool(reader, e), writer: newPool(writer, e)}
	all.queue = all.writer
	return all, nil
}

// watched ends with no context: a transaction waits for nothing but the lock that
// another process has, for the busy timeout at most.
func (*sqliteFile) watched(ctx context.Context) context.Context { return unwatched(ctx) }

// again is never: writers wait for each other before they begin.
func (*sqliteFile) again(error) retry { return never }

// claim does nothing: whoever serves locks the data directory, and the file is in it.
func (*sqliteFile) claim(context.Context, string, bool, func()) (*hold, error) { return &hold{}, nil }

func (*sqliteFile) clock() string { return `CAST(unixepoch('subsec') * 1000000 AS INTEGER)` }

// What the only process that serves tells itself is told within it, and nobody changes rows beside it.

func (*sqliteFile) skipLocked(string) string                     { return "" }
func (*sqliteFile) tell() string                                 { return "" }
func (*sqliteFile) listen(context.Context, *slog.Logger, func()) {}
