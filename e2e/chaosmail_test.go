package e2e_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"assay/internal/stripe/stripetest"
)

// letter is an event on its way.
type letter struct {
	stripetest.Event
	copies int // that were taken
}

// mailbag is events on their way, in no order.
type mailbag struct {
	mu      sync.Mutex
	letters []letter
}

// put adds letters.
func (b *mailbag) put(letters ...letter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.letters = append(b.letters, letters...)
}

// take takes any letter out.
func (b *mailbag) take(random *rand.Rand) (l letter, found bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	last := len(b.letters) - 1
	if last < 0 {
		return letter{}, false
	}
	i := random.IntN(last + 1)
	l, b.letters[i] = b.letters[i], b.letters[last]
	b.letters = b.letters[:last]
	return l, true
}

// collect puts what happened at Stripe into the bag.
func (c *chaos) collect() {
	for _, event := range c.stripe.Events() {
		c.mail.put(letter{Event: event})
	}
}

// deliverMail is a postman: what is not taken comes again, some of what is taken too,
// and some lies about.
func (c *chaos) deliverMail(ctx context.Context, _ int, random *rand.Rand) {
	for ctx.Err() == nil {
		c.collect()
		l, found := c.mail.take(random)
		switch {
		case !found:
			pause(time.Duration(random.IntN(40)) * time.Millisecond) // nobody says when there is mail
		case random.IntN(4) == 0: // later
			c.mail.put(l)
		case !c.taken(ctx, l):
			c.mail.put(l)
			pause(20 * time.Millisecond) // the server is down
		case l.copies < 2 && random.IntN(3) == 0:
			l.copies++
			c.mail.put(l)
		}
	}
}

// taken delivers a letter.
func (c *chaos) taken(ctx context.Context, l letter) bool {
	status, err := c.stripe.Deliver(ctx, c.url.get()+"/billing/webhook", l.Event)
	switch {
	case err != nil || status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
		c.did("events sent in vain: " + strconv.Itoa(status))
		return false
	case status != http.StatusOK:
		c.t.Errorf("%s is answered by %d", l.Type, status)
		return false
	}
	if c.did("events taken"); l.copies > 0 {
		c.did("events taken again")
	}
	return true
}

// deliverTheRest delivers what is on its way.
func (c *chaos) deliverTheRest() {
	c.collect()
	random := rand.New(rand.NewPCG(0, 0))
	for deadline := time.Now().Add(time.Minute); ; {
		l, found := c.mail.take(random)
		if !found {
			return
		}
		if !c.taken(context.Background(), l) {
			c.mail.put(l)
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("%d events are not taken within a minute", len(c.mail.letters))
		}
	}
}
