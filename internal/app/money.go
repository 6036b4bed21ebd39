package app

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"assay"
	"assay/internal/billing"
	"assay/internal/stripe"
)

// openBilling makes the service of money.
func (a *App) openBilling() (*billing.Service, error) {
	prices, err := a.Config.datasetPrices()
	if err != nil {
		return nil, err
	}
	cfg := billing.Config{
		Store:         a.store,
		Users:         a.Identity.User,
		Enabled:       a.Config.Billing == "on",
		Price:         fromCents(a.Config.CostPerMinuteCents),
		DatasetPrices: prices,
		Log:           a.Log,
		Now:           a.clock.Now,
		Observer:      a.metrics,
	}
	if a.Config.StripeSecretKey != "" {
		a.stripe, err = stripe.New(stripe.Config{
			SecretKey: a.Config.StripeSecretKey, WebhookSecret: a.Config.StripeWebhookSecret, APIBase: a.Config.StripeAPIBase, Log: a.Log,
		})
		if err != nil {
			return nil, err
		}
		cfg.Payments = a.stripe
	}
	return billing.New(cfg), nil
}

// evictEvery is how often the sessions of disabled users are looked for. The users
// themselves are out before.
const evictEvery = time.Second

// evict ends the sessions of disabled users, until ctx ends.
func (s *server) evict(ctx context.Context) {
	every(ctx, evictEvery, func() {
		if s.claim.Lost() {
			return // that has been said
		}
		if err := s.sessions.TerminateDisabled(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("cannot end the sessions of disabled users", "err", err)
		}
	})
}

// meter ends sessions whose balance is used up, until ctx ends.
func (s *server) meter(ctx context.Context) {
	s.Billing.Meter(ctx, func(ctx context.Context, id string, why assay.Failure) error {
		_, err := s.sessions.Terminate(ctx, id, why)
		return err
	})
}

// maxCentsPerMinute bounds prices: a thousand dollars a minute.
const maxCentsPerMinute = 100_000

// fromCents turns a price into millionths of a dollar, the least that there is.
func fromCents(cents float64) assay.MicroUSD {
	return assay.MicroUSD(math.Round(cents * float64(assay.MicrosPerCent)))
}

func (c Config) validateBilling() error {
	_, pricesErr := c.datasetPrices()
	_, originsErr := c.paymentOrigins()
	errs := []error{
		oneOf("billing", c.Billing, "on", "off"),
		within("cost_per_minute_cents", c.CostPerMinuteCents, 1/float64(assay.MicrosPerCent), maxCentsPerMinute),
		pricesErr, originsErr,
	}
	if (c.StripeSecretKey == "") != (c.StripeWebhookSecret == "") {
		errs = append(errs, errors.New("stripe_secret_key and stripe_webhook_secret: one is set without the other; set both, or none"))
	}
	return errors.Join(errs...)
}

// datasetPrices reads the prices of datasets that have their own.
func (c Config) datasetPrices() (map[string]assay.MicroUSD, error) {
	prices := map[string]assay.MicroUSD{}
	for item := range listed(c.DatasetPrices) {
		name, text, _ := strings.Cut(item, "=")
		cents, err := strconv.ParseFloat(text, 64)
		if err != nil || name == "" || !(cents >= 0) || cents > maxCentsPerMinute {
			return nil, fmt.Errorf("dataset_prices: %q is not NAME=CENTS, such as starter=0.5, with 0 to %d cents a minute", item, maxCentsPerMinute)
		}
		if _, twice := prices[name]; twice {
			return nil, fmt.Errorf("dataset_prices: %s has two prices", name)
		}
		prices[name] = fromCents(cents)
	}
	return prices, nil
}

// paymentOrigins reads where a checkout may lead back to, beside the server itself.
func (c Config) paymentOrigins() ([]string, error) {
	var origins []string
	for item := range listed(c.PaymentOrigins) {
		u, err := url.Parse(item)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || item != u.Scheme+"://"+u.Host {
			return nil, fmt.Errorf("payment_origins: %q is not an origin, such as https://app.example.org", item)
		}
		origins = append(origins, item)
	}
	return origins, nil
}

// listed goes through the items of a list that is written with commas.
func listed(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" && !yield(item) {
				return
			}
		}
	}
}
