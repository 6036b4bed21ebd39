package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"assay"
	"assay/client/wire"
	"assay/internal/billing"
)

func (a *API) registerBilling() {
	handle(a, huma.Operation{
		OperationID: "get-balance", Method: http.MethodGet, Path: "/billing/balance", Tags: []string{tagBilling},
		Summary:     "Get the balance",
		Description: "As of now: what live sessions have used up so far counts as spent. All is zero on a server on which nothing costs anything.",
	}, nil, func(ctx context.Context, _ *struct{}) (*answer[wire.Balance], error) {
		b, err := a.cfg.Billing.Balance(ctx, callOf(ctx).userID)
		if err != nil {
			return nil, err
		}
		return &answer[wire.Balance]{Body: wireBalance(b)}, nil
	})
	handle(a, huma.Operation{
		OperationID: "get-pricing", Method: http.MethodGet, Path: "/billing/pricing", Tags: []string{tagBilling}, Security: public,
		Summary:     "Get the price of a session",
		Description: "A dataset may have a price of its own.",
	}, nil, a.getPricing)
	handle(a, huma.Operation{
		OperationID: "deposit", Method: http.MethodPost, Path: "/billing/deposit", Tags: []string{tagBilling},
		Summary:     "Pay money in",
		Description: "Answers with a page of the payment provider. The balance grows when the provider says that it was paid, not when the page leads back.",
	}, []int{409, 503}, a.deposit)
	handle(a, huma.Operation{
		OperationID: "payment-webhook", Method: http.MethodPost, Path: "/billing/webhook", Tags: []string{tagBilling}, Security: public, Metadata: limitForgeries.metadata(),
		Summary:          "Take a notification of Stripe",
		Description:      "Signed by Stripe, and at most five minutes old. Each counts once, in whatever order they come. Unknown ones are taken and ignored.",
		SkipValidateBody: true, // the signature says that it is Stripe's; the shape is known to the adapter
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: &huma.Schema{Type: huma.TypeObject, Description: "A Stripe event"}},
		}},
	}, nil, a.paymentWebhook)
	a.registerUsage()
}

func wireBalance(b billing.Balance) wire.Balance {
	return wire.Balance{
		UserID: b.UserID, Balance: b.Balance.Cents(), TotalDeposited: b.Deposited.Cents(), TotalSpent: b.Spent.Cents(),
		StripeCustomerID: textOrNull(b.CustomerID), LastUpdated: at(b.UpdatedAt),
		BalanceMicroUSD: int64(b.Balance), TotalDepositedMicroUSD: int64(b.Deposited), TotalSpentMicroUSD: int64(b.Spent),
	}
}

type pricingInput struct {
	Dataset string `query:"dataset" maxLength:"255" doc:"Price of this dataset; without it that of most"`
}

func (a *API) getPricing(_ context.Context, in *pricingInput) (*answer[wire.Pricing], error) {
	price := a.cfg.Billing.Price(in.Dataset)
	return &answer[wire.Pricing]{Body: wire.Pricing{
		CostPerMinuteCents:    float64(price) / float64(assay.MicrosPerCent),
		CostPerMinuteDollars:  float64(price) / 1e6,
		CostPerMinuteMicroUSD: int64(price),
		Dataset:               textOrNull(in.Dataset),
	}}, nil
}

type depositInput struct {
	Idempotent
	Body wire.DepositCreate
}

func (a *API) deposit(ctx context.Context, in *depositInput) (*answer[wire.DepositCreated], error) {
	var faults []wire.Fault
	for _, back := range []struct {
		field string
		url   *string
	}{{"success_url", &in.Body.SuccessURL}, {"cancel_url", &in.Body.CancelURL}} {
		switch {
		case *back.url == "":
			*back.url = a.cfg.BaseURL + "/docs"
		case !a.mayReturnTo(*back.url):
			faults = append(faults, wire.Fault{
				Loc: []string{"body", back.field}, Type: "value_error",
				Msg: "The origin of this URL is not one that the operator of this server allows",
			})
		}
	}
	if faults != nil {
		return nil, unfit(faults...)
	}
	c := callOf(ctx)
	d, err := a.cfg.Billing.Deposit(ctx, c.userID, billing.DepositRequest{
		AmountCents: int64(in.Body.AmountCents), Currency: in.Body.Currency,
		SuccessURL: in.Body.SuccessURL, CancelURL: in.Body.CancelURL, Idem: in.key(ctx), Address: c.address,
	})
	if err != nil {
		return nil, err
	}
	return &answer[wire.DepositCreated]{Body: wire.DepositCreated{
		CheckoutURL: d.CheckoutURL, AmountCents: d.AmountCents, Currency: billing.Currency, DepositID: d.ID,
	}}, nil
}

// mayReturnTo tells whether a checkout may lead back to a URL: its origin is the
// server's own, or one of those that the operator named.
func (a *API) mayReturnTo(target string) bool {
	origin, ok := originOf(target)
	own, _ := originOf(a.cfg.BaseURL)
	return ok && (origin == own || slices.Contains(a.cfg.PaymentOrigins, origin))
}

func originOf(target string) (origin string, ok bool) {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return "", false
	}
	return u.Scheme + "://" + u.Host, true
}

type webhookInput struct {
	Signature string `header:"Stripe-Signature" maxLength:"4096" doc:"Over the raw body"`
	RawBody   []byte `contentType:"application/json"`
}

func (a *API) paymentWebhook(ctx context.Context, in *webhookInput) (*answer[wire.Received], error) {
	err := a.cfg.Billing.Notify(ctx, in.RawBody, in.Signature)
	if assay.CodeOf(err) == assay.CodeInvalid {
		if many := a.forged(ctx); many != nil {
			return nil, many
		}
	}
	if err != nil {
		return nil, err
	}
	return &answer[wire.Received]{Body: wire.Received{Received: true}}, nil
}
