package httpapi

import (
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"assay"
)

func testBuckets(fill rate.Limit, burst int) *buckets[netip.Addr] {
	refused := prometheus.NewCounter(prometheus.CounterOpts{Name: "refused"})
	return newBuckets[netip.Addr](rule{fill: fill, burst: burst, refused: refused, message: "too many"})
}

// nth is one of many addresses.
func nth(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}) }

func TestBucketFillsAtItsRate(t *testing.T) {
	b := testBuckets(0.5, 3)
	start := epoch
	for _, step := range []struct {
		at          time.Duration
		ok          bool
		wait, reset time.Duration
	}{
		{0, true, 0, 0},
		{0, true, 0, 0},
		{0, true, 0, 0},
		{0, false, 2 * time.Second, 6 * time.Second},
		{500 * time.Millisecond, false, 1500 * time.Millisecond, 5500 * time.Millisecond}, // a refusal costs nothing
		{2 * time.Second, true, 0, 0},
		{2 * time.Second, false, 2 * time.Second, 6 * time.Second},
		{time.Hour, true, 0, 0}, // full, and no fuller
		{time.Hour, true, 0, 0},
		{time.Hour, true, 0, 0},
		{time.Hour, false, 2 * time.Second, 6 * time.Second},
	} {
		err := b.take(nth(1), start.Add(step.at))
		var l *limited
		switch {
		case step.ok && err != nil, !step.ok && !errors.As(err, &l):
			t.Fatalf("at %s: %v", step.at, err)
		case !step.ok && (l.limit != 3 || l.wait != step.wait || l.reset != step.reset || assay.CodeOf(err) != assay.CodeRateLimited):
			t.Errorf("at %s: %+v", step.at, l)
		}
	}
	if err := b.take(nth(2), start); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}

func TestSecondsToWaitAreWholeAndNeverTooFew(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "1", 1: "1", time.Second: "1", time.Second + 1: "2", 59*time.Second + 500*time.Millisecond: "60"} {
		if got := wholeSeconds(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}

func TestTableOfBucketsStaysSmall(t *testing.T) {
	b := testBuckets(1, 1)
	for n := range bucketsKept + 10 {
		b.take(nth(n), epoch) //nolint:errcheck // all of them are new
		if n%100 == 0 {
			b.take(nth(0), epoch) //nolint:errcheck // it is empty
		}
	}
	if got := b.table.Len(); got != bucketsKept {
		t.Errorf("%d buckets are kept, want %d", got, bucketsKept)
	}
	if b.take(nth(0), epoch) == nil {
		t.Error("who asks all the time was forgotten")
	}
	if b.has(nth(1)) || !b.has(nth(bucketsKept+9)) {
		t.Error("the one that asked least recently is kept, or the last is not")
	}
}

func TestIdleBucketsAreForgotten(t *testing.T) {
	b := testBuckets(1, 1)
	for n := range 1000 {
		b.take(nth(n), epoch) //nolint:errcheck // all of them are new
	}
	for n := range 1000 {
		b.take(nth(1_000_000+n), epoch.Add(bucketIdle)) //nolint:errcheck // all of them are new
	}
	if got := b.table.Len(); got != 1000 {
		t.Errorf("%d buckets are kept, 1000 of which asked of late", got)
	}
}

func TestManyAtOnceGetNoMoreThanTheBucketHolds(t *testing.T) {
	b := testBuckets(1, 50)
	var got atomic.Int32
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for k := range 100 {
				if b.take(nth(0), epoch) == nil {
					got.Add(1)
				}
				b.take(nth(1+n*100+k), epoch) //nolint:errcheck // of others
				b.has(nth(k))
				b.forget(nth(1 + k))
			}
		})
	}
	all.Wait()
	if got.Load() != 50 {
		t.Errorf("%d were let through, want 50", got.Load())
	}
}
