package billing

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"time"

	"assay"
)

// CheckFunds tells whether a balance covers the first minute of a new session, beside
// what the live ones have used up, or may in their own first minute:
// insufficient_balance, with what is needed and what is there.
func CheckFunds(in *assay.Session, balance assay.MicroUSD, live []*assay.Session) error {
	there := balance
	for _, s := range live {
		there -= max(s.Price, s.Cost(in.RequestedAt))
	}
	if there >= in.Price {
		return nil
	}
	held := balance - there
	if held == 0 {
		return assay.Errorf(assay.CodeInsufficientBalance,
			"a session of this dataset needs %s for its first minute, and your balance is %s; make a deposit", in.Price, balance)
	}
	return assay.Errorf(assay.CodeInsufficientBalance,
		"a session of this dataset needs %s for its first minute, and of your balance of %s your %d live sessions leave %s; make a deposit, or close one",
		in.Price, balance, len(live), there)
}

// Exhaustion returns the moment at which sessions will have used up a balance, if
// nothing else happens: ok is false when they never will, because none is ready or
// those that are cost nothing. A balance that is not above zero was used up when the
// first of them became ready.
func Exhaustion(balance assay.MicroUSD, live []*assay.Session) (at time.Time, ok bool) {
	billed := slices.DeleteFunc(slices.Clone(live), func(s *assay.Session) bool { return s.ReadyAt == nil || s.Price <= 0 })
	if len(billed) == 0 {
		return time.Time{}, false
	}
	slices.SortFunc(billed, func(a, b *assay.Session) int {
		return cmp.Or(a.ReadyAt.Compare(*b.ReadyAt), cmp.Compare(a.ID, b.ID))
	})
	at = *billed[0].ReadyAt
	var (
		left = uint64(max(0, balance))
		rate uint64 // of all that run, a minute
	)
	for _, s := range billed {
		used := share(rate, uint64(s.ReadyAt.Sub(at).Microseconds()), minuteMicros)
		if used >= left {
			break
		}
		left -= used
		rate += uint64(s.Price)
		at = *s.ReadyAt
	}
	if rate == 0 { // nothing to use up
		return at, true
	}
	lasts := min(share(left, minuteMicros, rate), foreverMicros)
	return at.Add(time.Duration(lasts) * time.Microsecond), true
}

const (
	minuteMicros  = uint64(time.Minute / time.Microsecond)
	foreverMicros = uint64(100 * 365 * 24 * time.Hour / time.Microsecond)
)

// share is a*b/c, rounded down; the largest number when it is larger.
func share(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	if hi >= c {
		return math.MaxUint64
	}
	q, _ := bits.Div64(hi, lo, c)
	return q
}
