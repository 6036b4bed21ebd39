package store

import (
	"context"
	"errors"
	"fmt"
)

// ErrClaimed says that another process serves from the database.
var ErrClaimed = errors.New("another assay server uses this database; stop it first, or give another --database-url")

// Claim is the right of one process to serve from a database. Sandboxes belong to the
// server that made them: another one would take them for lost.
type Claim struct {
	lost  chan struct{} // nil when it cannot be lost
	close func() error  // nil when there is nothing to free
}

// Claim takes the database for this process. ErrClaimed tells that another has it.
// Connections that do not claim are not kept out.
func (s *Store) Claim(ctx context.Context) (*Claim, error) {
	c, err := s.engine.claim(ctx)
	if err != nil {
		return nil, fmt.Errorf("claim the database: %w", err)
	}
	return c, nil
}

// Lost is closed when the claim is lost, because its connection is. From then on
// another process may have it.
func (c *Claim) Lost() <-chan struct{} { return c.lost }

// Close gives the database up. Calling it again does nothing.
func (c *Claim) Close() error {
	if c.close == nil {
		return nil
	}
	closing := c.close
	c.close = nil
	return closing()
}
