package stripetest

// The objects of Stripe's API, with the fields that its OpenAPI document requires and
// those that a reader of deposits looks at. The tests hold them to that document.

type customer struct {
	ID       string            `json:"id"`
	Object   string            `json:"object"`
	Created  int64             `json:"created"`
	Email    *string           `json:"email"`
	Livemode bool              `json:"livemode"`
	Metadata map[string]string `json:"metadata"`
	Name     *string           `json:"name"`
}

type session struct {
	ID                 string            `json:"id"`
	Object             string            `json:"object"`
	AdaptivePricing    enabled           `json:"adaptive_pricing"`
	AmountSubtotal     int64             `json:"amount_subtotal"`
	AmountTotal        int64             `json:"amount_total"`
	AutomaticTax       automaticTax      `json:"automatic_tax"`
	CancelURL          *string           `json:"cancel_url"`
	ClientReferenceID  *string           `json:"client_reference_id"`
	Created            int64             `json:"created"`
	Currency           string            `json:"currency"`
	CustomFields       []string          `json:"custom_fields"`
	CustomText         customText        `json:"custom_text"`
	Customer           *string           `json:"customer"`
	ExpiresAt          int64             `json:"expires_at"`
	Livemode           bool              `json:"livemode"`
	Metadata           map[string]string `json:"metadata"`
	Mode               string            `json:"mode"`
	PaymentIntent      any               `json:"payment_intent"` // nil, an id, or the object where it was asked for
	PaymentMethodTypes []string          `json:"payment_method_types"`
	PaymentStatus      string            `json:"payment_status"`
	ShippingOptions    []string          `json:"shipping_options"`
	Status             string            `json:"status"`
	SuccessURL         *string           `json:"success_url"`
	UIMode             string            `json:"ui_mode"`
	URL                *string           `json:"url"`

	intentMetadata map[string]string // of the payment to come
}

type enabled struct {
	Enabled bool `json:"enabled"`
}

type automaticTax struct {
	Enabled   bool    `json:"enabled"`
	Liability *string `json:"liability"`
	Provider  *string `json:"provider"`
	Status    *string `json:"status"`
}

type customText struct {
	AfterSubmit              *string `json:"after_submit"`
	ShippingAddress          *string `json:"shipping_address"`
	Submit                   *string `json:"submit"`
	TermsOfServiceAcceptance *string `json:"terms_of_service_acceptance"`
}

type intent struct {
	ID             string            `json:"id"`
	Object         string            `json:"object"`
	Amount         int64             `json:"amount"`
	AmountReceived int64             `json:"amount_received"`
	Created        int64             `json:"created"`
	Currency       string            `json:"currency"`
	Customer       *string           `json:"customer"`
	LatestCharge   *string           `json:"latest_charge"`
	Livemode       bool              `json:"livemode"`
	Metadata       map[string]string `json:"metadata"`
	Status         string            `json:"status"`
}

type charge struct {
	ID             string            `json:"id"`
	Object         string            `json:"object"`
	Amount         int64             `json:"amount"`
	AmountCaptured int64             `json:"amount_captured"`
	AmountRefunded int64             `json:"amount_refunded"`
	BillingDetails billingDetails    `json:"billing_details"`
	Captured       bool              `json:"captured"`
	Created        int64             `json:"created"`
	Currency       string            `json:"currency"`
	Customer       *string           `json:"customer"`
	Disputed       bool              `json:"disputed"`
	Livemode       bool              `json:"livemode"`
	Metadata       map[string]string `json:"metadata"`
	Paid           bool              `json:"paid"`
	PaymentIntent  string            `json:"payment_intent"`
	Refunded       bool              `json:"refunded"`
	Status         string            `json:"status"`
}

type billingDetails struct {
	Address *string `json:"address"`
	Email   *string `json:"email"`
	Name    *string `json:"name"`
	Phone   *string `json:"phone"`
	TaxID   *string `json:"tax_id"`
}

type refund struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	Amount        int64             `json:"amount"`
	Charge        string            `json:"charge"`
	Created       int64             `json:"created"`
	Currency      string            `json:"currency"`
	Metadata      map[string]string `json:"metadata"`
	PaymentIntent string            `json:"payment_intent"`
	Status        string            `json:"status"`
}

type dispute struct {
	ID                       string            `json:"id"`
	Object                   string            `json:"object"`
	Amount                   int64             `json:"amount"`
	BalanceTransactions      []string          `json:"balance_transactions"`
	Charge                   string            `json:"charge"`
	Created                  int64             `json:"created"`
	Currency                 string            `json:"currency"`
	EnhancedEligibilityTypes []string          `json:"enhanced_eligibility_types"`
	Evidence                 evidence          `json:"evidence"`
	EvidenceDetails          evidenceDetails   `json:"evidence_details"`
	IsChargeRefundable       bool              `json:"is_charge_refundable"`
	Livemode                 bool              `json:"livemode"`
	Metadata                 map[string]string `json:"metadata"`
	PaymentIntent            string            `json:"payment_intent"`
	Reason                   string            `json:"reason"`
	Status                   string            `json:"status"`
}

type evidence struct {
	EnhancedEvidence struct{} `json:"enhanced_evidence"`
}

type evidenceDetails struct {
	DueBy               *int64   `json:"due_by"`
	EnhancedEligibility struct{} `json:"enhanced_eligibility"`
	HasEvidence         bool     `json:"has_evidence"`
	PastDue             bool     `json:"past_due"`
	SubmissionCount     int64    `json:"submission_count"`
}
