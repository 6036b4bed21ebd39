package httpapi

import (
	"bufio"
	"context"
	"encoding/csv"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"assay"
	"assay/client/wire"
	"assay/internal/billing"
)

func (a *API) registerUsage() {
	responses := a.jsonResponse(http.StatusOK, reflect.TypeFor[wire.UsageHistory]())
	responses["200"].Content["text/csv"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	handle(a, huma.Operation{
		OperationID: "get-usage", Method: http.MethodGet, Path: "/billing/usage", Tags: []string{tagBilling},
		Summary: "Get the statement",
		Description: "Newest first. Sessions that run stand above all, a line each, with what they have used up by now. " +
			"With Accept: text/csv everything that is selected, without pages.",
		Responses: responses,
	}, nil, a.getUsage)
	for _, p := range a.huma.OpenAPI().Paths["/billing/usage"].Get.Parameters {
		if p.Name == "start_date" || p.Name == "end_date" {
			p.Schema = boundSchema(p.Schema)
		}
	}
}

// boundSchema is what parseBound reads, for the document alone: huma could say of another
// text only that it is none of these.
func boundSchema(s *huma.Schema) *huma.Schema {
	return &huma.Schema{Description: s.Description, Examples: s.Examples, AnyOf: []*huma.Schema{
		{Type: huma.TypeString, Format: "date"},
		{Type: huma.TypeString, Format: "date-time"},
		{Type: huma.TypeString, MaxLength: new(0), Description: "No bound"},
	}}
}

type usageInput struct {
	Page      int      `query:"page" minimum:"1" maximum:"1000000000" default:"1" doc:"From 1"`
	Limit     int      `query:"limit" minimum:"1" maximum:"100" default:"25" doc:"Lines a page"`
	StartDate string   `query:"start_date" maxLength:"40" example:"2026-01-31" doc:"First day, in UTC; or a moment (RFC 3339)"`
	EndDate   string   `query:"end_date" maxLength:"40" example:"2026-02-28" doc:"Last day, in UTC, which is included; or a moment (RFC 3339)"`
	Types     []string `query:"transaction_types,explode" maxItems:"20" enum:"deposit,session_usage,refund,charge,usage" doc:"Only these; usage is session_usage. All without it"`
	MaxItems  int      `query:"max_items" minimum:"1" maximum:"1000000000" doc:"On all pages together, the newest"`
	Accept    string   `header:"Accept" hidden:"true"`
}

func (a *API) getUsage(ctx context.Context, in *usageInput) (*huma.StreamResponse, error) {
	q, err := in.query(callOf(ctx).userID)
	if err != nil {
		return nil, err
	}
	if wantsCSV(in.Accept) {
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			_, w := humago.Unwrap(hc)
			a.exportUsage(ctx, w, q)
		}}, nil
	}
	u, err := a.cfg.Billing.Usage(ctx, q)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		writeJSON(w, http.StatusOK, wireUsage(q, u))
	}}, nil
}

// wantsCSV tells whether CSV is the first of the types that the client takes and that
// there are.
func wantsCSV(accept string) bool {
	for kind := range strings.SplitSeq(accept, ",") {
		kind, _, _ = strings.Cut(kind, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "text/csv":
			return true
		case "application/json", "application/*", "*/*":
			return false
		}
	}
	return false
}

func (in *usageInput) query(userID string) (billing.UsageQuery, error) {
	q := billing.UsageQuery{UserID: userID, Page: in.Page, Limit: in.Limit, MaxItems: in.MaxItems}
	for _, kind := range in.Types {
		if kind == "usage" {
			kind = string(assay.TransactionUsage)
		}
		q.Types = append(q.Types, assay.TransactionType(kind))
	}
	var faults []wire.Fault
	bound := func(name, text string, included bool) time.Time {
		t, ok := parseBound(text, included)
		if !ok {
			faults = append(faults, wire.Fault{
				Loc: []string{"query", name}, Type: "date_from_datetime_parsing", Msg: "Input should be a day such as 2026-01-31, or a moment as in RFC 3339",
			})
		}
		return t
	}
	q.From, q.Until = bound("start_date", in.StartDate, false), bound("end_date", in.EndDate, true)
	if faults == nil && !q.From.IsZero() && !q.Until.IsZero() && !q.Until.After(q.From) {
		faults = append(faults, wire.Fault{Loc: []string{"query", "end_date"}, Type: "value_error", Msg: "Input should not be before start_date"})
	}
	if faults != nil {
		return q, unfit(faults...)
	}
	return q, nil
}

