package store

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"
)

const (
	selectClaim = `SELECT server FROM claims WHERE one = 1`
	setClaim    = `INSERT INTO claims (one, server) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET server = excluded.server`
)

// errStillHeld is the error of a claim whose lock the lost connection of this process holds
// still: the server of the database has not noticed that it ended.
var errStillHeld = errors.New("the lost connection still keeps the database")

// claim takes a lock of a session on a connection of its own, and watches it.
func (e *postgresServer) claim(ctx context.Context, server string, again bool, lost func()) (*hold, error) {
	config := e.config.Copy()
	config.RuntimeParams["application_name"] = "assay serve"
	config.RuntimeParams["idle_session_timeout"] = "0"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := lockClaim(ctx, conn, server, again); err != nil {
		return nil, errors.Join(err, closeBounded(conn))
	}
	return watchClaim(ctx, conn, lost), nil
}

// lockClaim takes the lock, and notes who has it. Who has had it before sees whether somebody
// else had it since.
func lockClaim(ctx context.Context, conn *pgx.Conn, server string, again bool) error {
	var taken bool
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, int64(lockOfServer)).Scan(&taken); err != nil {
		return err
	}
	if !again {
		if !taken {
			return ErrClaimed
		}
		_, err := conn.Exec(ctx, setClaim, server)
		return err
	}
	var last string
	if err := conn.QueryRow(ctx, selectClaim).Scan(&last); err != nil {
		return err
	}
	switch {
	case last != server:
		return ErrClaimTaken
	case !taken: // by the lost connection, or by somebody who has not noted it yet
		return errStillHeld
	}
	return nil
}

// watchClaim watches the connection of a claim.
func watchClaim(ctx context.Context, conn *pgx.Conn, lost func()) *hold {
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	h := &hold{lost: make(chan struct{})}
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for {
			// The server says nothing on this connection until it ends.
			if _, err := conn.WaitForNotification(watching); err != nil {
				h.why = err
				break
			}
		}
		if watching.Err() == nil {
			close(h.lost)
			lost() // who closes this hold waits for it
		}
	})
	h.close = func() error {
		stop()
		watcher.Wait()
		return closeBounded(conn)
	}
	return h
}

func closeBounded(conn *pgx.Conn) error {
	bounded, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	return conn.Close(bounded)
}
