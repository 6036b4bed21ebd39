package httpapi

import (
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"assay"
)

// Bounds of a table of buckets.
const (
	// bucketsKept makes some 8 MB. A full table forgets who has not asked for longest.
	bucketsKept = 1 << 15
	// bucketIdle is when a bucket is forgotten. Every bucket has filled up by then, so
	// that nobody gains by it.
	bucketIdle = 15 * time.Minute
)

// rule is a limit: how fast a bucket fills, how much it holds, and what is said to
// those who find it empty.
type rule struct {
	fill    rate.Limit // tokens a second; rate.Inf never refuses
	burst   int
	refused prometheus.Counter
	message string
}

// limited is a request that a rule refuses, with the numbers of its bucket. It is an
// *assay.Error of code rate_limited.
type limited struct {
	cause *assay.Error
	limit int           // what the bucket holds
	wait  time.Duration // until there is a token
	reset time.Duration // until the bucket is full
}

func (l *limited) Error() string { return l.cause.Error() }
func (l *limited) Unwrap() error { return l.cause }

// refuse returns the refusal of a bucket that holds less than one token.
func (r *rule) refuse(tokens float64) error {
	r.refused.Inc()
	until := func(want float64) time.Duration {
		return time.Duration(math.Ceil((want - tokens) / float64(r.fill) * float64(time.Second)))
	}
	l := &limited{limit: r.burst, wait: until(1), reset: until(float64(r.burst))}
	l.cause = assay.Errorf(assay.CodeRateLimited, "%s; try again in %s s", r.message, wholeSeconds(l.wait))
	return l
}

// wholeSeconds is a time to wait for in seconds, rounded up, at least 1.
func wholeSeconds(d time.Duration) string {
	return strconv.Itoa(max(1, int((d+time.Second-1)/time.Second)))
}

// buckets is a bounded table of token buckets, one for each that has asked of late. It
// is safe for concurrent use.
type buckets[K comparable] struct {
	rule  rule
	mu    sync.Mutex
	table *simplelru.LRU[K, *bucket]
}

type bucket struct {
	tokens *rate.Limiter
	used   time.Time
}

func newBuckets[K comparable](r rule) *buckets[K] {
	table, err := simplelru.NewLRU[K, *bucket](bucketsKept, nil)
	if err != nil {
		panic(err) // of a size that is not positive
	}
	return &buckets[K]{rule: r, table: table}
}

// take takes a token from the bucket of key, which is full when key is new. It returns
// a *limited when there is none.
func (b *buckets[K]) take(key K, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	k, ok := b.table.Get(key)
	if !ok {
		b.forgetIdle(now)
		k = &bucket{tokens: rate.NewLimiter(b.rule.fill, b.rule.burst)}
		b.table.Add(key, k)
	}
	k.used = now
	if k.tokens.AllowN(now, 1) {
		return nil
	}
	return b.rule.refuse(k.tokens.TokensAt(now))
}

// forgetIdle forgets two at most: enough for a table that grows by one to shrink, and
// nobody waits for a long sweep.
func (b *buckets[K]) forgetIdle(now time.Time) {
	for range 2 {
		_, oldest, ok := b.table.GetOldest()
		if !ok || now.Sub(oldest.used) < bucketIdle {
			return
		}
		b.table.RemoveOldest()
	}
}

// has tells whether key has a bucket.
func (b *buckets[K]) has(key K) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.table.Contains(key)
}

// forget drops the bucket of key.
func (b *buckets[K]) forget(key K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.table.Remove(key)
}
