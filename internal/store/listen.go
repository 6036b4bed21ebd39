package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

// channelOfQueue is what PostgreSQL calls the news of the queue.
const channelOfQueue = "assay_queue"

const (
	// listenPause is how long to wait before another connection is made that listens.
	listenPause = 2 * time.Second
	// silence is how long nothing may be heard before the connection is tried: one whose other
	// end has gone does not say so.
	silence = time.Minute
)

// tell is the statement that tells who listens, when its transaction is stored.
func (*postgresServer) tell() string { return `SELECT pg_notify('` + channelOfQueue + `', '')` }

// listen keeps a connection of its own, and makes it anew when it is lost.
func (e *postgresServer) listen(ctx context.Context, log *slog.Logger, heard func()) {
	for ctx.Err() == nil {
		err := e.listenOnce(ctx, heard)
		if ctx.Err() != nil {
			return
		}
		log.Warn("the news of the queue is not heard; it is looked at now and then", "err", err, "again_in", listenPause)
		select {
		case <-time.After(listenPause):
		case <-ctx.Done():
		}
	}
}

func (e *postgresServer) listenOnce(ctx context.Context, heard func()) (err error) {
	config := e.config.Copy()
	config.RuntimeParams["application_name"] = "assay queue"
	config.RuntimeParams["idle_session_timeout"] = "0"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
		defer cancel()
		err = errors.Join(err, conn.Close(bounded))
	}()
	if err := answers(ctx, conn, `LISTEN `+channelOfQueue); err != nil {
		return err
	}
	heard() // what was told before is not heard
	for {
		quiet, cancel := context.WithTimeout(ctx, silence)
		_, err := conn.WaitForNotification(quiet)
		cancel()
		switch {
		case err == nil:
			heard()
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
			return err
		default:
			if err := answers(ctx, conn, `SELECT 1`); err != nil {
				return err
			}
		}
	}
}

// answers runs a statement that takes no time.
func answers(ctx context.Context, conn *pgx.Conn, text string) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if _, err := conn.Exec(ctx, text); err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	return nil
}
