package store

import (
	"context"
	"math"
	"slices"
	"time"

	"assay"
	"assay/internal/identity"
)

const (
	auditColumns = `id, at, actor, action, user_id, subject, address, detail`
	insertAudit  = `INSERT INTO audit_log (` + auditColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`

	// Ids sort by time, so that the newest are the last.
	auditFilter = ` at >= $1 AND (action = $2 OR $2 = '')`
	selectAudit = `SELECT ` + auditColumns + ` FROM audit_log WHERE` + auditFilter + ` ORDER BY id DESC LIMIT $3`
	// Two walks along an index each, of which one alone finds what a user did to itself.
	selectAuditOfUser = `SELECT * FROM (SELECT ` + auditColumns + ` FROM audit_log WHERE user_id = $4 AND` + auditFilter + ` ORDER BY id DESC LIMIT $3) AS about
		UNION ALL
		SELECT * FROM (SELECT ` + auditColumns + ` FROM audit_log WHERE actor = $4 AND user_id <> $4 AND` + auditFilter + ` ORDER BY id DESC LIMIT $3) AS did
		ORDER BY id DESC LIMIT $3`
)

// audit writes a line of the audit log in the transaction of what it tells. An event
// without an id gets one; one without an action is none.
func (t txn) audit(ctx context.Context, e assay.AuditEvent) error {
	if e.Action == "" {
		return nil
	}
	if e.ID == "" {
		e.ID = assay.NewID(assay.PrefixAudit)
	}
	_, err := t.exec(ctx, insertAudit, e.ID, toMicros(e.At), e.Actor, string(e.Action), e.UserID, e.Subject, e.Address, e.Detail)
	return doing(err, "write the audit log")
}

// InsertAudit implements identity.Store.
func (s *Store) InsertAudit(ctx context.Context, event assay.AuditEvent) error {
	return s.write(ctx, func(ctx context.Context, w txn) error { return w.audit(ctx, event) })
}

// Audit implements identity.Store.
func (s *Store) Audit(ctx context.Context, q identity.AuditQuery) ([]assay.AuditEvent, error) {
	text, args := selectAudit, []any{sinceMicros(q.Since), string(q.Action), q.Limit}
	if q.UserID != "" {
		text, args = selectAuditOfUser, append(args, q.UserID)
	}
	rows, err := s.reader.rows(ctx, text, args...)
	events, err := collect(rows, err, scanAudit)
	slices.Reverse(events)
	return events, doing(err, "read the audit log")
}

// sinceMicros is a time from which something is asked for; the zero time asks for all.
func sinceMicros(t time.Time) int64 {
	if t.IsZero() {
		return math.MinInt64
	}
	return toMicros(t)
}

func scanAudit(row scanner) (e assay.AuditEvent, err error) {
	var at int64
	err = row.Scan(&e.ID, &at, &e.Actor, &e.Action, &e.UserID, &e.Subject, &e.Address, &e.Detail)
	e.At = fromMicros(at)
	return e, err
}