// parseBound reads a day or a moment. An upper bound is included: the first moment
// after it is returned. An empty text is no bound.
func parseBound(text string, upper bool) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		if upper {
			day = day.AddDate(0, 0, 1)
		}
		return day, true
	}
	moment, err := time.Parse(time.RFC3339, strings.Replace(text, " ", "+", 1)) // a + that was not encoded
	if err != nil {
		return time.Time{}, false
	}
	if upper {
		moment = moment.Add(time.Microsecond)
	}
	return moment.UTC(), true
}

func wireUsage(q billing.UsageQuery, u billing.Usage) wire.UsageHistory {
	pages := (u.TotalItems + int64(q.Limit) - 1) / int64(q.Limit)
	h := wire.UsageHistory{
		CurrentBalanceCents: u.Balance.Balance.Cents(), TotalDepositsCents: u.Balance.Deposited.Cents(), TotalUsageCents: u.Balance.Spent.Cents(),
		Transactions: []wire.Transaction{},
		Summary: wire.UsageSummary{
			TotalSessions: u.Sessions, TotalDeposits: u.Deposits, TotalSessionDurationMinutes: float64(u.Seconds) / 60,
		},
		Pagination: wire.Pagination{
			CurrentPage: q.Page, TotalPages: pages, TotalItems: u.TotalItems, ItemsPerPage: q.Limit,
			HasPrevious: q.Page > 1 && pages > 0, HasNext: int64(q.Page) < pages,
		},
	}
	if u.Sessions > 0 {
		h.Summary.AverageSessionCostCents = float64(u.Spent) / float64(assay.MicrosPerCent) / float64(u.Sessions)
		h.Summary.AverageSessionDurationMinutes = float64(u.Seconds) / 60 / float64(u.Sessions)
	}
	for _, line := range u.Lines {
		h.Transactions = append(h.Transactions, wireTransaction(line))
	}
	return h
}

func wireTransaction(l billing.Line) wire.Transaction {
	t := wire.Transaction{
		ID: l.ID, Type: l.Type, AmountCents: l.Amount.Cents(), AmountMicroUSD: int64(l.Amount),
		Description: l.Description, CreatedAt: at(l.CreatedAt), SessionID: textOrNull(l.SessionID), Status: "posted",
	}
	if l.Type == assay.TransactionUsage {
		t.DurationMinutes = new(float64(l.Seconds) / 60)
	}
	if l.Pending {
		t.Status = "pending"
	}
	return t
}

var csvHeader = []string{"id", "type", "status", "amount_cents", "amount_microusd", "description", "created_at", "session_id", "duration_seconds"}

// exportUsage writes all lines that q selects as CSV (RFC 4180). When it fails half-way
// the connection breaks: half a statement must not look like one.
func (a *API) exportUsage(ctx context.Context, w http.ResponseWriter, q billing.UsageQuery) {
	out := bufio.NewWriterSize(w, 64<<10)
	lines := csv.NewWriter(out)
	begin := func() error {
		w.Header()["Content-Type"] = []string{"text/csv; charset=utf-8"}
		w.Header()["Content-Disposition"] = []string{`attachment; filename="usage.csv"`}
		return lines.Write(csvHeader)
	}
	begun := false
	err := a.cfg.Billing.Export(ctx, q, func(l billing.Line) error {
		if !begun {
			begun = true
			if err := begin(); err != nil {
				return err
			}
		}
		t := wireTransaction(l)
		seconds := ""
		if l.Type == assay.TransactionUsage {
			seconds = strconv.FormatInt(l.Seconds, 10)
		}
		return lines.Write([]string{
			t.ID, string(t.Type), t.Status, strconv.FormatInt(t.AmountCents, 10), strconv.FormatInt(t.AmountMicroUSD, 10),
			spreadsheetSafe(t.Description), t.CreatedAt.Format(time.RFC3339Nano), l.SessionID, seconds,
		})
	})
	if err == nil && !begun {
		err = begin()
	}
	if err == nil {
		lines.Flush()
		err = lines.Error()
	}
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		return
	}
	if callOf(ctx).status == 0 {
		w.Header().Del("Content-Disposition")
		a.refuse(ctx, err).write(w)
		return
	}
	panic(http.ErrAbortHandler)
}

// spreadsheetSafe keeps a text that users had a hand in from being read as a formula.
func spreadsheetSafe(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
