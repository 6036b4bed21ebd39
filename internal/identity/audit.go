package identity

import (
	"context"

	"assay"
)

// Actor is who does something, for the audit log.
type Actor struct {
	ID      string // a user's, or one of assay's Actor constants
	Address string // network address; "" for the command line
	// Feedback is how much the key that it acts with is told of verdicts; "" is all.
	Feedback assay.Feedback
}

// Operator is whoever runs the command line on the server's data.
var Operator = Actor{ID: assay.ActorOperator}

// event is what by does to the user userID, or to something of that user's.
func (s *Service) event(by Actor, action assay.AuditAction, userID, subject, detail string) assay.AuditEvent {
	return assay.AuditEvent{
		At: s.now().UTC(), Actor: by.ID, Address: by.Address,
		Action: action, UserID: userID, Subject: subject, Detail: detail,
	}
}

// maxAuditEvents bounds an answer of Audit.
const maxAuditEvents = 100_000

// Audit returns the newest events that q asks for, oldest first. A limit below 1 is one
// of 100.
func (s *Service) Audit(ctx context.Context, q AuditQuery) ([]assay.AuditEvent, error) {
	if q.Limit < 1 {
		q.Limit = 100
	}
	q.Limit = min(q.Limit, maxAuditEvents)
	return s.store.Audit(ctx, q)
}

// NoteKeysRotated tells the audit log that a key which signs access tokens is made.
func (s *Service) NoteKeysRotated(ctx context.Context, by Actor, detail string) error {
	return s.store.InsertAudit(ctx, s.event(by, assay.AuditKeysRotate, "", "", detail))
}
