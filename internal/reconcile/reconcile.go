// Package reconcile compares what the database says with what the world is, both ways: live
// rows without an owner or a sandbox, sandboxes without a row, work that nobody does. It does
// so at the start, and every minute.
//
// At the start nothing is under way, and all of it is put right at once: Begin. Later on much
// is: a row is stored before its sandbox is made, and a sandbox is freed after its row has
// ended. Hence the grace: what does not agree is put right only if it did not in an earlier
// round either. On a healthy server that finds nothing.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"assay"
	"assay/internal/sandbox"
)

// Service has rows that stand for something in the world.
type Service interface {
	// Recover puts right, at a start, whatever does not agree. found are its sandboxes.
	Recover(ctx context.Context, found []sandbox.Handle) error
	// Discrepancies tells what does not agree just now, be it that it is under way. found are
	// all sandboxes of the host.
	Discrepancies(ctx context.Context, found []sandbox.Handle) ([]assay.Discrepancy, error)
	// Mend puts one right, if it is still there.
	Mend(ctx context.Context, d assay.Discrepancy) error
}

// Part is a Service with its sandboxes.
type Part struct {
	Service
	Owns func(h sandbox.Handle) bool // tells its sandboxes from others, by their ids
}

// Runtime is what a Reconciler needs of a sandbox.Runtime.
type Runtime interface {
	List(ctx context.Context) ([]sandbox.Handle, error)
	Destroy(ctx context.Context, h sandbox.Handle) error
}

// Observer hears what was found, for metrics. Its methods do not block.
type Observer interface {
	// DiscrepancyFound tells of one that is put right now, once.
	DiscrepancyFound(kind assay.DiscrepancyKind)
	// OrphanDestroyed tells that a sandbox was destroyed that nobody used.
	OrphanDestroyed()
}

// Config says what a Reconciler works with.
type Config struct {
	// Parts recover in this order. The last one is given the sandboxes that nobody owns.
	Parts   []Part
	Runtime Runtime
	// Uses tells whether somebody uses a sandbox just now.
	Uses     func(id string) bool
	Observer Observer
	Log      *slog.Logger
	// Every is the time between two calls of Round, and the grace. Defaults to a minute.
	Every time.Duration
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// Reconciler compares rows with the world. Begin and Round are called one at a time;
// Report at any time.
type Reconciler struct {
	cfg  Config
	seen map[assay.Discrepancy]*sight
	report
}

// sight is a discrepancy that is there.
type sight struct {
	since time.Time
	mend  func(context.Context) error
	told  bool // it was counted
}

// New returns a Reconciler.
func New(cfg Config) *Reconciler {
	if cfg.Every == 0 {
		cfg.Every = time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Reconciler{cfg: cfg, seen: make(map[assay.Discrepancy]*sight), report: newReport(cfg.Now())}
}

// Begin makes the world and the database agree before anything is served.
func (r *Reconciler) Begin(ctx context.Context) error {
	found, err := r.cfg.Runtime.List(ctx)
	if err != nil {
		return fmt.Errorf("list sandboxes: %w", err)
	}
	for i, part := range r.cfg.Parts {
		var own, others []sandbox.Handle
		for _, h := range found {
			if i == len(r.cfg.Parts)-1 || part.Owns(h) {
				own = append(own, h)
			} else {
				others = append(others, h)
			}
		}
		if err := part.Recover(ctx, own); err != nil {
			return err
		}
		found = others
	}
	return nil
}

// roundBound is how long a round may take: an orphan that does not die takes half a minute.
const roundBound = 10 * time.Minute

// Round compares once, and puts right what did not agree in an earlier round either. What
// came of it is in the Report.
func (r *Reconciler) Round(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, roundBound)
	defer cancel()
	began := r.cfg.Now()
	err := r.compare(bounded, began)
	for d, s := range r.seen {
		if began.Sub(s.since) >= r.cfg.Every && bounded.Err() == nil {
			r.mend(bounded, d, s)
		}
	}
	if err != nil && ctx.Err() == nil {
		r.cfg.Log.Error("rows and sandboxes were not compared in whole", "err", err)
	}
	r.roundEnded(began, r.cfg.Now().Sub(began), err)
}

// compare notes what does not agree now, and forgets what does again. Where that cannot be
// told, what is known stays known.
func (r *Reconciler) compare(ctx context.Context, now time.Time) error {
	there := make(map[assay.Discrepancy]bool)
	note := func(d assay.Discrepancy, mend func(context.Context) error) {
		there[d] = true
		if r.seen[d] == nil {
			r.seen[d] = &sight{since: now}
		}
		r.seen[d].mend = mend
	}
	found, err := r.cfg.Runtime.List(ctx)
	if err != nil {
		return fmt.Errorf("list sandboxes: %w", err)
	}
	for _, h := range found {
		if !r.cfg.Uses(h.ID) {
			note(assay.Discrepancy{Kind: assay.SandboxUnowned, ID: h.ID}, func(ctx context.Context) error { return r.destroy(ctx, h) })
		}
	}
	var errs []error
	for _, part := range r.cfg.Parts {
		all, err := part.Discrepancies(ctx, found)
		errs = append(errs, err)
		for _, d := range all {
			note(d, func(ctx context.Context) error { return part.Mend(ctx, d) })
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for d := range r.seen {
		if !there[d] {
			delete(r.seen, d)
		}
	}
	return nil
}

func (r *Reconciler) mend(ctx context.Context, d assay.Discrepancy, s *sight) {
	err := s.mend(ctx)
	if !s.told {
		s.told = true
		r.cfg.Observer.DiscrepancyFound(d.Kind)
	}
	if err == nil {
		delete(r.seen, d)
		r.cfg.Log.Warn("what the database and the world did not agree on was put right", "kind", d.Kind, "id", d.ID)
	} else if ctx.Err() == nil {
		r.cfg.Log.Error("what the database and the world do not agree on cannot be put right; it is tried again", "kind", d.Kind, "id", d.ID, "err", err)
	}
	r.found(d, r.cfg.Now(), err)
}

// destroy destroys a sandbox that nobody uses.
func (r *Reconciler) destroy(ctx context.Context, h sandbox.Handle) error {
	if r.cfg.Uses(h.ID) {
		return nil
	}
	if err := r.cfg.Runtime.Destroy(ctx, h); err != nil {
		return err
	}
	r.cfg.Observer.OrphanDestroyed()
	return nil
}
