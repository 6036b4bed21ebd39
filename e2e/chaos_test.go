package e2e_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/client/wire"
	"assay/internal/store/pgtest"
)

// How the chaos is peopled: a hundred goroutines.
const (
	chaosUsers     = 10
	clientsOfEach  = 9
	chaosPostmen   = 9
	chaosOperators = 1
)

// chaosPrice is what a session costs a second, in cents: balances are used up at times.
const chaosPrice = 10

// Settings of the chaos in the environment.
const (
	envChaos     = "ASSAY_CHAOS"      // how long it lasts, such as 60s
	envChaosSeed = "ASSAY_CHAOS_SEED" // of an earlier run; it repeats who wants what, not who comes first
)

// chaosLasts is enough to find what ever was found, and leaves make test short.
const chaosLasts = 24 * time.Second

// TestChaos has a hundred goroutines use, pay, refund, dispute and ask for ten users,
// with Stripe's events late, doubled and in any order, and a server that is killed
// every few seconds. Afterwards every cent is where those who made it all say.
// It runs alone: it takes the whole machine.
func TestChaos(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { testChaos(t, "") })
	t.Run("PostgreSQL", func(t *testing.T) { testChaos(t, pgtest.Database(t)) })
}

func testChaos(t *testing.T, database string) {
	lasts, seed := chaosSettings(t)
	t.Logf("%s=%s %s=%d", envChaos, lasts, envChaosSeed, seed)
	random := func(n int) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(n))) }

	args := []string{
		"--max-sessions", "40", "--max-sessions-per-user", "6", "--cost-per-minute-cents", strconv.Itoa(60 * chaosPrice),
		"--rate-limit-per-address=-1", // all events come from one
	}
	c := &chaos{t: t, shop: newShop(t, database, args...), done: map[string]int{}}
	c.url = newURL(c.srv)
	for range chaosUsers {
		c.users = append(c.users, &spender{caller: c.customer(t, 0)})
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var people sync.WaitGroup
	n := 0
	begin := func(count int, live func(ctx context.Context, n int, random *rand.Rand)) {
		for range count {
			n++
			number := n
			people.Go(func() { live(ctx, number, random(number)) })
		}
	}
	for _, user := range c.users {
		begin(clientsOfEach, func(ctx context.Context, n int, random *rand.Rand) {
			w := worker{caller: user.caller, url: c.url, name: "client" + strconv.Itoa(n), random: random}
			(&chaosClient{worker: w, chaos: c, user: user}).live(ctx)
		})
	}
	begin(chaosPostmen, c.deliverMail)
	begin(chaosOperators, c.giveCredits)

	over := time.Now().Add(lasts)
	for r := random(0); time.Now().Before(over); {
		pause(time.Duration(1500+r.IntN(3000)) * time.Millisecond) // the moment is what varies
		c.crash(r, args)
	}
	cancel()
	people.Wait()
	c.audit()
}

func chaosSettings(t *testing.T) (lasts time.Duration, seed uint64) {
	lasts, seed = chaosLasts, rand.Uint64()
	if v := os.Getenv(envChaos); v != "" {
		lasts = check(time.ParseDuration(v))(t)
	}
	if v := os.Getenv(envChaosSeed); v != "" {
		seed = check(strconv.ParseUint(v, 10, 64))(t)
	}
	return lasts, seed
}

// chaos is what all that happens has in common.
type chaos struct {
	*shop
	t     *testing.T
	url   *address
	users []*spender
	mail  mailbag

	mu   sync.Mutex
	done map[string]int // what happened, by what
}

// did counts what happened.
func (c *chaos) did(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done[what]++
}

// crash kills the server and starts another; at times one more dies in between,
// perhaps before it answers.
func (c *chaos) crash(random *rand.Rand, args []string) {
	kill(c.t, c.srv)
	c.did("kills")
	if random.IntN(3) == 0 {
		brief, cancel := context.WithTimeout(c.t.Context(), time.Duration(random.IntN(400))*time.Millisecond)
		if s, err := c.Start(brief, c.settings(args...)...); err == nil {
			kill(c.t, s)
		}
		cancel()
		c.did("kills")
	}
	c.open(c.t, args...)
	c.url.set(c.srv)
}

