package store

import (
	"context"
	"fmt"
	"time"

	"assay"
	"assay/internal/persist"
	"assay/internal/session"
)

const (
	interactionHead    = `i.id, i.session_id, i.created_at, i.timeout, i.status, i.command`
	interactionColumns = interactionHead + `, i.exit_code, i.duration, i.message,
		i.stdout_bytes, i.stdout_truncated, i.stderr_bytes, i.stderr_truncated, i.stdout, i.stderr`
)

const (
	selectInteraction = `SELECT ` + interactionColumns + ` FROM interactions i JOIN sessions s ON s.id = i.session_id
		WHERE i.id = $1 AND i.session_id = $2 AND s.user_id = $3`
	selectInteractionAny = `SELECT ` + interactionColumns + ` FROM interactions i WHERE i.id = $1`

	selectRunning          = `SELECT ` + interactionHead + ` FROM interactions i WHERE i.status IN ('pending', 'processing') ORDER BY i.session_id, i.id`
	selectRunningOfSession = `SELECT ` + interactionHead + ` FROM interactions i
		WHERE i.session_id = $1 AND i.status IN ('pending', 'processing') ORDER BY i.id`

	selectInteractionByKey = `SELECT id, idem_hash FROM interactions WHERE session_id = $1 AND idem_key = $2`
	// selectRoom tells whether another command may begin in a session.
	selectRoom = `SELECT s.status, (SELECT count(*) FROM interactions i WHERE i.session_id = s.id AND i.status IN ('pending', 'processing'))
		FROM sessions s WHERE s.id = $1`

	// startInteraction is insertInteraction if selectRoom lets it: all that most commands
	// need, in one statement.
	startInteraction = `INSERT INTO interactions (id, session_id, created_at, timeout, status, command, idem_key, idem_hash,
			exit_code, duration, message, stdout_bytes, stdout_truncated, stderr_bytes, stderr_truncated, stdout, stderr)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, 0, 0, '', 0, 0, 0, 0, $9, $9 FROM sessions s
		WHERE s.id = $2 AND s.status = 'ready' AND ($10 = 0 OR
			(SELECT count(*) FROM interactions i WHERE i.session_id = s.id AND i.status IN ('pending', 'processing')) < $10)`

	insertInteraction = `INSERT INTO interactions (id, session_id, created_at, timeout, status, command, idem_key, idem_hash,
			exit_code, duration, message, stdout_bytes, stdout_truncated, stderr_bytes, stderr_truncated, stdout, stderr)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, '', 0, 0, 0, 0, $9, $9)`

	finishInteraction = `UPDATE interactions SET status = $2, exit_code = $3, duration = $4, message = $5,
			stdout_bytes = $6, stdout_truncated = $7, stderr_bytes = $8, stderr_truncated = $9, stdout = $10, stderr = $11
		WHERE id = $1 AND status IN ('pending', 'processing')`
)

func scanInteractionHead(row scanner) (*assay.Interaction, error) {
	var (
		in               assay.Interaction
		created, timeout int64
	)
	if err := row.Scan(&in.ID, &in.SessionID, &created, &timeout, &in.Status, &in.Command); err != nil {
		return nil, err
	}
	in.CreatedAt, in.Timeout = fromMicros(created), time.Duration(timeout)*time.Microsecond
	return &in, nil
}

func scanInteraction(row scanner) (*assay.Interaction, error) {
	var (
		in                         assay.Interaction
		created, timeout, duration int64
	)
	err := row.Scan(&in.ID, &in.SessionID, &created, &timeout, &in.Status, &in.Command, &in.ExitCode, &duration, &in.Message,
		&in.Stdout.Bytes, &in.Stdout.Truncated, &in.Stderr.Bytes, &in.Stderr.Truncated, &in.Stdout.Text, &in.Stderr.Text)
	if err != nil {
		return nil, err
	}
	in.CreatedAt = fromMicros(created)
	in.Timeout, in.Duration = time.Duration(timeout)*time.Microsecond, time.Duration(duration)*time.Microsecond
	return &in, nil
}

// InsertInteraction implements session.Store. Limit 0 is no limit.
func (s *Store) InsertInteraction(ctx context.Context, in *assay.Interaction, idem session.Idempotency, limit int) (got *assay.Interaction, created bool, err error) {
	row := []any{
		in.ID, in.SessionID, toMicros(in.CreatedAt), in.Timeout.Microseconds(),
		assay.InteractionProcessing, []byte(in.Command), toNull(idem.Key), toNull(idem.RequestHash), []byte{},
	}
	n, err := s.writer.exec(ctx, startInteraction, append(row, max(0, limit))...)
	if created = err == nil && n == 1; !created && (err == nil || constraintOf(err).unique != "") {
		got, created, err = s.insertInteraction(ctx, in, row, idem, limit)
	}
	if err != nil {
		return nil, false, doing(err, "insert interaction %s of session %s", in.ID, in.SessionID)
	}
	if created {
		got = &assay.Interaction{
			ID: in.ID, SessionID: in.SessionID, CreatedAt: stored(in.CreatedAt), Command: in.Command,
			Timeout: in.Timeout.Truncate(time.Microsecond), Status: assay.InteractionProcessing,
		}
	}
	return got, created, nil
}

