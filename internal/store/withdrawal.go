package store

import (
	"context"

	"assay"
)

const (
	insertWithdrawal = `INSERT INTO withdrawals (verification_id, at, reason) VALUES ($1, $2, $3)`
	selectWithdrawal = `SELECT at, reason FROM withdrawals WHERE verification_id = $1`
	selectWithdrawn  = `SELECT v.user_id, v.status, (SELECT count(*) FROM withdrawals w WHERE w.verification_id = v.id) FROM verifications v WHERE v.id = $1`
	forgetReusable   = `UPDATE judged_works SET reusable = 0 WHERE verification_id = $1`
)

// Withdraw implements verification.Withdrawals.
func (s *Store) Withdraw(ctx context.Context, verificationID string, w assay.Withdrawal, event assay.AuditEvent) error {
	err := s.write(ctx, func(ctx context.Context, t txn) error {
		var (
			status    assay.VerificationStatus
			withdrawn int
		)
		told := event // anew each time that the transaction is done
		if err := t.row(ctx, selectWithdrawn, verificationID).Scan(&told.UserID, &status, &withdrawn); err != nil {
			return orNone(err, assay.CodeJobNotFound, "verification %s does not exist", verificationID)
		}
		switch {
		case status != assay.VerificationCompleted:
			return assay.Errorf(assay.CodeConflict, "verification %s is %s, and has no verdict", verificationID, status)
		case withdrawn > 0:
			return assay.Errorf(assay.CodeConflict, "the verdict of verification %s was withdrawn before", verificationID)
		}
		if _, err := t.exec(ctx, insertWithdrawal, verificationID, toMicros(w.At), toText(w.Reason)); err != nil {
			return err
		}
		if _, err := t.exec(ctx, forgetReusable, verificationID); err != nil {
			return err
		}
		return t.audit(ctx, told)
	})
	return doing(err, "withdraw the verdict of verification %s", verificationID)
}

// Withdrawal implements verification.Withdrawals.
func (s *Store) Withdrawal(ctx context.Context, verificationID string) (*assay.Withdrawal, error) {
	var (
		at int64
		w  assay.Withdrawal
	)
	err := s.reader.row(ctx, selectWithdrawal, verificationID).Scan(&at, &w.Reason)
	if isNone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, doing(err, "read whether the verdict of verification %s was withdrawn", verificationID)
	}
	w.At = fromMicros(at)
	return &w, nil
}
