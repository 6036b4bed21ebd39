package billing

import (
	"context"
	"math"
	"slices"
	"time"

	"assay"
)

// UsageQuery selects lines of a user's statement.
type UsageQuery struct {
	UserID   string
	Types    []assay.TransactionType // all when empty
	From     time.Time               // the first moment; zero is the beginning
	Until    time.Time               // the first moment after; zero is never
	Page     int                     // from 1
	Limit    int                     // lines a page
	MaxItems int                     // on all pages, the newest; 0 for all
}

// Usage is a page of a statement. Its sums are of everything that the query selects.
type Usage struct {
	Balance    Balance
	Lines      []Line // newest first
	TotalItems int64  // on all pages
	Sessions   int64
	Deposits   int64
	Spent      assay.MicroUSD // on the sessions
	Seconds    int64          // billed of them, or to be
}

// Line is one movement of a user's money, or a session that is not billed yet.
type Line struct {
	ID          string
	Type        assay.TransactionType
	Amount      assay.MicroUSD
	Description string
	CreatedAt   time.Time // of a session that is not billed yet: now
	SessionID   string
	Seconds     int64 // of a session
	Pending     bool
}

// Usage returns a page of a user's statement.
func (s *Service) Usage(ctx context.Context, q UsageQuery) (Usage, error) {
	now := s.now()
	skip, limit := int64(q.Page-1)*int64(q.Limit), int64(q.Limit)
	if q.MaxItems > 0 {
		limit = max(0, min(limit, int64(q.MaxItems)-skip))
	}
	kinds := slices.Sorted(slices.Values(q.Types))
	st, err := s.cfg.Store.Statement(ctx, StatementQuery{
		UserID: q.UserID, Types: slices.Compact(kinds), From: q.From, Until: q.Until,
		Pending: q.wantsPending(now), Skip: skip, Limit: int(limit),
	})
	if err != nil {
		return Usage{}, err
	}
	return s.usageOf(st, kinds, q.MaxItems, now), nil
}

// wantsPending tells whether sessions that are not billed yet are selected: they are
// usage, of now.
func (q *UsageQuery) wantsPending(now time.Time) bool {
	return (len(q.Types) == 0 || slices.Contains(q.Types, assay.TransactionUsage)) &&
		!now.Before(q.From) && (q.Until.IsZero() || now.Before(q.Until))
}

func (s *Service) usageOf(st Statement, kinds []assay.TransactionType, most int, now time.Time) Usage {
	within := st.Upto.Less(st.Before)
	u := Usage{Balance: s.balanceOf(st.Wallet, now), TotalItems: within.Count(kinds) + int64(len(st.Pending))}
	if most > 0 {
		u.TotalItems = min(u.TotalItems, int64(most))
	}
	if len(kinds) == 0 || slices.Contains(kinds, assay.TransactionUsage) {
		u.Sessions, u.Spent, u.Seconds = within.Usage.Count, -within.Usage.Amount, within.Seconds
	}
	if len(kinds) == 0 || slices.Contains(kinds, assay.TransactionDeposit) {
		u.Deposits = within.Deposits.Count
	}
	for _, sess := range st.Pending {
		u.Sessions++
		u.Spent += sess.Cost(now)
		u.Seconds += int64(sess.Duration(now) / time.Second)
	}
	for _, sess := range st.Lines {
		u.Lines = append(u.Lines, pendingLine(sess, now))
	}
	for _, x := range st.Transactions {
		u.Lines = append(u.Lines, postedLine(x))
	}
	return u
}

func pendingLine(sess *assay.Session, now time.Time) Line {
	return Line{
		ID: sess.ID, Type: assay.TransactionUsage, Amount: -sess.Cost(now), Description: sess.Dataset + "/" + sess.SampleID + ", running",
		CreatedAt: now, SessionID: sess.ID, Seconds: int64(sess.Duration(now) / time.Second), Pending: true,
	}
}

func postedLine(x *assay.Transaction) Line {
	return Line{
		ID: x.ID, Type: x.Type, Amount: x.Amount, Description: x.Description,
		CreatedAt: x.CreatedAt, SessionID: x.SessionID, Seconds: x.Seconds,
	}
}

// exportPage is how many lines an export reads at once.
const exportPage = 500

// Export calls fn for every line that a query selects, newest first, whatever its
// page. Memory does not grow with their number, and no line comes twice because others
// are added meanwhile.
func (s *Service) Export(ctx context.Context, q UsageQuery, fn func(Line) error) error {
	now := s.now()
	left := q.MaxItems
	if left == 0 {
		left = math.MaxInt
	}
	page := StatementQuery{
		UserID: q.UserID, Types: slices.Compact(slices.Sorted(slices.Values(q.Types))), From: q.From, Until: q.Until,
		Pending: q.wantsPending(now), Limit: min(exportPage, left),
	}
	for page.Limit > 0 {
		st, err := s.cfg.Store.Statement(ctx, page)
		if err != nil {
			return err
		}
		lines := make([]Line, 0, page.Limit)
		for _, sess := range st.Lines {
			lines = append(lines, pendingLine(sess, now))
		}
		for _, x := range st.Transactions {
			lines = append(lines, postedLine(x))
		}
		for _, line := range lines {
			if err := fn(line); err != nil {
				return err
			}
		}
		if len(lines) < page.Limit {
			return nil
		}
		left -= len(lines)
		page.Limit, page.Pending = min(exportPage, left), false
		if n := len(st.Transactions); n > 0 {
			page.Below = st.Transactions[n-1].Seq
		}
	}
	return nil
}
