package app

import (
	"context"
	"time"

	"assay/internal/verification"
)

// WithdrawVerdict takes a verdict back, beside a server that may run; see
// verification.Withdraw.
func (a *App) WithdrawVerdict(ctx context.Context, verificationID, reason string) error {
	return verification.Withdraw(ctx, a.store, verificationID, reason, time.Now())
}
