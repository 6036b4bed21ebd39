package session_test

import (
	"context"
	"testing"
	"time"

	"assay"
	"assay/internal/billing"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/session"
)

// cent a minute is 166.67 millionths a second.
const cent = assay.MicrosPerCent

// priced makes sessions cost a cent a minute, with a clock that a test turns.
func priced(c *clock) func(*session.Config) {
	return func(cfg *session.Config) {
		cfg.Now = c.now
		cfg.Price = func(string) assay.MicroUSD { return cent }
		cfg.SeeEvery = time.Hour // when it begins and when it ends, no more
	}
}

// credit gives the user of the tests money.
func (f *fixture) credit(amount assay.MicroUSD) {
	f.t.Helper()
	id := assay.NewID(assay.PrefixTransaction)
	_, _, err := f.store.Post(f.t.Context(), assay.Transaction{
		ID: id, UserID: user, Type: assay.TransactionDeposit, Amount: amount, Against: assay.AccountPromotions, Key: id, CreatedAt: time.Now(),
	}, assay.AuditEvent{})
	if err != nil {
		f.t.Fatal(err)
	}
}

// spent returns what the ledger says that the user has spent, after a proof that the
// books are in order.
func (f *fixture) spent() (bills int64, amount assay.MicroUSD) {
	f.t.Helper()
	books, err := f.store.Books(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	for _, finding := range books.Findings {
		f.t.Errorf("the books: %+v", finding)
	}
	w, err := f.store.Wallet(f.t.Context(), user)
	if err != nil {
		f.t.Fatal(err)
	}
	return w.Totals.Usage.Count, -w.Totals.Usage.Amount
}

func TestASessionIsBilledFromReadyToItsEnd(t *testing.T) {
	var clock clock
	f := newFixture(t, priced(&clock))
	f.credit(100 * cent)
	sess := f.ready()
	clock.advance(90 * time.Second)
	for range 2 { // again does no harm
		if _, err := f.Close(t.Context(), user, sess.ID); err != nil {
			t.Fatal(err)
		}
	}
	if bills, amount := f.spent(); bills != 1 || amount < cent*3/2 || amount > cent*3/2+1000 {
		t.Errorf("90 seconds at a cent a minute led to %d bills of %s", bills, amount)
	}
}

func TestWhatWasNeverReadyIsNotBilled(t *testing.T) {
	var clock clock
	f := newFixture(t, priced(&clock))
	f.credit(100 * cent)

	f.runtime.SetFaults(memory.Faults{Create: func(context.Context, sandbox.Spec) error { return sandbox.ErrImage }})
	f.awaited(f.created(time.Hour), assay.SessionError)

	f.runtime.SetFaults(memory.Faults{Create: func(ctx context.Context, _ sandbox.Spec) error {
		<-ctx.Done()
		return ctx.Err()
	}})
	sess := f.created(time.Hour)
	clock.advance(time.Minute)
	if _, err := f.Close(t.Context(), user, sess.ID); err != nil {
		t.Fatal(err)
	}
	if bills, amount := f.spent(); bills != 0 || amount != 0 {
		t.Errorf("there are %d bills of %s", bills, amount)
	}
}

func TestASessionLostWhileNobodyServedIsBilledToWhenItWasLastSeen(t *testing.T) {
	var clock clock
	f := newFixture(t, priced(&clock))
	f.credit(100 * cent)
	sess := f.ready()
	clock.advance(30 * time.Second)
	f.stop(f.Service)() // sees it live once more
	stopped := clock.now()
	f.runtime.Kill(sess.ID, sandbox.DeathLost)
	clock.advance(20 * time.Minute)
	f.restart()
	sess = f.awaited(sess, assay.SessionTerminated)
	if sess.EndedAt.Before(sess.ReadyAt.Add(30*time.Second)) || sess.EndedAt.After(stopped) {
		t.Errorf("it is billed from %s to %s, and was last seen before %s", sess.ReadyAt, sess.EndedAt, stopped)
	}
	f.spent()
}

func TestASessionThatDiedIsBilledToItsDeath(t *testing.T) {
	var clock clock
	f := newFixture(t, priced(&clock))
	f.credit(100 * cent)
	sess := f.ready()
	clock.advance(time.Minute)
	f.runtime.Kill(sess.ID, sandbox.DeathOOM)
	f.awaited(sess, assay.SessionTerminated)
	clock.advance(time.Hour)
	if bills, amount := f.spent(); bills != 1 || amount > cent+1000 {
		t.Errorf("a minute led to %d bills of %s", bills, amount)
	}
}

func TestASessionNeedsItsFirstMinute(t *testing.T) {
	var clock clock
	f := newFixture(t, priced(&clock))
	create := func() error {
		_, err := f.Create(t.Context(), user, session.CreateRequest{Dataset: "d", SampleID: "s", TTL: time.Hour})
		return err
	}
	if err := create(); assay.CodeOf(err) != assay.CodeInsufficientBalance {
		t.Errorf("without money: %v", err)
	}
	f.credit(cent - 1)
	if err := create(); assay.CodeOf(err) != assay.CodeInsufficientBalance {
		t.Errorf("with a millionth too little: %v", err)
	}
	f.credit(1)
	if err := create(); err != nil {
		t.Errorf("with enough: %v", err)
	}
	if err := create(); assay.CodeOf(err) != assay.CodeInsufficientBalance {
		t.Errorf("a second session, when the first minute of the first is all there is: %v", err)
	}
}

// TestSessionsEndWhenTheBalanceDoes runs several sessions that begin at different
// times against one balance. Whoever ends them, and however late, the balance does
// not fall below zero by more than a second's price.
func TestSessionsEndWhenTheBalanceDoes(t *testing.T) {
	for _, how := range []string{"by the meter", "by their user", "by the meter, after a restart"} {
		t.Run(how, func(t *testing.T) {
			var clock clock
			f := newFixture(t, priced(&clock))
			f.credit(10 * cent)
			money := billing.New(billing.Config{Store: f.store, Enabled: true, Price: cent, Now: clock.now})
			var all []*assay.Session
			for range 3 {
				all = append(all, f.ready())
				clock.advance(30 * time.Second)
			}
			clock.advance(time.Minute) // 2.5 + 2 + 1.5 cents are used
			ids, next, err := f.store.Exhausted(t.Context(), clock.now())
			if err != nil || len(ids) != 0 {
				t.Fatalf("with 4 cents left %q are to end: %v", ids, err)
			}
			if left := next.Sub(clock.now()); left < 70*time.Second || left > 80*time.Second {
				t.Errorf("4 cents last 3 sessions for %s, want 80 s", left)
			}
			if how == "by the meter, after a restart" {
				f.stop(f.Service)()
			}
			clock.advance(10 * time.Minute)
			switch how {
			case "by their user":
				for _, sess := range all {
					if _, err := f.Close(t.Context(), user, sess.ID); err != nil {
						t.Fatal(err)
					}
				}
			case "by the meter, after a restart":
				f.restart()
				fallthrough
			default:
				ctx, stop := context.WithCancel(t.Context())
				metered := make(chan struct{})
				go func() {
					defer close(metered)
					money.Meter(ctx, func(ctx context.Context, id string, why assay.Failure) error {
						_, err := f.Terminate(ctx, id, why)
						return err
					})
				}()
				for _, sess := range all {
					if got := f.awaited(sess, assay.SessionTerminated); got.Error.Code != assay.CodeBalanceExhausted {
						t.Errorf("a session ended with %+v", got.Error)
					}
				}
				stop()
				<-metered
			}
			f.gone()
			bills, amount := f.spent()
			if left := 10*cent - amount; bills != 3 || left < -cent/60 || left > 3*cent/60 {
				t.Errorf("%d bills leave %s of the balance, want next to nothing", bills, left)
			}
		})
	}
}
