package billing_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"assay"
	"assay/internal/billing"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func readyAt(after time.Duration, price assay.MicroUSD) *assay.Session {
	return &assay.Session{ID: assay.NewID(assay.PrefixSession), RequestedAt: epoch, ReadyAt: new(epoch.Add(after)), Price: price, ExpiresAt: epoch.Add(1000 * time.Hour)}
}

// lostAt is a session that cannot be reached after a time, and was not before for another.
func lostAt(s *assay.Session, after, unbilled time.Duration) *assay.Session {
	if s.Unbilled = unbilled; after > 0 {
		s.UnreachableAt = new(epoch.Add(after))
	}
	return s
}

func TestExhaustion(t *testing.T) {
	creating := &assay.Session{RequestedAt: epoch, Price: cent}
	for name, c := range map[string]struct {
		balance assay.MicroUSD
		live    []*assay.Session
		want    time.Duration // -1: never
	}{
		"nobody":                         {cent, nil, -1},
		"nobody is ready":                {cent, []*assay.Session{creating}, -1},
		"who is ready is free":           {0, []*assay.Session{readyAt(0, 0)}, -1},
		"one":                            {cent, []*assay.Session{readyAt(0, cent)}, time.Minute},
		"two":                            {cent, []*assay.Session{readyAt(0, cent), readyAt(0, cent)}, 30 * time.Second},
		"one after the other":            {3 * cent, []*assay.Session{readyAt(time.Minute, cent), readyAt(0, cent)}, 2 * time.Minute},
		"used up before the second":      {cent, []*assay.Session{readyAt(0, cent), readyAt(time.Hour, cent)}, time.Minute},
		"used up as the second begins":   {cent, []*assay.Session{readyAt(0, cent), readyAt(time.Minute, cent)}, time.Minute},
		"nothing there":                  {0, []*assay.Session{readyAt(time.Second, cent)}, time.Second},
		"less than nothing":              {-cent, []*assay.Session{readyAt(time.Second, cent)}, time.Second},
		"a free one does not count":      {cent, []*assay.Session{readyAt(0, cent), readyAt(0, 0)}, time.Minute},
		"one that was not reached":       {cent, []*assay.Session{lostAt(readyAt(0, cent), 0, time.Hour)}, time.Hour + time.Minute},
		"one that is not reached":        {2 * cent, []*assay.Session{lostAt(readyAt(0, cent), time.Minute, 0)}, -1},
		"used up before it was lost":     {cent, []*assay.Session{lostAt(readyAt(0, cent), 2*time.Minute, 0)}, time.Minute},
		"one is lost, one goes on":       {3 * cent, []*assay.Session{lostAt(readyAt(0, cent), time.Minute, 0), readyAt(0, cent)}, 2 * time.Minute},
		"none is reached, then another":  {2 * cent, []*assay.Session{lostAt(readyAt(0, cent), time.Minute, 0), readyAt(time.Hour, cent)}, time.Hour + time.Minute},
		"the least price, a large purse": {1 << 62, []*assay.Session{readyAt(0, 1)}, 100 * 365 * 24 * time.Hour},
	} {
		at, ok := billing.Exhaustion(c.balance, c.live)
		if ok != (c.want >= 0) || ok && !at.Equal(epoch.Add(c.want)) {
			t.Errorf("%s: %s, %v, want %s", name, at.Sub(epoch), ok, c.want)
		}
	}
}

// TestExhaustionIsWhereTheCostReachesTheBalance compares the moment with the costs of
// the sessions, as they are billed, just before and just after it.
func TestExhaustionIsWhereTheCostReachesTheBalance(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for range 2000 {
		var live []*assay.Session
		var rate assay.MicroUSD
		for range 1 + r.IntN(8) {
			s := readyAt(time.Duration(r.Int64N(int64(time.Hour))), 1+assay.MicroUSD(r.Int64N(1_000_000)))
			live, rate = append(live, s), rate+s.Price
		}
		balance := assay.MicroUSD(r.Int64N(100_000_000))
		at, ok := billing.Exhaustion(balance, live)
		if !ok {
			t.Fatal("sessions that cost something use up no balance")
		}
		cost := func(at time.Time) (sum assay.MicroUSD) {
			for _, s := range live {
				if at.After(*s.ReadyAt) {
					sum += s.Cost(at)
				}
			}
			return sum
		}
		second := rate/60 + assay.MicroUSD(len(live)) // of all, with what rounding may add
		if used := cost(at); used > balance+assay.MicroUSD(len(live)) || balance > 0 && used < balance-second {
			t.Fatalf("of %s the sessions have used %s, and a second of all costs %s", balance, used, second)
		}
	}
}

func TestFirstMinutesAreSpokenFor(t *testing.T) {
	in := &assay.Session{RequestedAt: epoch.Add(10 * time.Minute), Price: cent}
	creating := &assay.Session{RequestedAt: epoch, Price: cent}
	for name, c := range map[string]struct {
		balance assay.MicroUSD
		live    []*assay.Session
		ok      bool
	}{
		"just enough":                    {cent, nil, true},
		"a millionth too little":         {cent - 1, nil, false},
		"beside one that is made":        {2 * cent, []*assay.Session{creating}, true},
		"beside one, too little":         {2*cent - 1, []*assay.Session{creating}, false},
		"beside one that just began":     {2*cent - 1, []*assay.Session{readyAt(10*time.Minute-time.Second, cent)}, false},
		"beside one that has used more":  {11 * cent, []*assay.Session{readyAt(0, cent)}, true},
		"beside one that has used it up": {11*cent - 1, []*assay.Session{readyAt(0, cent)}, false},
		"beside a free one":              {cent, []*assay.Session{readyAt(0, 0)}, true},
	} {
		err := billing.CheckFunds(in, c.balance, c.live)
		if c.ok && err != nil || !c.ok && assay.CodeOf(err) != assay.CodeInsufficientBalance {
			t.Errorf("%s: %v", name, err)
		}
	}
}
