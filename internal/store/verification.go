package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"

	"assay"
	"assay/internal/persist"
	"assay/internal/session"
	"assay/internal/verification"
)

const verificationColumns = `id, session_id, user_id, dataset, sample_id, sample_version, status, attempt, created_at, started_at, completed_at,
	failure_code, failure_message, location, handle, verdict, feedback, lease, crashes`

// verificationRead is verificationColumns and what an operator said since.
const verificationRead = verificationColumns + `,
	(SELECT w.at FROM withdrawals w WHERE w.verification_id = verifications.id),
	(SELECT w.reason FROM withdrawals w WHERE w.verification_id = verifications.id)`

const (
	selectVerification    = `SELECT ` + verificationRead + ` FROM verifications WHERE id = $1 AND session_id = $2 AND user_id = $3`
	selectVerificationAny = `SELECT ` + verificationRead + ` FROM verifications WHERE id = $1`
	selectOpen            = `SELECT ` + verificationRead + ` FROM verifications WHERE status IN ('pending', 'starting', 'running')`

	// Read by operators alone.
	selectCompleted = `SELECT ` + verificationRead + ` FROM verifications WHERE status = 'completed' AND id > $2 AND ($1 = '' OR dataset = $1) ORDER BY id LIMIT $3`

	selectVerificationByKey = `SELECT id, idem_hash FROM verifications WHERE session_id = $1 AND idem_key = $2`
	countOpen               = `SELECT count(*) FROM verifications WHERE session_id = $1 AND status IN ('pending', 'starting', 'running')`

	insertVerification = `INSERT INTO verifications (` + verificationColumns + `, idem_key, idem_hash, origin)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, NULL, $16, '', 0, $17, $18, $19)`

	moveVerification = `UPDATE verifications SET status = $3,
			completed_at = coalesce($5, completed_at),
			failure_code = coalesce($6, failure_code),
			failure_message = coalesce($7, failure_message),
			verdict = coalesce($8, verdict),
			lease = CASE WHEN $9 = 1 THEN lease ELSE '' END
		WHERE id = $1 AND status = $2 AND lease = $4`

	setVerificationHandle = `UPDATE verifications SET handle = $3, location = $4
		WHERE id = $1 AND lease = $2 AND status IN ('pending', 'starting', 'running')`
)

func scanVerification(row scanner) (*assay.Verification, error) { return scanVerificationAnd(row) }

// scanVerificationAnd reads a row with more behind a verification's columns.
func scanVerificationAnd(row scanner, more ...any) (*assay.Verification, error) {
	var (
		v                  assay.Verification
		created            int64
		started, completed sql.NullInt64
		code, message      sql.NullString
		verdict            sql.NullString
		withdrawn          sql.NullInt64
		reason             sql.NullString
	)
	columns := []any{
		&v.ID, &v.SessionID, &v.UserID, &v.Dataset, &v.SampleID, &v.SampleVersion, &v.Status, &v.Attempt, &created, &started, &completed,
		&code, &message, &v.Location, &v.Handle, &verdict, &v.Feedback, &v.Lease, &v.Crashes, &withdrawn, &reason,
	}
	err := row.Scan(append(columns, more...)...)
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
func (s *Store) InsertVerification(ctx context.Context, in *assay.Verification, idem session.Idempotency, limit int, origin string) (got *assay.Verification, created bool, err error) {
	err = s.write(ctx, func(ctx context.Context, w txn) error {
		id, err := earlier(w.row(ctx, selectVerificationByKey, in.SessionID, toNull(idem.Key)), idem)
		if err != nil {
			return err
		}
		if created = id == ""; created {
			id = in.ID
			if err := w.checkOpen(ctx, in.SessionID, limit); err != nil {
				return err
			}
			if err := w.insertVerification(ctx, in, idem, origin); err != nil {
				return err
			}
			if err := s.tellQueue(ctx, w); err != nil {
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
	return got, created, nil
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

func (t txn) insertVerification(ctx context.Context, in *assay.Verification, idem session.Idempotency, origin string) error {
	code, message := failureColumns(in.Failure)
	_, err := t.exec(ctx, insertVerification, in.ID, in.SessionID, in.UserID, in.Dataset, in.SampleID, in.SampleVersion, in.Status, in.Attempt,
		toMicros(in.CreatedAt), toMicrosOrNull(in.StartedAt), toMicrosOrNull(in.CompletedAt),
		code, message, in.Location, in.Handle, string(in.Feedback), toNull(idem.Key), toNull(idem.RequestHash), cmp.Or(origin, "{}"))
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
func (s *Store) MoveVerification(ctx context.Context, id string, from assay.VerificationStatus, change verification.Change) (got *assay.Verification, moved bool, err error) {
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
	under := change.Status == assay.VerificationStarting || change.Status == assay.VerificationRunning
	err = s.write(ctx, func(ctx context.Context, w txn) error {
		n, err := w.exec(ctx, moveVerification, id, from, change.Status, change.Lease,
			toMicrosOrNull(change.CompletedAt), code, message, verdict, toInt(under))
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
		got, err = scanVerification(w.row(ctx, selectVerificationAny, id))
		return orNone(err, assay.CodeJobNotFound, "verification %s does not exist", id)
	})
	if err != nil && !persist.IsUnknown(err) {
		got, moved = nil, false
	}
	if err != nil {
		return got, moved, doing(err, "move verification %s from %s to %s", id, from, change.Status)
	}
	return got, moved, nil
}

// SetVerificationHandle implements verification.Store: job_not_found, and conflict
// when the verification has ended, or another has its lease.
func (s *Store) SetVerificationHandle(ctx context.Context, id, lease, handle, location string) error {
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		n, err := w.exec(ctx, setVerificationHandle, id, lease, handle, location)
		if err != nil || n == 1 {
			return err
		}
		ended, err := scanVerification(w.row(ctx, selectVerificationAny, id))
		if err != nil {
			return orNone(err, assay.CodeJobNotFound, "verification %s does not exist", id)
		}
		return assay.Errorf(assay.CodeConflict, "verification %s is %s, and this attempt is none any more", id, ended.Status)
	})
	return doing(err, "store the sandbox of verification %s", id)
}

// OpenVerifications implements verification.Store.
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
