package wire

import (
	"time"

	"assay"
)

// Balance is a user's account. Cents are rounded half away from zero from the exact
// amounts, which are in millionths of a US dollar.
type Balance struct {
	UserID           string    `json:"user_id" example:"usr_0dfm6k3b2tvc1r8h5n7pqa4e9s"`
	Balance          int64     `json:"balance" example:"437" doc:"What is left, in cents. What live sessions have used up so far is spent"`
	TotalDeposited   int64     `json:"total_deposited" example:"500" doc:"Deposits and credits in all, in cents; what was refunded or withdrawn is not taken off"`
	TotalSpent       int64     `json:"total_spent" example:"63" doc:"On sessions in all, in cents"`
	StripeCustomerID *string   `json:"stripe_customer_id" doc:"Null before the first deposit"`
	LastUpdated      time.Time `json:"last_updated"`

	BalanceMicroUSD        int64 `json:"balance_microusd" example:"4368333" doc:"Exact, in millionths of a US dollar. Not in the Codeset API, as what follows"`
	TotalDepositedMicroUSD int64 `json:"total_deposited_microusd" example:"5000000"`
	TotalSpentMicroUSD     int64 `json:"total_spent_microusd" example:"631667"`
}

// Pricing is what a session costs.
type Pricing struct {
	CostPerMinuteCents    float64 `json:"cost_per_minute_cents" example:"1" doc:"Of a session, billed by the full second from ready to the end; 0 when nothing costs anything"`
	CostPerMinuteDollars  float64 `json:"cost_per_minute_dollars" example:"0.01"`
	CostPerMinuteMicroUSD int64   `json:"cost_per_minute_microusd" example:"10000" doc:"Exact, in millionths of a US dollar. Not in the Codeset API, as what follows"`
	Dataset               *string `json:"dataset" doc:"The dataset asked about; null for the price of most"`
}

// DepositCreate asks for a page on which money is paid in.
type DepositCreate struct {
	AmountCents Integer `json:"amount_cents" minimum:"100" maximum:"1000000" example:"1000" doc:"In cents"`
	Currency    string  `json:"currency,omitempty" nullable:"true" enum:"usd" default:"usd"`
	SuccessURL  string  `json:"success_url,omitempty" nullable:"true" maxLength:"2000" doc:"Where the page leads to when it was paid. Its origin must be one that the operator allows"`
	CancelURL   string  `json:"cancel_url,omitempty" nullable:"true" maxLength:"2000" doc:"Where it leads to otherwise"`
}

// DepositCreated is the page on which a deposit is paid. The balance grows when the
// payment provider says that it was.
type DepositCreated struct {
	CheckoutURL string `json:"checkout_url" example:"https://checkout.stripe.com/c/pay/cs_..."`
	AmountCents int64  `json:"amount_cents" example:"1000"`
	Currency    string `json:"currency" example:"usd"`
	DepositID   string `json:"deposit_id" example:"dep_0dfm6k3b2tvc1r8h5n7pqa4e9s" doc:"Not in the Codeset API"`
}

// UsageHistory is a page of a user's statement.
type UsageHistory struct {
	CurrentBalanceCents int64         `json:"current_balance_cents"`
	TotalDepositsCents  int64         `json:"total_deposits_cents" doc:"Of all times, whatever was asked for"`
	TotalUsageCents     int64         `json:"total_usage_cents" doc:"Of all times, whatever was asked for"`
	Transactions        []Transaction `json:"transactions" nullable:"false" doc:"Newest first; sessions that run stand above all, a line each"`
	Summary             UsageSummary  `json:"summary"`
	Pagination          Pagination    `json:"pagination"`
}

// Transaction is one movement of a user's money.
type Transaction struct {
	ID              string                `json:"id" example:"txn_0dfm6k3b2tvc1r8h5n7pqa4e9s" doc:"Of a session that runs, the session's"`
	Type            assay.TransactionType `json:"type" enum:"deposit,session_usage,refund,charge"`
	AmountCents     int64                 `json:"amount_cents" example:"-2" doc:"Usage is negative, money in positive; rounded half away from zero"`
	Description     string                `json:"description" example:"starter/gorilla__mux-578"`
	CreatedAt       time.Time             `json:"created_at" doc:"When it was booked; now, for a session that runs"`
	SessionID       *string               `json:"session_id"`
	DurationMinutes *float64              `json:"duration_minutes" doc:"That was billed, of usage"`

	AmountMicroUSD int64  `json:"amount_microusd" example:"-16667" doc:"Exact, in millionths of a US dollar. Not in the Codeset API, as what follows"`
	Status         string `json:"status" enum:"posted,pending" doc:"pending: a session that runs, by now"`
}

// UsageSummary sums up what was asked for, on all pages.
type UsageSummary struct {
	TotalSessions                 int64   `json:"total_sessions" doc:"With those that run"`
	TotalDeposits                 int64   `json:"total_deposits" doc:"Their number"`
	AverageSessionCostCents       float64 `json:"average_session_cost_cents"`
	TotalSessionDurationMinutes   float64 `json:"total_session_duration_minutes"`
	AverageSessionDurationMinutes float64 `json:"average_session_duration_minutes"`
}

// Pagination says where a page stands.
type Pagination struct {
	CurrentPage  int   `json:"current_page"`
	TotalPages   int64 `json:"total_pages"`
	TotalItems   int64 `json:"total_items"`
	ItemsPerPage int   `json:"items_per_page"`
	HasPrevious  bool  `json:"has_previous"`
	HasNext      bool  `json:"has_next"`
}

// Received is the answer to a notification of the payment provider.
type Received struct {
	Received bool `json:"received"`
}
