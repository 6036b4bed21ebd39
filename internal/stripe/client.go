// Package stripe takes payments through Stripe Checkout: it is the adapter of
// billing.Payments. Customers and pages are made by requests to Stripe's API; what
// became of them comes back as signed notifications, or is asked for.
package stripe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v85"

	"assay"
	"assay/internal/billing"
)

// How long Stripe may take. A request that failed in a way that may pass is sent
// again, with the same idempotency key, while the call has time left.
const (
	requestTimeout = 10 * time.Second
	callTimeout    = 20 * time.Second
	maxRetries     = 2
)

// The names under which Stripe keeps our ids with its objects.
const (
	metaDeposit = "deposit_id"
	metaUser    = "user_id"
)

// Config is how to reach an account at Stripe.
type Config struct {
	SecretKey     string       // of the account: sk_live_..., sk_test_..., or a restricted rk_...
	WebhookSecret string       // of the webhook endpoint: whsec_...
	APIBase       string       // https, or http to this host; defaults to Stripe's
	HTTPClient    *http.Client // defaults to one of its own; its Timeout defaults to 10 s
	Log           *slog.Logger // hears of requests that are sent again; defaults to nothing
}

// Client is an account at Stripe. It may be used by many goroutines.
type Client struct {
	api           *sdk.Client
	http          *http.Client
	secretKey     string
	webhookSecret string
	log           *slog.Logger
}

var _ billing.Payments = (*Client)(nil)

// New returns a client of the account, and sends nothing. It refuses empty secrets,
// an empty webhook secret above all, with which anybody could sign, and an APIBase
// to which the secret key would travel in the clear.
func New(cfg Config) (*Client, error) {
	if cfg.SecretKey == "" || cfg.WebhookSecret == "" {
		return nil, errors.New("configure Stripe: both the secret key and the webhook secret are needed")
	}
	base := sdk.APIURL
	if cfg.APIBase != "" {
		if err := checkBase(cfg.APIBase); err != nil {
			return nil, fmt.Errorf("configure Stripe: %w", err)
		}
		base = cfg.APIBase
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	client := httpClient(cfg.HTTPClient)
	backends := sdk.NewBackendsWithConfig(&sdk.BackendConfig{
		EnableTelemetry:   new(false),
		HTTPClient:        client,
		LeveledLogger:     retryLog{log},
		MaxNetworkRetries: new(int64(maxRetries)),
		URL:               &base,
	})
	return &Client{
		api:           sdk.NewClient(cfg.SecretKey, sdk.WithBackends(backends)),
		http:          client,
		secretKey:     cfg.SecretKey,
		webhookSecret: cfg.WebhookSecret,
		log:           log,
	}, nil
}

// Close gives back the connections that wait for further requests.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func httpClient(given *http.Client) *http.Client {
	var client http.Client
	if given != nil {
		client = *given
	} else if shared, ok := http.DefaultTransport.(*http.Transport); ok {
		client.Transport = shared.Clone()
	}
	if client.Timeout == 0 {
		client.Timeout = requestTimeout
	}
	return &client
}

// checkBase tells whether the secret key may be sent to a base URL.
func checkBase(base string) error {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("the address of its API is not a plain URL")
	}
	switch u.Scheme {
	case "https":
		return nil
	case "http":
		addr, err := netip.ParseAddr(u.Hostname())
		if u.Hostname() == "localhost" || err == nil && addr.IsLoopback() {
			return nil
		}
	}
	return errors.New("the address of its API must be https, or http to this host: the secret key is sent to it")
}

// CreateCustomer makes Stripe's record of a user. Its idempotency key is derived from
// the user and from what is said about them, because Stripe refuses a key that comes
// back with other parameters.
func (c *Client) CreateCustomer(ctx context.Context, user *assay.User) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	params := &sdk.CustomerCreateParams{
		Name:     notEmpty(user.Name),
		Email:    notEmpty(user.Email),
		Metadata: map[string]string{metaUser: user.ID},
	}
	said := sha256.Sum256([]byte(user.Name + "\x00" + user.Email))
	params.SetIdempotencyKey("assay-customer-" + user.ID + "-" + hex.EncodeToString(said[:8]))
	customer, err := c.api.V1Customers.Create(ctx, params)
	if err != nil {
		return "", c.fault("create a customer at Stripe", err)
	}
	if customer.ID == "" {
		return "", errors.New("create a customer at Stripe: its answer names none")
	}
	return customer.ID, nil
}

