package assay

import (
	"testing"
	"time"
)

func TestCentsAreRoundedHalfAwayFromZero(t *testing.T) {
	for _, c := range []struct {
		amount MicroUSD
		cents  int64
		text   string
	}{
		{0, 0, "$0.00"},
		{4_999, 0, "$0.004999"},
		{5_000, 1, "$0.005"},
		{-4_999, 0, "-$0.004999"},
		{-5_000, -1, "-$0.005"},
		{14_999, 1, "$0.014999"},
		{-15_000, -2, "-$0.015"},
		{FromCents(500), 500, "$5.00"},
		{-167, 0, "-$0.000167"},
		{1<<63 - 1 - 5_000, 922_337_203_685_477, "$9223372036854.770807"},
	} {
		if got := c.amount.Cents(); got != c.cents {
			t.Errorf("%d millionths are %d cents, want %d", c.amount, got, c.cents)
		}
		if got := c.amount.String(); got != c.text {
			t.Errorf("%d millionths are %s, want %s", int64(c.amount), got, c.text)
		}
	}
}

func TestCostIsThatOfFullSeconds(t *testing.T) {
	for _, c := range []struct {
		ready     time.Duration
		perMinute MicroUSD
		want      MicroUSD
	}{
		{0, 10_000, 0},
		{-time.Hour, 10_000, 0},
		{999 * time.Millisecond, 10_000, 0},
		{time.Second, 10_000, 167}, // 166.67
		{1999 * time.Millisecond, 10_000, 167},
		{2 * time.Second, 10_000, 333},
		{time.Minute, 10_000, 10_000},
		{30 * time.Second, 1, 1}, // 0.5
		{29 * time.Second, 1, 0},
		{time.Hour, 12_345, 740_700},
		{time.Hour, 0, 0},
		{290 * 365 * 24 * time.Hour, FromCents(1_000), 1_524_240_000_000_000},
	} {
		if got := CostOf(c.ready, c.perMinute); got != c.want {
			t.Errorf("%s at %s a minute cost %d millionths, want %d", c.ready, c.perMinute, got, c.want)
		}
	}
}
