package billing_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"assay"
	"assay/internal/billing"
	"assay/internal/session"
	"assay/internal/store"
	"assay/internal/store/pgtest"
	"assay/internal/stripe"
	"assay/internal/stripe/stripetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Stopping(m).Run()) }

// migrated is a PostgreSQL database with the schema and no rows.
var migrated = pgtest.Template{Fill: func(ctx context.Context, url string) error {
	_, err := store.Migrate(ctx, url, store.Options{})
	return err
}}

// cent a minute is what sessions cost here.
const cent = assay.MicrosPerCent

// fixture is the service over a real database and a Stripe with a memory.
type fixture struct {
	*billing.Service
	t      *testing.T
	store  *store.Store
	stripe *stripetest.Server
	moved  atomic.Int64 // how far the clock is ahead
}

// onEach runs a test on each engine, and ends it with the proof of the books.
func onEach(t *testing.T, test func(f *fixture), change ...func(*billing.Config)) {
	for name, database := range map[string]func(testing.TB) string{
		"sqlite":   func(tb testing.TB) string { return filepath.Join(tb.TempDir(), "assay.db") },
		"postgres": migrated.Database,
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, database(t), change...)
			test(f)
			books, err := f.Check(t.Context())
			f.must(err)
			for _, finding := range books.Findings {
				t.Errorf("the books: %+v", finding)
			}
		})
	}
}

func newFixture(t *testing.T, database string, change ...func(*billing.Config)) *fixture {
	f := &fixture{t: t}
	var err error
	f.store, err = store.Open(t.Context(), database, store.Options{})
	f.must(err)
	t.Cleanup(func() { f.must(f.store.Close()) })
	_, err = f.store.ImportDataset(t.Context(), &assay.Dataset{Name: "d"}, []*assay.Sample{{Dataset: "d", ID: "one"}})
	f.must(err)

	f.stripe = stripetest.New(stripetest.Config{})
	t.Cleanup(f.stripe.Close)
	client, err := stripe.New(stripe.Config{SecretKey: f.stripe.SecretKey, WebhookSecret: f.stripe.WebhookSecret, APIBase: f.stripe.URL})
	f.must(err)
	t.Cleanup(client.Close)

	cfg := billing.Config{
		Store: f.store, Users: f.store.User, Payments: client, Enabled: true, Price: cent, DatasetPrices: map[string]assay.MicroUSD{"cheap": 2500}, Now: f.now,
	}
	for _, c := range change {
		c(&cfg)
	}
	f.Service = billing.New(cfg)
	return f
}

func (f *fixture) now() time.Time          { return time.Now().Add(time.Duration(f.moved.Load())) }
func (f *fixture) advance(d time.Duration) { f.moved.Add(int64(d)) }

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) user() string {
	f.t.Helper()
	id := assay.NewID(assay.PrefixUser)
	f.must(f.store.InsertUser(f.t.Context(), &assay.User{ID: id, Name: "Ada", Email: "ada@example.org", CreatedAt: f.now(), Active: true}, assay.AuditEvent{}))
	return id
}

// deposit opens a checkout of ten dollars.
func (f *fixture) deposit(userID, key string) (*billing.Deposit, error) {
	return f.Deposit(f.t.Context(), userID, billing.DepositRequest{
		AmountCents: 1000, Currency: "usd", SuccessURL: "https://example.org/yes", CancelURL: "https://example.org/no",
		Idem: assay.Idempotency{Key: key, RequestHash: "h"},
	})
}

// opened is deposit for a test that is about what follows.
func (f *fixture) opened(userID string) *billing.Deposit {
	f.t.Helper()
	d, err := f.deposit(userID, "")
	f.must(err)
	return d
}

// deliver hands Stripe's events over, each twice.
func (f *fixture) deliver(events ...stripetest.Event) {
	f.t.Helper()
	for _, e := range events {
		for range 2 {
			f.must(f.Notify(f.t.Context(), e.Body, f.stripe.Sign(e.Body, time.Now())))
		}
	}
}

// balance returns what a user has.
func (f *fixture) balance(userID string) assay.MicroUSD {
	f.t.Helper()
	b, err := f.Balance(f.t.Context(), userID)
	f.must(err)
	return b.Balance
}

// wantBalance checks what a user has, in cents.
func (f *fixture) wantBalance(userID string, cents int64) {
	f.t.Helper()
	if got := f.balance(userID); got != assay.FromCents(cents) {
		f.t.Errorf("balance %s, want %s", got, assay.FromCents(cents))
	}
}

// running stores a session that is ready since now.
func (f *fixture) running(userID string) *assay.Session {
	f.t.Helper()
	now := f.now().UTC()
	s := &assay.Session{
		ID: assay.NewID(assay.PrefixSession), UserID: userID, Dataset: "d", SampleID: "one", SampleVersion: 1, Price: f.Price("d"),
		Status: assay.SessionCreating, RequestedAt: now, ExpiresAt: now.Add(24 * time.Hour),
	}
	_, _, err := f.store.InsertSession(f.t.Context(), s, session.Idempotency{}, session.LiveLimits{})
	f.must(err)
	s, _, err = f.store.MoveSession(f.t.Context(), s.ID, assay.SessionCreating, session.SessionChange{Status: assay.SessionReady, ReadyAt: &now})
	f.must(err)
	return s
}

func (f *fixture) close(s *assay.Session) {
	f.t.Helper()
	_, _, err := f.store.MoveSession(f.t.Context(), s.ID, assay.SessionReady, session.SessionChange{Status: assay.SessionClosed, EndedAt: new(f.now().UTC())})
	f.must(err)
}
