package app

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// group owns the goroutines of a server that listens. The first that fails ends
// the server.
type group struct {
	fail context.CancelCauseFunc
	work sync.WaitGroup
	srvs []*http.Server
}

func newGroup(fail context.CancelCauseFunc) *group { return &group{fail: fail} }

// serve runs an HTTP server until stop.
func (g *group) serve(srv *http.Server, serve func() error) {
	g.srvs = append(g.srvs, srv)
	g.work.Go(func() {
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			g.fail(err)
		}
	})
}

// run runs f, which ends by itself when the server does.
func (g *group) run(f func()) { g.work.Go(f) }

// stop lets the servers answer what they have begun, for at most the time d, and
// waits for all goroutines.
func (g *group) stop(d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	var errs []error
	for _, srv := range g.srvs {
		if err := srv.Shutdown(ctx); err != nil {
			errs = append(errs, err, srv.Close())
		}
	}
	g.work.Wait()
	return errors.Join(errs...)
}
