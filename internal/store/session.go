package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"assay"
	"assay/internal/persist"
	"assay/internal/session"
)

const sessionColumns = `id, user_id, dataset, sample_id, sample_version, status, requested_at, ready_at, ended_at, expires_at,
	error_code, error_message, location, handle, price, seen_at, unreachable_at, unbilled, image_digest`

const (
	selectSession    = `SELECT ` + sessionColumns + ` FROM sessions WHERE id = $1 AND user_id = $2`
	selectSessionAny = `SELECT ` + sessionColumns + ` FROM sessions WHERE id = $1`
	selectLive       = `SELECT ` + sessionColumns + ` FROM sessions WHERE status IN ('creating', 'ready') ORDER BY user_id, id`

	selectLiveOfUser  = `SELECT ` + sessionColumns + ` FROM sessions WHERE user_id = $1 AND status IN ('creating', 'ready') ORDER BY id`
	selectBilledUsers = `SELECT DISTINCT user_id FROM sessions WHERE status IN ('creating', 'ready') AND price > 0 ORDER BY user_id`

	selectLiveOfDisabled = `SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.status IN ('creating', 'ready') AND u.active = 0 ORDER BY s.user_id, s.id`

	selectSessionByKey = `SELECT id, idem_hash FROM sessions WHERE user_id = $1 AND idem_key = $2`
	countLiveOfUser    = `SELECT count(*) FROM sessions WHERE user_id = $1 AND status IN ('creating', 'ready')`
	countLive          = `SELECT count(*) FROM sessions WHERE status IN ('creating', 'ready')`

	insertSession = `INSERT INTO sessions (` + sessionColumns + `, idem_key, idem_hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`

	moveSession = `UPDATE sessions SET status = $3,
			ready_at = coalesce($4, ready_at),
			ended_at = CASE WHEN $5 > expires_at THEN expires_at ELSE coalesce($5, ended_at) END,
			error_code = coalesce($6, error_code),
			error_message = coalesce($7, error_message)
		WHERE id = $1 AND status = $2`

	seeSession    = `UPDATE sessions SET seen_at = $2 WHERE id = $1 AND status = 'ready'`
	shiftSessions = `UPDATE sessions SET expires_at = expires_at + $1,
			unbilled = unbilled + CASE WHEN status = 'ready' AND unreachable_at IS NULL THEN CAST($1 AS BIGINT) ELSE 0 END
		WHERE status IN ('creating', 'ready')`
	loseSession   = `UPDATE sessions SET unreachable_at = $2 WHERE id = $1 AND status = 'ready' AND unreachable_at IS NULL`
	regainSession = `UPDATE sessions SET unreachable_at = NULL,
			unbilled = unbilled + CASE WHEN unreachable_at < $2 THEN $2 - unreachable_at ELSE 0 END
		WHERE id = $1 AND status = 'ready' AND unreachable_at IS NOT NULL`
	setSessionHandle = `UPDATE sessions SET handle = $2, location = $3, image_digest = $4 WHERE id = $1 AND status IN ('creating', 'ready')`
)

func scanSession(row scanner) (*assay.Session, error) {
	var (
		s                  assay.Session
		requested, expires int64
		ready, ended, seen sql.NullInt64
		price, unreachable sql.NullInt64
		unbilled           int64
		code, message      sql.NullString
	)
	err := row.Scan(&s.ID, &s.UserID, &s.Dataset, &s.SampleID, &s.SampleVersion, &s.Status, &requested, &ready, &ended, &expires,
		&code, &message, &s.Location, &s.Handle, &price, &seen, &unreachable, &unbilled, &s.ImageDigest)
	if err != nil {
		return nil, err
	}
	s.RequestedAt, s.ExpiresAt = fromMicros(requested), fromMicros(expires)
	s.ReadyAt, s.EndedAt = fromMicrosOrNull(ready), fromMicrosOrNull(ended)
	s.Price, s.SeenAt = assay.MicroUSD(price.Int64), fromMicrosOrNull(seen)
	s.UnreachableAt, s.Unbilled = fromMicrosOrNull(unreachable), time.Duration(unbilled)*time.Microsecond
	s.Error = failureOf(code, message)
	return &s, nil
}

