package app

import (
	"context"

	"assay"
)

// health tells whether the database answers and sandboxes can be made. The messages of its
// errors are for everybody.
func (s *server) health(ctx context.Context) error {
	if err := s.databaseHealth(ctx); err != nil {
		return err
	}
	if err := s.runtime.Check(ctx); err != nil {
		return assay.Wrap(err, assay.CodeUnavailable, "sandboxes cannot be made; the server's log says why")
	}
	return nil
}

func (s *server) databaseHealth(ctx context.Context) error {
	if err := s.damage.found(); err != nil {
		return assay.Wrap(err, assay.CodeUnavailable, "the database is damaged: "+damagedRemedy)
	}
	if err := s.store.Ping(ctx); err != nil {
		return assay.Wrap(err, assay.CodeUnavailable, "the database cannot be reached; sandboxes and their commands go on, and requests are answered when it is back")
	}
	return nil
}