// giveCredits is an operator who gives users money, and takes some. What was not
// answered is asked for again with the same key.
func (c *chaos) giveCredits(ctx context.Context, _ int, random *rand.Rand) {
	for n := 0; ctx.Err() == nil; n++ {
		user, given := c.users[random.IntN(len(c.users))], int64(1+random.IntN(4000))
		args := []string{"user", "credit", user.user, strconv.FormatInt(given, 10), "--reason", "of the house", "--key", strconv.Itoa(n)}
		if random.IntN(2) == 0 { // perhaps more than there is
			args, given = append(args, "--take"), -given
		}
		if err := c.untilDone(args); err != nil {
			c.t.Error(err)
			return
		}
		user.mu.Lock()
		user.given += given
		user.mu.Unlock()
		if c.did("credits"); random.IntN(3) == 0 {
			if err := c.untilDone(args); err != nil { // which it is
				c.t.Error(err)
			}
		}
		pause(time.Duration(random.IntN(800)) * time.Millisecond) // others have work for the machine, too
	}
}

// untilDone runs a verb of the command line until it succeeds.
func (c *chaos) untilDone(args []string) error {
	for tries := 1; ; tries++ {
		brief, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		_, err := c.Run(brief, args...)
		cancel()
		if err == nil || tries == 10 {
			return err
		}
		c.did("credits that were tried again")
	}
}

// spender is a user, and what is known of it.
type spender struct {
	caller
	mu       sync.Mutex
	given    int64    // cents, by the operator
	sessions []string // that were made
	payments []string // that were begun
}

func (u *spender) session(random *rand.Rand) (id string, found bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return anyOf(u.sessions, random)
}

func (u *spender) payment(random *rand.Rand) (id string, found bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return anyOf(u.payments, random)
}

func anyOf(ids []string, random *rand.Rand) (id string, found bool) {
	if len(ids) == 0 {
		return "", false
	}
	return ids[random.IntN(len(ids))], true
}

// audit brings everything to its end and compares the books with what is known.
func (c *chaos) audit() {
	t := c.t
	c.deliverTheRest()
	for _, u := range c.users {
		for _, s := range u.at(c.srv).listed(t) {
			if s.Status.Live() {
				u.at(c.srv).close(t, s.SessionID)
			}
		}
	}
	books := c.proven(t)
	sessions := 0
	for _, u := range c.users {
		listed := u.at(c.srv).listed(t)
		sessions += len(listed)
		for _, s := range listed {
			if s.Error != nil {
				c.did("sessions ended: " + s.Error.Code)
			}
		}
		c.auditUser(u, listed)
	}
	c.readLog()
	for _, what := range slices.Sorted(maps.Keys(c.done)) {
		t.Logf("%6d %s", c.done[what], what)
	}
	t.Logf("%6d sessions, %+v", sessions, books)
	if sessions < 20 || c.done["kills"] < 2 || c.done["deposits: paid"] < 10 || c.done["events taken"] < 50 {
		t.Error("too little happened to prove anything")
	}
	if err := nothingLeft(c.Program); err != nil {
		t.Error(err)
	}
}

// panics finds the word, which ids of requests may hold as a part.
var panics = regexp.MustCompile(`\bpanic`)

// readLog counts what the servers complained of. A panic is nobody's game.
func (c *chaos) readLog() {
	log, err := os.ReadFile(filepath.Join(filepath.Dir(c.DataDir), "log"))
	ok(c.t, err)
	for line := range strings.Lines(string(log)) {
		if panics.MatchString(line) {
			c.t.Errorf("the log: %.1000s", line)
		}
		if strings.Contains(line, "level=ERROR") {
			c.did("errors in the log")
			c.t.Logf("%.300s", line)
		}
	}
}

// listed are all sessions of a user.
func (c caller) listed(t *testing.T) (all []wire.Session) {
	t.Helper()
	for after := ""; ; {
		page := must[wire.SessionList](t, c.call(t, "GET", "/sessions?limit=100"+after, nil), 200)
		all = append(all, page.Sessions...)
		if page.NextCursor == nil {
			return all
		}
		after = "&cursor=" + *page.NextCursor
	}
}
