package verification

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"assay"
)

// Withdrawals keeps which verdicts operators took back.
type Withdrawals interface {
	// Withdraw stores that a verdict was taken back, with an event of its user: job_not_found;
	// conflict when there is no verdict, or it was withdrawn before. It stands for no other
	// verdict from then on.
	Withdraw(ctx context.Context, verificationID string, w assay.Withdrawal, event assay.AuditEvent) error
	// Withdrawal tells whether a verdict was taken back; nil when it was not, or there is none.
	Withdrawal(ctx context.Context, verificationID string) (*assay.Withdrawal, error)
}

// maxReason bounds the reason of a withdrawal, in characters.
const maxReason = 1000

// Withdraw takes a verdict back, for a reason that its user will read: invalid_request, and
// the errors of Withdrawals. What was signed stays as it is, and so does the verdict.
func Withdraw(ctx context.Context, store Withdrawals, verificationID, reason string, now time.Time) error {
	reason = strings.TrimSpace(reason)
	switch {
	case reason == "":
		return assay.Errorf(assay.CodeInvalid, "say why the verdict is withdrawn: its user will read it")
	case !utf8.ValidString(reason) || strings.ContainsRune(reason, 0):
		return assay.Errorf(assay.CodeInvalid, "the reason holds characters that cannot be shown")
	case utf8.RuneCountInString(reason) > maxReason:
		return assay.Errorf(assay.CodeInvalid, "the reason has more than %d characters", maxReason)
	}
	at := now.UTC()
	return store.Withdraw(ctx, verificationID, assay.Withdrawal{At: at, Reason: reason}, assay.AuditEvent{
		At: at, Actor: assay.ActorOperator, Action: assay.AuditVerdictWithdraw, Subject: verificationID, Detail: reason,
	})
}

// Withdrawal tells whether a verdict was taken back, to whoever knows its id; nil when it
// was not, or there is none.
func (s *Service) Withdrawal(ctx context.Context, verificationID string) (*assay.Withdrawal, error) {
	return s.cfg.Store.Withdrawal(ctx, verificationID)
}
