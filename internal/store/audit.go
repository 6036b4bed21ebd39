package store

import (
	"context"

	"assay"
)

const insertAudit = `INSERT INTO audit_log (id, at, actor, action, user_id, subject, address, detail)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`

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