// insertInteraction finds out why a row was not inserted, or does so now: the
// interaction of an idempotency key, or an error.
func (s *Store) insertInteraction(ctx context.Context, in *assay.Interaction, row []any, idem session.Idempotency, limit int) (got *assay.Interaction, created bool, err error) {
	err = s.write(ctx, func(ctx context.Context, w txn) error {
		created = false
		if idem.Key != "" { // most commands have none: spare them the statement
			id, err := earlier(w.row(ctx, selectInteractionByKey, in.SessionID, idem.Key), idem)
			if err != nil {
				return err
			}
			if id != "" {
				got, err = scanInteraction(w.row(ctx, selectInteractionAny, id))
				return err
			}
		}
		if err := w.checkRoom(ctx, in.SessionID, limit); err != nil {
			return err
		}
		_, err := w.exec(ctx, insertInteraction, row...)
		if constraintOf(err).unique == "interactions.id" {
			return duplicate("interaction", in.ID)
		}
		created = err == nil
		return err
	})
	return got, created, err
}

// checkRoom fails unless another command may begin in the session.
func (t txn) checkRoom(ctx context.Context, sessionID string, limit int) error {
	var (
		status  assay.SessionStatus
		running int
	)
	if err := t.row(ctx, selectRoom, sessionID).Scan(&status, &running); err != nil {
		return orNone(err, assay.CodeSessionNotFound, "session %s does not exist", sessionID)
	}
	switch {
	case status == assay.SessionCreating:
		return assay.Errorf(assay.CodeSessionNotReady, "session %s is still being created; wait until its status is ready", sessionID)
	case status != assay.SessionReady:
		return assay.Errorf(assay.CodeSessionEnded, "session %s is %s; create a new one", sessionID, status)
	case limit > 0 && running >= limit:
		return assay.Errorf(assay.CodeTooManyCommands, "%d commands are running in session %s, which is as many as may; wait for one to end", running, sessionID)
	}
	return nil
}

// Interaction implements session.Store. Unlike elsewhere, no empty id stands for any.
func (s *Store) Interaction(ctx context.Context, userID, sessionID, id string) (*assay.Interaction, error) {
	in, err := scanInteraction(s.reader.row(ctx, selectInteraction, id, sessionID, userID))
	if err != nil {
		return nil, doing(orNone(err, assay.CodeInteractionNotFound, "interaction %s does not exist in session %s", id, sessionID), "read interaction %s", id)
	}
	return in, nil
}

// FinishInteraction implements session.Store: interaction_not_found. A status that is
// not final is an error of the program.
func (s *Store) FinishInteraction(ctx context.Context, in *assay.Interaction) (finished bool, err error) {
	if !in.Status.Final() {
		return false, fmt.Errorf("finish interaction %s: %s is not final", in.ID, in.Status)
	}
	n, err := s.writer.exec(ctx, finishInteraction, in.ID, in.Status, in.ExitCode, in.Duration.Microseconds(), toText(in.Message),
		in.Stdout.Bytes, toInt(in.Stdout.Truncated), in.Stderr.Bytes, toInt(in.Stderr.Truncated), []byte(in.Stdout.Text), []byte(in.Stderr.Text))
	if err == nil && n == 0 {
		err = s.reader.row(ctx, `SELECT id FROM interactions WHERE id = $1`, in.ID).Scan(new(string))
		err = orNone(err, assay.CodeInteractionNotFound, "interaction %s does not exist", in.ID)
	}
	return n == 1 || persist.IsUnknown(err), doing(err, "finish interaction %s", in.ID)
}

// RunningInteractions implements session.Store: by session, oldest first.
func (s *Store) RunningInteractions(ctx context.Context, sessionID string) ([]*assay.Interaction, error) {
	var (
		rows cursor
		err  error
	)
	if sessionID == "" {
		rows, err = s.reader.rows(ctx, selectRunning)
	} else {
		rows, err = s.reader.rows(ctx, selectRunningOfSession, sessionID)
	}
	running, err := collect(rows, err, scanInteractionHead)
	return running, doing(err, "list running interactions")
}
