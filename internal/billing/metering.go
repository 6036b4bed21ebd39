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
// those that are cost nothing, or cannot be reached. A balance that is not above zero was used up when the
// first of them became ready.
func Exhaustion(balance assay.MicroUSD, live []*assay.Session) (at time.Time, ok bool) {
	turns := turnsOf(live)
	if len(turns) == 0 {
		return time.Time{}, false
	}
	at = turns[0].at
	var (
		left = uint64(max(0, balance))
		rate int64 // of all that run, a minute
	)
	if left == 0 {
		return at, true
	}
	for _, t := range turns {
		used := share(uint64(rate), uint64(t.at.Sub(at).Microseconds()), minuteMicros)
		if used >= left {
			break
		}
		left -= used
		rate += t.rate
		at = t.at
	}
	if rate == 0 { // what is left is left: none of them can be reached
		return time.Time{}, false
	}
	lasts := min(share(left, minuteMicros, uint64(rate)), foreverMicros)
	return at.Add(time.Duration(lasts) * time.Microsecond), true
}

// turn is a moment from which on sessions cost more a minute, or less.
type turn struct {
	at   time.Time
	rate int64
}

// turnsOf tells when sessions begin to cost something, and when those stop that cannot be
// reached, in the order of time. What was not billed of one counts as if it had become
// ready that much later.
func turnsOf(live []*assay.Session) []turn {
	var turns []turn
	for _, s := range live {
		if s.ReadyAt == nil || s.Price <= 0 {
			continue
		}
		begins := s.ReadyAt.Add(s.Unbilled)
		turns = append(turns, turn{begins, int64(s.Price)})
		if s.UnreachableAt != nil {
			turns = append(turns, turn{later(begins, *s.UnreachableAt), -int64(s.Price)})
		}
	}
	slices.SortStableFunc(turns, func(a, b turn) int {
		return cmp.Or(a.at.Compare(b.at), -cmp.Compare(a.rate, b.rate))
	})
	return turns
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
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