// InsertSession implements session.Store. A user, dataset or sample that does not
// exist is user_not_found, dataset_not_found or sample_not_found.
func (s *Store) InsertSession(ctx context.Context, in *assay.Session, idem session.Idempotency, limits session.LiveLimits) (got *assay.Session, created bool, err error) {
	err = s.write(ctx, func(ctx context.Context, w txn) error {
		id, err := earlier(w.row(ctx, selectSessionByKey, in.UserID, toNull(idem.Key)), idem)
		if err != nil {
			return err
		}
		if created = id == ""; created {
			id = in.ID
			if err := w.checkLive(ctx, in.UserID, limits); err != nil {
				return err
			}
			if err := w.checkFunds(ctx, in); err != nil {
				return err
			}
			if err := w.insertSession(ctx, in, idem); err != nil {
				return err
			}
		}
		got, err = scanSession(w.row(ctx, selectSessionAny, id))
		return err
	})
	if constraintOf(err).foreign {
		err = s.missing(ctx, "", in.UserID, in.Dataset, in.SampleID, in.SampleVersion)
	}
	if err != nil {
		return nil, false, doing(err, "insert session %s", in.ID)
	}
	return got, created, nil
}

// missing tells which of the rows that a session or a verification refers to does
// not exist. It asks after the transaction that found out: PostgreSQL answers
// nothing in one in which a statement failed. No sessionID refers to no session.
func (s *Store) missing(ctx context.Context, sessionID, userID, dataset, sampleID string, version int) error {
	if sessionID != "" {
		if _, err := s.Session(ctx, "", sessionID); err != nil {
			return err
		}
	}
	if _, err := s.User(ctx, userID); err != nil {
		return err
	}
	if _, err := s.Sample(ctx, dataset, sampleID, version); err != nil {
		return err
	}
	return assay.Errorf(assay.CodeConflict, "what this refers to was stored only meanwhile; try again")
}

// earlier returns the id of what was stored for the same idempotency key; "" when
// nothing was. The row holds the id and the hash of the request of that time.
func earlier(row scanner, idem session.Idempotency) (id string, err error) {
	var hash string
	err = row.Scan(&id, &hash)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", nil
	case err != nil:
		return "", err
	case hash != idem.RequestHash:
		return "", errKeyReused
	}
	return id, nil
}

// checkLive fails when the user or the server has as many live sessions as allowed.
func (t txn) checkLive(ctx context.Context, userID string, limits session.LiveLimits) error {
	var live int
	if limits.PerUser > 0 {
		if err := t.row(ctx, countLiveOfUser, userID).Scan(&live); err != nil {
			return err
		}
		if live >= limits.PerUser {
			return assay.Errorf(assay.CodeTooManySessions, "you have %d live sessions, which is as many as you may have; close one first", live)
		}
	}
	if limits.Total > 0 {
		if err := t.row(ctx, countLive).Scan(&live); err != nil {
			return err
		}
		if live >= limits.Total {
			return assay.Errorf(assay.CodeTooManySessions, "the server has as many live sessions as it can take; try again when one has ended")
		}
	}
	return nil
}

func (t txn) insertSession(ctx context.Context, in *assay.Session, idem session.Idempotency) error {
	code, message := failureColumns(in.Error)
	_, err := t.exec(ctx, insertSession, in.ID, in.UserID, in.Dataset, in.SampleID, in.SampleVersion, in.Status,
		toMicros(in.RequestedAt), toMicrosOrNull(in.ReadyAt), toMicrosOrNull(in.EndedAt), toMicros(in.ExpiresAt),
		code, message, in.Location, in.Handle, int64(in.Price), toMicrosOrNull(in.SeenAt), toMicrosOrNull(in.UnreachableAt), in.Unbilled.Microseconds(), in.ImageDigest, toNull(idem.Key), toNull(idem.RequestHash))
	if constraintOf(err).unique == "sessions.id" {
		return duplicate("session", in.ID)
	}
	return err
}

// Session implements session.Store.
func (s *Store) Session(ctx context.Context, userID, id string) (*assay.Session, error) {
	var row scanner
	if userID == "" {
		row = s.reader.row(ctx, selectSessionAny, id)
	} else {
		row = s.reader.row(ctx, selectSession, id, userID)
	}
	got, err := scanSession(row)
	if err != nil {
		return nil, doing(orNone(err, assay.CodeSessionNotFound, "session %s does not exist", id), "read session %s", id)
	}
	return got, nil
}