// CreateCheckout opens a Checkout page in US dollars. The deposit is named on the
// page and on its payment, whose metadata Stripe copies to the charge
// (https://support.stripe.com/questions/how-metadata-works-with-related-objects), so
// that the events of both name it.
func (c *Client) CreateCheckout(ctx context.Context, req billing.CheckoutRequest) (billing.Checkout, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ids := map[string]string{metaDeposit: req.DepositID, metaUser: req.UserID}
	params := &sdk.CheckoutSessionCreateParams{
		Mode:              new(string(sdk.CheckoutSessionModePayment)),
		Customer:          &req.CustomerID,
		ClientReferenceID: &req.DepositID,
		Metadata:          ids,
		PaymentIntentData: &sdk.CheckoutSessionCreatePaymentIntentDataParams{Metadata: ids},
		SuccessURL:        &req.SuccessURL,
		CancelURL:         &req.CancelURL,
		ExpiresAt:         new(req.ExpiresAt.Unix()),
		// Otherwise Stripe may charge in the customer's own currency.
		AdaptivePricing: &sdk.CheckoutSessionCreateAdaptivePricingParams{Enabled: new(false)},
		LineItems: []*sdk.CheckoutSessionCreateLineItemParams{{
			Quantity: new(int64(1)),
			PriceData: &sdk.CheckoutSessionCreateLineItemPriceDataParams{
				Currency:    new(string(sdk.CurrencyUSD)),
				UnitAmount:  &req.AmountCents,
				ProductData: &sdk.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: new("Assay balance")},
			},
		}},
	}
	params.SetIdempotencyKey("assay-deposit-" + req.DepositID)
	session, err := c.api.V1CheckoutSessions.Create(ctx, params)
	if err != nil {
		return billing.Checkout{}, c.fault("open a checkout at Stripe", err)
	}
	if session.ID == "" || session.URL == "" {
		return billing.Checkout{}, errors.New("open a checkout at Stripe: its answer names no page")
	}
	return checkoutOf(session), nil
}

// Checkout asks Stripe what became of a page.
func (c *Client) Checkout(ctx context.Context, checkoutID string) (billing.Checkout, error) {
	if checkoutID == "" { // the path without an id is the list of all
		return billing.Checkout{}, billing.ErrNoCheckout
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	params := &sdk.CheckoutSessionRetrieveParams{}
	params.AddExpand("payment_intent") // only there a payment that failed later is told from one under way
	session, err := c.api.V1CheckoutSessions.Retrieve(ctx, checkoutID, params)
	if isNotFound(err) {
		return billing.Checkout{}, fmt.Errorf("ask Stripe for a checkout: %w", billing.ErrNoCheckout)
	}
	if err != nil {
		return billing.Checkout{}, c.fault("ask Stripe for a checkout", err)
	}
	if session.ID == "" {
		return billing.Checkout{}, errors.New("ask Stripe for a checkout: its answer is not one")
	}
	return checkoutOf(session), nil
}

func checkoutOf(s *sdk.CheckoutSession) billing.Checkout {
	checkout := billing.Checkout{
		ID:          s.ID,
		URL:         s.URL,
		DepositID:   s.Metadata[metaDeposit],
		Status:      statusOf(s),
		AmountCents: s.AmountTotal,
		Currency:    strings.ToLower(string(s.Currency)),
	}
	if s.PaymentIntent != nil {
		checkout.PaymentID = s.PaymentIntent.ID
	}
	return checkout
}

// statusOf believes that money has come only where Stripe says "paid". A page that
// is complete but unpaid waits for a slow method, such as a bank transfer, unless
// its payment is known to have been given up.
func statusOf(s *sdk.CheckoutSession) billing.CheckoutStatus {
	complete := s.Status == sdk.CheckoutSessionStatusComplete
	switch {
	case s.PaymentStatus == sdk.CheckoutSessionPaymentStatusPaid:
		return billing.CheckoutPaid
	case s.Status == sdk.CheckoutSessionStatusExpired:
		return billing.CheckoutExpired
	case complete && s.PaymentStatus == sdk.CheckoutSessionPaymentStatusNoPaymentRequired:
		return billing.CheckoutFailed // complete without any money: never so for a deposit
	case complete && s.PaymentIntent != nil && gaveUp(s.PaymentIntent.Status):
		return billing.CheckoutFailed
	default:
		return billing.CheckoutOpen
	}
}

// gaveUp tells whether a payment that was begun on a completed page ended without
// money; a page cannot be completed twice.
func gaveUp(status sdk.PaymentIntentStatus) bool {
	return status == sdk.PaymentIntentStatusRequiresPaymentMethod || status == sdk.PaymentIntentStatusCanceled
}

func notEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
