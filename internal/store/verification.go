package store

import (
	"context"
	"database/sql"
	"fmt"

	"assay"
	"assay/internal/persist"
	"assay/internal/session"
	"assay/internal/verification"
)

const verificationColumns = `id, session_id, user_id, dataset, sample_id, sample_version, status, attempt, created_at, started_at, completed_at,
	failure_code, failure_message, location, handle, verdict, feedback`

// verificationRead is verificationColumns and what an operator said since.
const verificationRead = verificationColumns + `,
	(SELECT w.at FROM withdrawals w WHERE w.verification_id = verifications.id),
	(SELECT w.reason FROM withdrawals w WHERE w.verification_id = verifications.id)`

const (
	selectVerification    = `SELECT ` + verificationRead + ` FROM verifications WHERE id = $1 AND session_id = $2 AND user_id = $3`
	selectVerificationAny = `SELECT ` + verificationRead + ` FROM verifications WHERE id = $1`
	selectOpen            = `SELECT ` + verificationRead + ` FROM verifications WHERE status IN ('pending', 'starting', 'running') ORDER BY session_id, id`

	// Read by operators alone.
	selectCompleted = `SELECT ` + verificationRead + ` FROM verifications WHERE status = 'completed' AND id > $2 AND ($1 = '' OR dataset = $1) ORDER BY id LIMIT $3`

	selectVerificationByKey = `SELECT id, idem_hash FROM verifications WHERE session_id = $1 AND idem_key = $2`
	countOpen               = `SELECT count(*) FROM verifications WHERE session_id = $1 AND status IN ('pending', 'starting', 'running')`

	insertVerification = `INSERT INTO verifications (` + verificationColumns + `, idem_key, idem_hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, NULL, $16, $17, $18)`

	moveVerification = `UPDATE verifications SET status = $3,
			attempt = CASE WHEN $4 = 0 THEN attempt ELSE $4 END,
			started_at = coalesce($5, started_at),
			completed_at = coalesce($6, completed_at),
			failure_code = coalesce($7, failure_code),
			failure_message = coalesce($8, failure_message),
			verdict = coalesce($9, verdict)
		WHERE id = $1 AND status = $2`

	setVerificationHandle = `UPDATE verifications SET handle = $2, location = $3 WHERE id = $1 AND status IN ('pending', 'starting', 'running')`
)

func scanVerification(row scanner) (*assay.Verification, error) {
	var (
		v                  assay.Verification
		created            int64
		started, completed sql.NullInt64
		code, message      sql.NullString
		verdict            sql.NullString
		withdrawn          sql.NullInt64
		reason             sql.NullString
	)
	err := row.Scan(&v.ID, &v.SessionID, &v.UserID, &v.Dataset, &v.SampleID, &v.SampleVersion, &v.Status, &v.Attempt, &created, &started, &completed,
		&code, &message, &v.Location, &v.Handle, &verdict, &v.Feedback, &withdrawn, &reason)
	if err != nil {
		return nil, err
	}
	v.CreatedAt = fromMicros(created)
	v.StartedAt, v.CompletedAt = fromMicrosOrNull(started), fromMicrosOrNull(completed)
	v.Failure = failureOf(code, message)
	if withdrawn.Valid {
		v.Withdrawn = &assay.Withdrawal{At: fromMicros(withdrawn.Int64), Reason: reason.String}
	}
	if verdict.Valid {
		v.Verdict, err = verdictOf(verdict.String)
	}
	return &v, err
}

// InsertVerification implements verification.Store. Limit 0 is no limit. A session,
// user, dataset or sample that does not exist is session_not_found, user_not_found,
// dataset_not_found or sample_not_found.
func (s *Store) InsertVerification(ctx context.Context, in *assay.Verification, idem session.Idempotency, limit int, enqueue verification.Enqueue) (got *assay.Verification, created bool, err error) {
	var committed func()
	err = s.write(ctx, func(ctx context.Context, w txn) error {
		committed = nil
		id, err := earlier(w.row(ctx, selectVerificationByKey, in.SessionID, toNull(idem.Key)), idem)
		if err != nil {
			return err
		}
		if created = id == ""; created {
			id = in.ID
			if err := w.checkOpen(ctx, in.SessionID, limit); err != nil {
				return err
			}
			if err := w.insertVerification(ctx, in, idem); err != nil {
				return err
			}
			if committed, err = w.enqueue(ctx, enqueue, in.ID); err != nil {
				return err
			}
		}
		got, err = scanVerification(w.row(ctx, selectVerificationAny, id))
		return err
	})
	if constraintOf(err).foreign {
		err = s.missing(ctx, in.SessionID, in.UserID, in.Dataset, in.SampleID, in.SampleVersion)
	}
	if err != nil {
		return nil, false, doing(err, "insert verification %s of session %s", in.ID, in.SessionID)
	}
	if committed != nil {
		committed()
	}
	return got, created, nil
}

// enqueue adds the job of a verification in the transaction, unless add is nil.
func (t txn) enqueue(ctx context.Context, add verification.Enqueue, id string) (committed func(), err error) {
	if add == nil {
		return nil, nil
	}
	if committed, err = add(ctx, t.tx, id); err != nil {
		return nil, fmt.Errorf("enqueue its job: %w", err)
	}
	return committed, nil
}

// checkOpen fails when the session has as many open verifications as it may.
func (t txn) checkOpen(ctx context.Context, sessionID string, limit int) error {
	if limit == 0 {
		return nil
	}
	var open int
	if err := t.row(ctx, countOpen, sessionID).Scan(&open); err != nil {
		return err
	}
	if open >= limit {
		return assay.Errorf(assay.CodeTooManyJobs, "%d verifications of session %s have not ended, which is as many as may; wait for one to end", open, sessionID)
	}
	return nil
}