// Sessions implements session.Store. Limit 0 is no limit.
func (s *Store) Sessions(ctx context.Context, q session.Query) (session.Page, error) {
	where, args := []string{"1 = 1"}, []any{}
	filter := func(condition string, arg string) {
		if arg != "" {
			args = append(args, arg)
			where = append(where, fmt.Sprintf(condition, len(args)))
		}
	}
	filter("user_id = $%d", q.UserID)
	filter("status = $%d", string(q.Status))
	filter("dataset = $%d", q.Dataset)
	matching, matchArgs := strings.Join(where, " AND "), args
	filter("id < $%d", q.Before)
	list := `SELECT ` + sessionColumns + ` FROM sessions WHERE ` + strings.Join(where, " AND ") + ` ORDER BY id DESC`
	if q.Limit > 0 {
		args = append(args, q.Limit+1) // one more tells whether another page follows
		list += fmt.Sprintf(" LIMIT $%d", len(args))
	}

	var page session.Page
	err := s.read(ctx, func(ctx context.Context, r txn) error {
		if err := r.row(ctx, `SELECT count(*) FROM sessions WHERE `+matching, matchArgs...).Scan(&page.Total); err != nil {
			return err
		}
		rows, err := r.rows(ctx, list, args...)
		page.Sessions, err = collect(rows, err, scanSession)
		return err
	})
	if err != nil {
		return session.Page{}, doing(err, "list sessions")
	}
	if q.Limit > 0 && len(page.Sessions) > q.Limit {
		page.Sessions, page.More = page.Sessions[:q.Limit], true
	}
	return page, nil
}

// LiveSessions implements session.Store: by user, oldest first.
func (s *Store) LiveSessions(ctx context.Context) ([]*assay.Session, error) {
	rows, err := s.reader.rows(ctx, selectLive)
	live, err := collect(rows, err, scanSession)
	return live, doing(err, "list live sessions")
}

// LiveOfDisabled implements session.Store.
func (s *Store) LiveOfDisabled(ctx context.Context) ([]string, error) {
	rows, err := s.reader.rows(ctx, selectLiveOfDisabled)
	ids, err := collect(rows, err, func(row scanner) (id string, err error) { err = row.Scan(&id); return id, err })
	return ids, doing(err, "list live sessions of disabled users")
}

// MoveSession implements session.Store. A move that assay.SessionStatus forbids is an
// error of the program. The end of a session that was ready is billed in the same
// transaction: there is no moment at which it has ended and is not in the ledger.
func (s *Store) MoveSession(ctx context.Context, id string, from assay.SessionStatus, change session.SessionChange) (got *assay.Session, moved bool, err error) {
	if !from.CanBecome(change.Status) {
		return nil, false, fmt.Errorf("move session %s: %s cannot become %s", id, from, change.Status)
	}
	code, message := failureColumns(change.Error)
	bills := from == assay.SessionReady && !change.Status.Live()
	if bills && change.EndedAt == nil {
		return nil, false, fmt.Errorf("move session %s: it ends at no time", id)
	}
	err = s.write(ctx, func(ctx context.Context, w txn) error {
		ended := change.EndedAt
		if bills {
			if ended, err = w.billedEnd(ctx, id, *ended); err != nil {
				return err
			}
		}
		n, err := w.exec(ctx, moveSession, id, from, change.Status, toMicrosOrNull(change.ReadyAt), toMicrosOrNull(ended), code, message)
		if err != nil {
			return err
		}
		moved = n == 1
		got, err = scanSession(w.row(ctx, selectSessionAny, id))
		if err != nil {
			return orNone(err, assay.CodeSessionNotFound, "session %s does not exist", id)
		}
		if bills && moved {
			_, _, err = w.post(ctx, *assay.UsageOf(got))
		}
		return err
	})
	if err != nil && !persist.IsUnknown(err) {
		got, moved = nil, false
	}
	return got, moved, doing(err, "move session %s from %s to %s", id, from, change.Status)
}

// billedEnd returns when a session that is to end now, at the time end, ends for its
// bill.
func (t txn) billedEnd(ctx context.Context, id string, end time.Time) (*time.Time, error) {
	sess, err := scanSession(t.row(ctx, selectSessionAny, id))
	if err != nil {
		return nil, orNone(err, assay.CodeSessionNotFound, "session %s does not exist", id)
	}
	if end.After(sess.ExpiresAt) {
		end = sess.ExpiresAt // nothing lives, and nothing is billed, beyond this
	}
	end, err = t.affordable(ctx, sess, end)
	return &end, err
}

// SetHandle implements session.Store: session_not_found, session_ended.
func (s *Store) SetHandle(ctx context.Context, id, handle, location, imageDigest string) error {
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		n, err := w.exec(ctx, setSessionHandle, id, handle, location, imageDigest)
		if err != nil || n == 1 {
			return err
		}
		ended, err := scanSession(w.row(ctx, selectSessionAny, id))
		if err != nil {
			return orNone(err, assay.CodeSessionNotFound, "session %s does not exist", id)
		}
		return assay.Errorf(assay.CodeSessionEnded, "session %s is %s", id, ended.Status)
	})
	return doing(err, "store the sandbox of session %s", id)
}
