package stripe

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"assay/internal/billing"
)

// tolerance is how old a signature may be: a copy of an old notification is worth
// nothing. Stripe signs each delivery anew, also one that it sends again.
const tolerance = 5 * time.Minute

// ParseEvent reads a notification of Stripe's, of whatever API version the endpoint
// has. One that Stripe did not sign is billing.ErrForged. One that it signed and that
// cannot be read is another error: answer with 5xx, and it comes again.
func (c *Client) ParseEvent(body []byte, signature string) (billing.Event, error) {
	ev, err := webhook.ConstructEventWithOptions(body, signature, c.webhookSecret, webhook.ConstructEventOptions{
		Tolerance:                tolerance,
		IgnoreAPIVersionMismatch: true,
	})
	if isForgery(err) {
		return billing.Event{}, fmt.Errorf("read a notification of Stripe: %w: %w", billing.ErrForged, err)
	}
	if err != nil {
		return billing.Event{}, fmt.Errorf("read a notification of Stripe: %w", err)
	}
	if ev.ID == "" || ev.Type == "" {
		return billing.Event{}, errors.New("read a notification of Stripe: it has no id or no type")
	}
	event := billing.Event{ID: ev.ID, Type: string(ev.Type), CreatedAt: time.Unix(ev.Created, 0).UTC(), Kind: billing.EventOther}
	if err := c.fill(&event, &ev); err != nil {
		return billing.Event{}, fmt.Errorf("read a notification of Stripe: %s %s: %w", ev.Type, ev.ID, err)
	}
	return event, nil
}

func isForgery(err error) bool {
	return errors.Is(err, webhook.ErrNotSigned) || errors.Is(err, webhook.ErrInvalidHeader) ||
		errors.Is(err, webhook.ErrNoValidSignature) || errors.Is(err, webhook.ErrTooOld)
}

// fill reads what an event is about. What other products of the same account do at
// Stripe comes here too, and stays EventOther.
func (c *Client) fill(event *billing.Event, ev *sdk.Event) error {
	switch ev.Type {
	case sdk.EventTypeCheckoutSessionCompleted, sdk.EventTypeCheckoutSessionAsyncPaymentSucceeded,
		sdk.EventTypeCheckoutSessionAsyncPaymentFailed, sdk.EventTypeCheckoutSessionExpired:
		return fillCheckout(event, ev)
	case sdk.EventTypeChargeRefunded:
		return c.fillRefund(event, ev)
	case sdk.EventTypeChargeDisputeCreated, sdk.EventTypeChargeDisputeFundsWithdrawn, sdk.EventTypeChargeDisputeFundsReinstated:
		return c.fillDispute(event, ev)
	default:
		return nil
	}
}

func fillCheckout(event *billing.Event, ev *sdk.Event) error {
	var session sdk.CheckoutSession
	if err := decode(ev, &session, "checkout.session"); err != nil {
		return err
	}
	checkout := checkoutOf(&session)
	if checkout.DepositID == "" {
		return nil
	}
	if ev.Type == sdk.EventTypeCheckoutSessionAsyncPaymentFailed && checkout.Status == billing.CheckoutOpen {
		checkout.Status = billing.CheckoutFailed // the session itself goes on saying "complete, unpaid"
	}
	event.Kind = billing.EventCheckout
	event.Checkout = checkout
	return nil
}

func (c *Client) fillRefund(event *billing.Event, ev *sdk.Event) error {
	var charge sdk.Charge
	if err := decode(ev, &charge, "charge"); err != nil {
		return err
	}
	if charge.PaymentIntent == nil || charge.PaymentIntent.ID == "" || !c.inDollars(event, charge.Currency) {
		return nil
	}
	event.Kind = billing.EventRefund
	event.DepositID = charge.Metadata[metaDeposit]
	event.PaymentID = charge.PaymentIntent.ID
	event.RefundedCents = charge.AmountRefunded
	return nil
}

// fillDispute tells money taken from mere inquiries: a bank that only asks takes
// nothing, and if it takes the money later, funds_withdrawn says so.
func (c *Client) fillDispute(event *billing.Event, ev *sdk.Event) error {
	var dispute sdk.Dispute
	if err := decode(ev, &dispute, "dispute"); err != nil {
		return err
	}
	if dispute.PaymentIntent == nil || dispute.PaymentIntent.ID == "" || !c.inDollars(event, dispute.Currency) {
		return nil
	}
	if ev.Type == sdk.EventTypeChargeDisputeCreated && tookNothing(dispute.Status) {
		return nil
	}
	event.Kind = billing.EventDispute
	if ev.Type == sdk.EventTypeChargeDisputeFundsReinstated {
		event.Kind = billing.EventDisputeWon
	}
	event.PaymentID = dispute.PaymentIntent.ID
	event.DisputeID = dispute.ID
	event.DisputedCents = dispute.Amount
	return nil
}

func tookNothing(status sdk.DisputeStatus) bool {
	return strings.HasPrefix(string(status), "warning_") || status == sdk.DisputeStatusPrevented
}

// inDollars says no, and says so in the log, to an amount that cannot be a deposit's.
func (c *Client) inDollars(event *billing.Event, currency sdk.Currency) bool {
	if strings.EqualFold(string(currency), string(sdk.CurrencyUSD)) {
		return true
	}
	c.log.Warn("stripe: left an event aside that is not in US dollars", "event", event.ID, "type", event.Type)
	return false
}

// decode reads the object of an event, which must be of the kind that its type says.
func decode(ev *sdk.Event, into any, kind string) error {
	if ev.Data == nil {
		return errors.New("it has no object")
	}
	var head struct {
		ID     string `json:"id"`
		Object string `json:"object"`
	}
	if err := json.Unmarshal(ev.Data.Raw, &head); err != nil {
		return fmt.Errorf("read its object: %w", err)
	}
	if head.Object != kind || head.ID == "" {
		return fmt.Errorf("its object is not a %s with an id", kind)
	}
	if err := json.Unmarshal(ev.Data.Raw, into); err != nil {
		return fmt.Errorf("read its %s: %w", kind, err)
	}
	return nil
}