func (t txn) insertVerification(ctx context.Context, in *assay.Verification, idem session.Idempotency) error {
	code, message := failureColumns(in.Failure)
	_, err := t.exec(ctx, insertVerification, in.ID, in.SessionID, in.UserID, in.Dataset, in.SampleID, in.SampleVersion, in.Status, in.Attempt,
		toMicros(in.CreatedAt), toMicrosOrNull(in.StartedAt), toMicrosOrNull(in.CompletedAt),
		code, message, in.Location, in.Handle, string(in.Feedback), toNull(idem.Key), toNull(idem.RequestHash))
	if constraintOf(err).unique == "verifications.id" {
		return duplicate("verification", in.ID)
	}
	return err
}

// Verification implements verification.Store.
func (s *Store) Verification(ctx context.Context, userID, sessionID, id string) (*assay.Verification, error) {
	var row scanner
	if userID == "" && sessionID == "" {
		row = s.reader.row(ctx, selectVerificationAny, id)
	} else {
		row = s.reader.row(ctx, selectVerification, id, sessionID, userID)
	}
	v, err := scanVerification(row)
	if err != nil {
		return nil, doing(orNone(err, assay.CodeJobNotFound, "verification %s does not exist", id), "read verification %s", id)
	}
	return v, nil
}

// VerificationByKey implements verification.Store.
func (s *Store) VerificationByKey(ctx context.Context, userID, sessionID string, idem session.Idempotency) (*assay.Verification, error) {
	if _, err := s.Session(ctx, userID, sessionID); err != nil { // whose key it is comes before what it was for
		return nil, err
	}
	id, err := earlier(s.reader.row(ctx, selectVerificationByKey, sessionID, toNull(idem.Key)), idem)
	if err != nil {
		return nil, doing(err, "look up a verification of session %s by its key", sessionID)
	}
	return s.Verification(ctx, userID, sessionID, id) // none, when there is no id
}

// MoveVerification implements verification.Store. A move that
// assay.VerificationStatus forbids is an error of the program.
func (s *Store) MoveVerification(ctx context.Context, id string, from assay.VerificationStatus, change verification.Change, enqueue verification.Enqueue) (got *assay.Verification, moved bool, err error) {
	if !from.CanBecome(change.Status) {
		return nil, false, fmt.Errorf("move verification %s: %s cannot become %s", id, from, change.Status)
	}
	var verdict sql.NullString
	if change.Verdict != nil {
		verdict.Valid = true
		if verdict.String, err = toJSON(change.Verdict); err != nil {
			return nil, false, fmt.Errorf("encode the verdict of verification %s: %w", id, err)
		}
	}
	code, message := failureColumns(change.Failure)
	var committed func()
	err = s.write(ctx, func(ctx context.Context, w txn) error {
		committed = nil
		n, err := w.exec(ctx, moveVerification, id, from, change.Status, change.Attempt,
			toMicrosOrNull(change.StartedAt), toMicrosOrNull(change.CompletedAt), code, message, verdict)
		if err != nil {
			return err
		}
		moved = n == 1
		if moved {
			if err := w.complete(ctx, id, change); err != nil {
				return err
			}
			if err := s.moveOfPlay(ctx, w, id, change); err != nil {
				return err
			}
		}
		if moved && change.Status == assay.VerificationPending {
			if committed, err = w.enqueue(ctx, enqueue, id); err != nil {
				return err
			}
		}
		got, err = scanVerification(w.row(ctx, selectVerificationAny, id))
		return orNone(err, assay.CodeJobNotFound, "verification %s does not exist", id)
	})
	if err != nil && !persist.IsUnknown(err) {
		got, moved = nil, false
	}
	if err != nil {
		return got, moved, doing(err, "move verification %s from %s to %s", id, from, change.Status)
	}
	if committed != nil {
		committed()
	}
	return got, moved, nil
}

// SetVerificationHandle implements verification.Store: job_not_found, and conflict
// when the verification has ended.
func (s *Store) SetVerificationHandle(ctx context.Context, id, handle, location string) error {
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		n, err := w.exec(ctx, setVerificationHandle, id, handle, location)
		if err != nil || n == 1 {
			return err
		}
		ended, err := scanVerification(w.row(ctx, selectVerificationAny, id))
		if err != nil {
			return orNone(err, assay.CodeJobNotFound, "verification %s does not exist", id)
		}
		return assay.Errorf(assay.CodeConflict, "verification %s is %s", id, ended.Status)
	})
	return doing(err, "store the sandbox of verification %s", id)
}

// OpenVerifications implements verification.Store: by session, oldest first.
func (s *Store) OpenVerifications(ctx context.Context) ([]*assay.Verification, error) {
	rows, err := s.reader.rows(ctx, selectOpen)
	open, err := collect(rows, err, scanVerification)
	return open, doing(err, "list open verifications")
}

// Completed implements verification.Judged: oldest first.
func (s *Store) Completed(ctx context.Context, dataset, after string, limit int) ([]*assay.Verification, error) {
	rows, err := s.reader.rows(ctx, selectCompleted, dataset, after, limit)
	done, err := collect(rows, err, scanVerification)
	return done, doing(err, "list verifications with a verdict")
}

// verdictOf reads a stored verdict. One that does not say whether the answers were open is
// of a time when anybody could read them.
func verdictOf(text string) (*assay.Verdict, error) {
	v := &assay.Verdict{Evidence: assay.Evidence{AnswersOpen: true}}
	return v, fromJSON(text, "verdict", v)
}
