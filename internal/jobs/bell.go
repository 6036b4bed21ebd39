package jobs

import (
	"context"
	"database/sql"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// driver is River's driver for SQLite with a listener of our own. The library's
// writes a row for each job that is enqueued and looks for such rows twenty times
// a second; ours hears a bell in this process, the only one that enqueues.
type driver struct {
	*riversqlite.Driver
	bell *bell
}

func newDriver(db *sql.DB) *driver {
	return &driver{riversqlite.New(db), &bell{rung: make(chan struct{}, 1)}}
}

func (d *driver) GetListener(*riverdriver.GetListenenerParams) riverdriver.Listener { return d.bell }

// SupportsListenNotify is false so that enqueueing writes no row of news.
func (d *driver) SupportsListenNotify() bool { return false }

// bell tells River that a job may be there.
//
// It rings before the transaction is committed. That is in time: the look at the
// table needs the one connection that writes, which the transaction holds until
// it is committed or rolled back.
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
