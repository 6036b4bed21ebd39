package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// ErrClaimed says that another process serves from the database.
var ErrClaimed = errors.New("another assay server uses this database; stop it first, or give another --database-url")

// ErrClaimTaken says that another process took the database while this one could not reach it.
var ErrClaimTaken = errors.New("another assay server took this database while it could not be reached from here, and takes the sandboxes of this one for lost; " +
	"stop one of the two, or give it another --database-url")

// errUnclaimed is the error of what is asked of the database while its claim is lost.
var errUnclaimed = errors.New("the connection that keeps the database for this server is lost, and is made anew")

// hold is a claim as long as its connection lasts.
type hold struct {
	lost  chan struct{} // closed with the connection; nil when it cannot be lost
	why   error         // set before lost is closed
	close func() error  // nil when there is nothing to free
}

// Claim is the right of one process to serve from a database. Sandboxes belong to the
// server that made them: another one would take them for lost. While it is lost, the store
// answers nobody: what another server may have changed is neither shown nor written over.
type Claim struct {
	engine engine
	server string       // names this claim in the database
	shut   *atomic.Bool // the gate of the store
	log    *slog.Logger

	mu   sync.Mutex
	held *hold // nil once it is given up
}

// Claim takes the database for this process. ErrClaimed tells that another has it.
// Connections that do not claim are not kept out. Who claims calls Keep.
func (s *Store) Claim(ctx context.Context) (*Claim, error) {
	c := &Claim{engine: s.engine, server: rand.Text(), shut: s.shut, log: s.log}
	held, err := c.engine.claim(ctx, c.server, false, c.close)
	if err != nil {
		return nil, fmt.Errorf("claim the database: %w", err)
	}
	c.held = held
	return c, nil
}

// close shuts the store: the connection of the claim is lost.
func (c *Claim) close() { c.shut.Store(true) }

const (
	// claimBound is how long one try to take a claim again may last.
	claimBound = 5 * time.Second
	// claimPause and longestClaimPause are between two tries.
	claimPause        = 20 * time.Millisecond
	longestClaimPause = time.Second
	// sayAgain is how often it is logged that the database is still away.
	sayAgain = time.Minute
)

// Lost tells whether the claim is lost at the moment.
func (c *Claim) Lost() bool { return c.shut.Load() }

// Keep keeps the claim until ctx ends. When its connection is lost, it says why at once, and
// takes the claim again as soon as the database answers: then the store does, too. ErrClaimTaken
// tells that another server was quicker, also when that has ended since.
func (c *Claim) Keep(ctx context.Context) error {
	for {
		held := c.now()
		if held == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-held.lost:
		}
		since := time.Now()
		c.log.Error("the database is lost: requests are answered with 503 until it is back; sandboxes and their commands go on", "err", held.why)
		if err := c.regain(ctx); err != nil || ctx.Err() != nil {
			return err
		}
		c.log.Warn("the database is back", "after", time.Since(since).Round(time.Millisecond))
	}
}

// regain takes the claim again, or returns nil when ctx ends before.
func (c *Claim) regain(ctx context.Context) error {
	said := time.Now()
	for wait := claimPause; ; wait = min(2*wait, longestClaimPause) {
		err := c.again(ctx)
		switch {
		case err == nil || ctx.Err() != nil:
			return nil //nolint:nilerr // whoever stops needs no claim
		case errors.Is(err, ErrClaimTaken):
			return err
		case time.Since(said) >= sayAgain:
			said = time.Now()
			c.log.Error("the database is still away", "err", err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// again tries once to take the claim again, and opens the store when it has it.
func (c *Claim) again(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, claimBound)
	defer cancel()
	held, err := c.engine.claim(ctx, c.server, true, c.close)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil { // given up meanwhile
		return held.close()
	}
	err = c.held.close() // of the connection that is lost already
	c.held = held
	c.shut.Store(false)
	select {
	case <-held.lost: // again, before the line above
		c.close()
	default:
	}
	if err != nil {
		c.log.Debug("close the lost connection of the claim", "err", err)
	}
	return nil
}

func (c *Claim) now() *hold {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held
}

// Close gives the database up. Calling it again does nothing.
func (c *Claim) Close() error {
	c.mu.Lock()
	held := c.held
	c.held = nil
	c.mu.Unlock()
	if held == nil || held.close == nil {
		return nil
	}
	return held.close()
}
