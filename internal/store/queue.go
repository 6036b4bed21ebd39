package store

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"assay"
	"assay/internal/queue"
)

// maxPassed bounds how many verifications are looked at for the next: those that others claim
// in this moment are passed over.
const maxPassed = 64

// queueTexts are the statements of the queue, by the words that an engine has for them. They
// measure time by the clock of the database, which all its servers share.
type queueTexts struct{ claim, renew, release, reap, count string }

func newQueueTexts(e engine) queueTexts {
	clock, skip := e.clock(), e.skipLocked("v")
	return queueTexts{
		// Users take turns: who waits stands behind as many as are under way or wait before of
		// the same user; of several, that user is next of whom none has begun for longest.
		claim: fmt.Sprintf(`UPDATE verifications SET status = 'starting', attempt = attempt + 1, started_at = $2, lease = $1, leased_until = %[1]s + $3
			WHERE status = 'pending' AND id = (
				WITH waiting AS MATERIALIZED (
					SELECT id, user_id, CASE WHEN crashes = $5 THEN 1 ELSE 0 END AS alone, row_number() OVER (PARTITION BY user_id ORDER BY id) AS turn
					FROM verifications WHERE status = 'pending' AND not_before <= %[1]s AND ($4 = 1 OR crashes <> $5)
				), users AS MATERIALIZED (
					SELECT u.user_id,
						(SELECT count(*) FROM verifications r WHERE r.status IN ('starting', 'running') AND r.user_id = u.user_id) AS under_way,
						coalesce((SELECT max(s.started_at) FROM verifications s WHERE s.user_id = u.user_id), 0) AS served
					FROM (SELECT DISTINCT user_id FROM waiting) u
				), next AS MATERIALIZED (
					SELECT w.id, w.alone, w.turn + u.under_way AS place, u.served FROM waiting w JOIN users u ON u.user_id = w.user_id
					ORDER BY 2, 3, 4, 1 LIMIT $6
				)
				SELECT v.id FROM next JOIN verifications v ON v.id = next.id WHERE v.status = 'pending'
				ORDER BY next.alone, next.place, next.served, next.id LIMIT 1%[2]s)
			RETURNING %[3]s, origin`, clock, skip, verificationRead),

		renew: fmt.Sprintf(`UPDATE verifications SET leased_until = %s + $2 WHERE lease = $1 AND lease <> ''`, clock),

		release: fmt.Sprintf(`UPDATE verifications SET status = 'pending', lease = '', attempt = attempt - $2, not_before = %s + $3
			WHERE lease = $1 AND lease <> '' AND status IN ('starting', 'running')`, clock),

		reap: fmt.Sprintf(`UPDATE verifications SET status = 'pending', lease = '', crashes = crashes + 1
			WHERE status IN ('starting', 'running') AND lease NOT LIKE $1 || '%%' AND ($2 = 1 OR lease <> '' AND leased_until < %s)`, clock),

		count: fmt.Sprintf(`SELECT
				count(CASE WHEN status = 'pending' AND not_before <= %[1]s AND crashes <> $2 THEN 1 END),
				count(CASE WHEN status = 'pending' AND not_before <= %[1]s AND crashes = $2 THEN 1 END),
				count(CASE WHEN status = 'pending' AND not_before > %[1]s THEN 1 END),
				count(CASE WHEN status <> 'pending' THEN 1 END),
				count(CASE WHEN lease LIKE $1 || '%%' AND status <> 'pending' THEN 1 END),
				count(CASE WHEN lease LIKE $1 || '%%' AND status <> 'pending' AND crashes = $2 THEN 1 END),
				count(CASE WHEN lease NOT LIKE $1 || '%%' AND lease <> '' AND leased_until < %[1]s THEN 1 END),
				coalesce(min(CASE WHEN status = 'pending' AND not_before > %[1]s THEN not_before - %[1]s END), 0)
			FROM verifications WHERE status IN ('pending', 'starting', 'running')`, clock),
	}
}

// ClaimVerification implements queue.Store.
func (s *Store) ClaimVerification(ctx context.Context, c queue.Claim) (job *queue.Job, err error) {
	own := s.queue.ofWrite(ctx)
	err = own.done(s.queue.transact(own.ctx, nil, own.step, func(ctx context.Context, w txn) (err error) {
		job = &queue.Job{}
		job.Verification, err = scanVerificationAnd(w.row(ctx, s.texts.claim,
			c.Lease, toMicros(c.At), c.For.Microseconds(), toInt(c.Alone), assay.AloneAfter, maxPassed), &job.Origin)
		if isNone(err) {
			job, err = nil, nil
		}
		return err
	}))
	if err != nil {
		return nil, doing(err, "claim a verification")
	}
	return job, nil
}

// RenewLease implements queue.Store.
func (s *Store) RenewLease(ctx context.Context, lease string, holds time.Duration) (held bool, err error) {
	n, err := s.queue.exec(ctx, s.texts.renew, lease, holds.Microseconds())
	return n == 1, doing(err, "renew a lease")
}

// ReleaseVerification implements queue.Store.
func (s *Store) ReleaseVerification(ctx context.Context, lease string, r queue.Release) (released bool, err error) {
	n, err := s.queue.exec(ctx, s.texts.release, lease, toInt(r.CutShort), r.Pause.Microseconds())
	return n == 1, doing(err, "give a verification back")
}

// ReapVerifications implements queue.Store.
func (s *Store) ReapVerifications(ctx context.Context, server string, allDead bool) (jobs int, err error) {
	n, err := s.queue.exec(ctx, s.texts.reap, server, toInt(allDead))
	return int(n), doing(err, "give back what was under way when a server died")
}

// CountQueue implements queue.Store.
func (s *Store) CountQueue(ctx context.Context, server string) (c queue.Counts, err error) {
	var (
		alone int
		next  int64
	)
	err = s.reader.row(ctx, s.texts.count, server, assay.AloneAfter).Scan(
		&c.Available, &c.Alone, &c.Paused, &c.Running, &c.Mine, &alone, &c.Expired, &next)
	c.MineAlone, c.Next = alone > 0, time.Duration(next)*time.Microsecond
	return c, doing(err, "look at the queue")
}

// ListenToQueue implements queue.Store.
func (s *Store) ListenToQueue(ctx context.Context, log *slog.Logger, heard func()) {
	s.engine.listen(ctx, log, heard)
}

// tellQueue tells other servers that a verification is stored, once it is.
func (s *Store) tellQueue(ctx context.Context, w txn) error {
	text := s.engine.tell()
	if text == "" {
		return nil
	}
	_, err := w.exec(ctx, text)
	return err
}
