package storetest

import (
	"context"
	"sync"
	"time"

	"assay"
	"assay/internal/billing"
	"assay/internal/persist"
	"assay/internal/session"
	"assay/internal/verification"
)

// Late is a store whose answers are lost: what it is asked to write is committed, and who
// asked is told of an error then. Where a method would do so for a real store that lost its
// connection, it returns with a persist.Unknown what came of the write.
type Late struct {
	Stores

	mu    sync.Mutex
	armed map[string]loss // by method
	fired map[string]int
}

// loss is how a method will fail.
type loss struct {
	err   error
	after int // calls that are answered before
}

// Lost is the error of a write that was committed, and whose connection was lost.
type Lost struct{}

func (Lost) Error() string { return "the connection was lost" }

// Settle tells that it was committed.
func (Lost) Settle(context.Context) (bool, error) { return true, nil }

// NewLate returns a store over another.
func NewLate(over Stores) *Late {
	return &Late{Stores: over, armed: make(map[string]loss), fired: make(map[string]int)}
}

// After lets the next call of a method fail with err, after its commit.
func (l *Late) After(method string, err error) { l.Nth(method, 0, err) }

// Nth is After for a later call: n are answered before.
func (l *Late) Nth(method string, n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed[method] = loss{err, n}
}

// Fired tells how often a method has failed so.
func (l *Late) Fired(method string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fired[method]
}

// late is the error of a write that succeeded unless err is one already.
func (l *Late) late(method string, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	armed, is := l.armed[method]
	if err != nil || !is {
		return err
	}
	if armed.after > 0 {
		armed.after--
		l.armed[method] = armed
		return nil
	}
	delete(l.armed, method)
	l.fired[method]++
	return armed.err
}

// Reads and Writes are the methods of the ports of the services for sessions, verifications
// and money. Late knows the second.
var (
	Reads = []string{
		"Session", "Sessions", "LiveSessions", "LiveOfDisabled", "Interaction", "RunningInteractions",
		"Verification", "VerificationByKey", "Lookups", "Work", "LastVerification", "ReusableVerification", "Envelope",
		"OpenVerifications", "Exposure", "DetailsTold", "Withdrawal",
		"Wallet", "Statement", "Exhausted", "Books", "OpenDeposits", "Customer",
	}
	SessionWrites      = []string{"InsertSession", "MoveSession", "SeeSessions", "LoseSession", "RegainSession", "SetHandle", "ShiftSessions", "InsertInteraction", "NoteLookup", "FinishInteraction"}
	VerificationWrites = []string{"InsertVerification", "MoveVerification", "SetVerificationHandle", "SaveWork", "NotePlay", "NoteDetails", "Withdraw"}
	BillingWrites      = []string{"Post", "InsertDeposit", "SetCheckout", "Settle", "Asked", "SetCustomer"}
)

// InsertSession and those below are the writes, in the order of the ports.
func (l *Late) InsertSession(ctx context.Context, s *assay.Session, idem session.Idempotency, limits session.LiveLimits) (*assay.Session, bool, error) {
	got, created, err := l.Stores.InsertSession(ctx, s, idem, limits)
	if err = l.late("InsertSession", err); err != nil {
		return nil, false, err
	}
	return got, created, nil
}

func (l *Late) MoveSession(ctx context.Context, id string, from assay.SessionStatus, change session.SessionChange) (*assay.Session, bool, error) {
	got, moved, err := l.Stores.MoveSession(ctx, id, from, change)
	if err = l.late("MoveSession", err); err != nil && !persist.IsUnknown(err) {
		return nil, false, err
	}
	return got, moved, err
}

func (l *Late) SeeSessions(ctx context.Context, ids []string, at time.Time) error {
	return l.late("SeeSessions", l.Stores.SeeSessions(ctx, ids, at))
}

func (l *Late) LoseSession(ctx context.Context, id string, at time.Time) error {
	return l.late("LoseSession", l.Stores.LoseSession(ctx, id, at))
}

func (l *Late) RegainSession(ctx context.Context, id string, at time.Time) error {
	return l.late("RegainSession", l.Stores.RegainSession(ctx, id, at))
}

func (l *Late) SetHandle(ctx context.Context, id, handle, location, imageDigest string) error {
	return l.late("SetHandle", l.Stores.SetHandle(ctx, id, handle, location, imageDigest))
}

