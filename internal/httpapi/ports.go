package httpapi

import (
	"context"

	"assay"
	"assay/internal/billing"
	"assay/internal/dataset"
	"assay/internal/identity"
	"assay/internal/sandbox"
	"assay/internal/session"
	"assay/internal/verification"
)

// Sessions is what the API asks of sessions. Await and AwaitInteraction return the
// state as it is, without an error, when ctx ends.
type Sessions interface {
	Create(ctx context.Context, userID string, req session.CreateRequest) (*assay.Session, error)
	Get(ctx context.Context, userID, id string) (*assay.Session, error)
	Await(ctx context.Context, userID, id string) (*assay.Session, error)
	List(ctx context.Context, q session.Query) (session.Page, error)
	Close(ctx context.Context, userID, id string) (*assay.Session, error)
	Exec(ctx context.Context, userID, sessionID string, req session.ExecRequest) (*assay.Interaction, error)
	Interaction(ctx context.Context, userID, sessionID, id string) (*assay.Interaction, error)
	AwaitInteraction(ctx context.Context, userID, sessionID, id string) (*assay.Interaction, error)
	Replace(ctx context.Context, userID, sessionID string, req sandbox.ReplaceRequest) (sandbox.ReplaceResult, error)
	Apply(ctx context.Context, userID, sessionID, diff string) (message string, ok bool, err error)
}

// Verifications is what the API asks of verifications. It gets to see no more of them than
// its caller may. AwaitFor is as Await in Sessions.
type Verifications interface {
	Start(ctx context.Context, by verification.Reader, sessionID string, idem session.Idempotency) (*assay.Verification, error)
	GetFor(ctx context.Context, reader verification.Reader, sessionID, id string) (*assay.Verification, error)
	AwaitFor(ctx context.Context, reader verification.Reader, sessionID, id string) (*assay.Verification, error)
	Diff(ctx context.Context, userID, sessionID, id string) (*verification.Patch, error)
	// Withdrawal is for everybody who knows the id; nil when there is none.
	Withdrawal(ctx context.Context, id string) (*assay.Withdrawal, error)
	EnvelopeFor(ctx context.Context, reader verification.Reader, sessionID, id string) ([]byte, error)
}

// Datasets is what the API asks of datasets. It gets to see no more of a sample than its
// caller may.
type Datasets interface {
	Datasets(ctx context.Context) ([]*assay.Dataset, error)
	SamplesFor(ctx context.Context, reader dataset.Reader, q dataset.Query, fn func(*assay.Sample) error) error
	CountSamples(ctx context.Context, q dataset.Query) (int, error)
	SampleFor(ctx context.Context, reader dataset.Reader, dataset, id string, version int) (*assay.Sample, error)
	Bundle(ctx context.Context, sample *assay.Sample) (*dataset.Bundle, error)
}

// Logins is what the API asks of logins and their tokens.
type Logins interface {
	Begin(ctx context.Context, redirectURI string) (*identity.Begun, error)
	LogIn(ctx context.Context, r identity.LoginRequest) (*identity.LoggedIn, error)
	Refresh(ctx context.Context, refreshToken string) (identity.Access, error)
	Authenticate(ctx context.Context, accessToken string) (*assay.User, *assay.Login, error)
	LogOut(ctx context.Context, login *assay.Login, refreshToken, address string) error
}

// Identity is what the API asks of users and their keys.
type Identity interface {
	Authenticate(ctx context.Context, token string) (*assay.User, *assay.APIKey, error)
	User(ctx context.Context, id string) (*assay.User, error)
	AcceptTerms(ctx context.Context, userID string) (*assay.User, error)
	Keys(ctx context.Context, userID string) ([]*assay.APIKey, error)
	CreateKey(ctx context.Context, by identity.Actor, userID string, r identity.KeyRequest) (secret string, key *assay.APIKey, err error)
	RevokeKey(ctx context.Context, by identity.Actor, userID, keyID string) error
}

// Billing is what the API asks of money.
type Billing interface {
	Price(dataset string) assay.MicroUSD
	Balance(ctx context.Context, userID string) (billing.Balance, error)
	Usage(ctx context.Context, q billing.UsageQuery) (billing.Usage, error)
	Export(ctx context.Context, q billing.UsageQuery, fn func(billing.Line) error) error
	Deposit(ctx context.Context, userID string, req billing.DepositRequest) (*billing.Deposit, error)
	Notify(ctx context.Context, body []byte, signature string) error
}
