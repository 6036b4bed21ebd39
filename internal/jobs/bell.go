package jobs

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// driver is River's driver for SQLite or for PostgreSQL with a listener of our own.
// The library's writes news of each job that is enqueued and looks for it twenty
// times a second, or keeps a connection to hear it; ours hears a bell in this process,
// the only one that enqueues.
type driver struct {
	riverdriver.Driver[*sql.Tx]
	bell *bell
}

func newDriver(db *sql.DB) *driver {
	d := &driver{bell: &bell{rung: make(chan struct{}, 1)}}
	if isPostgres(db) {
		d.Driver = riverdatabasesql.New(db)
	} else {
		d.Driver = riversqlite.New(db)
	}
	return d
}

func isPostgres(db *sql.DB) bool {
	_, is := db.Driver().(*stdlib.Driver)
	return is
}

func (d *driver) GetListener(*riverdriver.GetListenenerParams) riverdriver.Listener { return d.bell }

// SupportsListener is true for the bell, SupportsListenNotify false so that
// enqueueing writes no news.
func (d *driver) SupportsListener() bool     { return true }
func (d *driver) SupportsListenNotify() bool { return false }

// bell tells River that a job may be there.
type bell struct {
	rung chan struct{} // holds one ring until it is heard
}

func (b *bell) ring() {
	select {
	case b.rung <- struct{}{}:
	default: // it rings already
	}
}

// news is what River's own listeners tell of an enqueued job.
var news = riverdriver.Notification{Topic: "river_insert", Payload: `{"queue":"` + queueName + `"}`}

// WaitForNotification implements riverdriver.Listener.
func (b *bell) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	select {
	case <-b.rung:
		return &news, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// The rest of riverdriver.Listener is about a connection, of which there is none.

func (*bell) Connect(context.Context) error          { return nil }
func (*bell) Close(context.Context) error            { return nil }
func (*bell) Listen(context.Context, string) error   { return nil }
func (*bell) Unlisten(context.Context, string) error { return nil }
func (*bell) Ping(context.Context) error             { return nil }
func (*bell) Schema() string                         { return "" }
func (*bell) SetAfterConnectExec(string)             {}