func (l *Late) ShiftSessions(ctx context.Context, by time.Duration) error {
	return l.late("ShiftSessions", l.Stores.ShiftSessions(ctx, by))
}

func (l *Late) InsertInteraction(ctx context.Context, in *assay.Interaction, idem session.Idempotency, limit int) (*assay.Interaction, bool, error) {
	got, created, err := l.Stores.InsertInteraction(ctx, in, idem, limit)
	if err = l.late("InsertInteraction", err); err != nil {
		return nil, false, err
	}
	return got, created, nil
}

func (l *Late) NoteLookup(ctx context.Context, sessionID string, look assay.Lookup) error {
	return l.late("NoteLookup", l.Stores.NoteLookup(ctx, sessionID, look))
}

func (l *Late) FinishInteraction(ctx context.Context, in *assay.Interaction) (bool, error) {
	finished, err := l.Stores.FinishInteraction(ctx, in)
	return finished, l.late("FinishInteraction", err)
}

func (l *Late) InsertVerification(ctx context.Context, v *assay.Verification, idem session.Idempotency, limit int, origin string) (*assay.Verification, bool, error) {
	got, created, err := l.Stores.InsertVerification(ctx, v, idem, limit, origin)
	if err = l.late("InsertVerification", err); err != nil {
		return nil, false, err
	}
	return got, created, nil
}

func (l *Late) MoveVerification(ctx context.Context, id string, from assay.VerificationStatus, change verification.Change) (*assay.Verification, bool, error) {
	got, moved, err := l.Stores.MoveVerification(ctx, id, from, change)
	if err = l.late("MoveVerification", err); err != nil && !persist.IsUnknown(err) {
		return nil, false, err
	}
	return got, moved, err
}

func (l *Late) SetVerificationHandle(ctx context.Context, id, lease, handle, location string) error {
	return l.late("SetVerificationHandle", l.Stores.SetVerificationHandle(ctx, id, lease, handle, location))
}

func (l *Late) SaveWork(ctx context.Context, id string, work verification.Work) error {
	return l.late("SaveWork", l.Stores.SaveWork(ctx, id, work))
}

func (l *Late) NotePlay(ctx context.Context, id string, state assay.PlayState, at time.Time) (assay.PlayState, error) {
	holds, err := l.Stores.NotePlay(ctx, id, state, at)
	return holds, l.late("NotePlay", err)
}

func (l *Late) NoteDetails(ctx context.Context, id string) error {
	return l.late("NoteDetails", l.Stores.NoteDetails(ctx, id))
}

func (l *Late) Withdraw(ctx context.Context, id string, w assay.Withdrawal, event assay.AuditEvent) error {
	return l.late("Withdraw", l.Stores.Withdraw(ctx, id, w, event))
}

func (l *Late) Post(ctx context.Context, x assay.Transaction, event assay.AuditEvent) (*assay.Transaction, bool, error) {
	posted, added, err := l.Stores.Post(ctx, x, event)
	if err = l.late("Post", err); err != nil {
		return nil, false, err
	}
	return posted, added, nil
}

func (l *Late) InsertDeposit(ctx context.Context, d *billing.Deposit, idem assay.Idempotency, event assay.AuditEvent) (*billing.Deposit, bool, error) {
	got, created, err := l.Stores.InsertDeposit(ctx, d, idem, event)
	if err = l.late("InsertDeposit", err); err != nil {
		return nil, false, err
	}
	return got, created, nil
}

func (l *Late) SetCheckout(ctx context.Context, depositID, checkoutID, url string) (*billing.Deposit, error) {
	got, err := l.Stores.SetCheckout(ctx, depositID, checkoutID, url)
	if err = l.late("SetCheckout", err); err != nil {
		return nil, err
	}
	return got, nil
}

func (l *Late) Settle(ctx context.Context, f billing.Fact) (billing.Settled, error) {
	got, err := l.Stores.Settle(ctx, f)
	if err = l.late("Settle", err); err != nil {
		return billing.Settled{}, err
	}
	return got, nil
}

func (l *Late) Asked(ctx context.Context, depositID string, at time.Time) error {
	return l.late("Asked", l.Stores.Asked(ctx, depositID, at))
}

func (l *Late) SetCustomer(ctx context.Context, userID, customerID string) (string, error) {
	got, err := l.Stores.SetCustomer(ctx, userID, customerID)
	if err = l.late("SetCustomer", err); err != nil {
		return "", err
	}
	return got, nil
}
