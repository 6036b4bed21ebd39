package catalog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"

	"assay"
	"assay/internal/alteration/search"
)

// Request says what to search.
type Request struct {
	Dataset string
	Samples []string // ids
	Workers int      // samples at a time. Defaults to 1
	Bounds           // of each sample
	Again   bool     // also what was searched already, with other choices; what it finds replaces what is stored
	// Renew searches again for alterations in the place of those that were shown more often than
	// this; see Worn. What it finds replaces what is stored unless it is of fewer tests. 0 is
	// for ever.
	Renew int

	// Ran, if set, is called after each run, and Done after the last of each sample, one call
	// of both at a time.
	Ran  func(sampleID string)
	Done func(Outcome)
}

// Outcome is what is known of one sample after its search.
type Outcome struct {
	SampleID string
	Summary  *Summary       // nil with Err
	Result   *search.Result // a secret
	Stored   bool           // it was found by an earlier search, and nothing was searched
	Stays    bool           // something that an earlier search found is better, and was kept
	Fresh    bool           // fresh truths were looked for
	Err      error
}

// Search searches samples, as far as they were not searched with such bounds yet. A search
// that was ended, however that was, goes on where it was: also one that had used up its
// bounds, when it is given more of them. What it finds replaces what is stored, unless that is
// better. The error is ctx's; that of a sample is told in its Outcome, and ends no other's
// search.
func (c *Catalog) Search(ctx context.Context, tester search.Tester, req Request) error {
	req.Bounds = req.withDefaults()
	req.Again = req.Again || req.Renew > 0
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, req.Workers))
	var mu sync.Mutex
	for _, id := range req.Samples {
		group.Go(func() error {
			ran := func() {
				if mu.Lock(); req.Ran != nil {
					req.Ran(id)
				}
				mu.Unlock()
			}
			outcome := c.searchOne(ctx, tester, req, id, ran)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			mu.Lock()
			defer mu.Unlock()
			if req.Done != nil {
				req.Done(outcome)
			}
			return nil
		})
	}
	return group.Wait()
}

func (c *Catalog) searchOne(ctx context.Context, tester search.Tester, req Request, id string, ran func()) Outcome {
	f, err := c.look(ctx, req, id)
	if err != nil {
		return Outcome{SampleID: id, Err: err}
	}
	if f.needless() {
		return Outcome{SampleID: id, Summary: summarize(f.key, &f.before.Result), Result: &f.before.Result, Stored: true, Fresh: f.before.Truth != nil}
	}
	if err := f.find(ctx, tester, ran); err != nil {
		return Outcome{SampleID: id, Err: err}
	}
	return Outcome{SampleID: id, Summary: f.summary, Result: &f.after.Result, Stays: f.stays, Fresh: f.after.Truth != nil}
}

// Left returns which of its samples a request would search. One that cannot be looked at is
// none of them.
func (c *Catalog) Left(ctx context.Context, req Request) (ids []string) {
	req.Bounds = req.withDefaults()
	for _, id := range req.Samples {
		if f, err := c.look(ctx, req, id); err == nil && !f.needless() {
			ids = append(ids, id)
		}
	}
	return ids
}

// look reads a sample and what is stored of it.
func (c *Catalog) look(ctx context.Context, req Request, id string) (*finding, error) {
	sample, err := c.cfg.Samples.Sample(ctx, req.Dataset, id, 0)
	if err != nil {
		return nil, err
	}
	key, err := c.KeyOf(ctx, sample)
	if err != nil {
		return nil, err
	}
	before, err := c.stored(ctx, key)
	return &finding{Catalog: c, req: req, sample: sample, key: key, before: before}, err
}

// finding is the search of one sample.
type finding struct {
	*Catalog
	req    Request
	sample *assay.Sample
	key    Key
	before *kept // nil for none

	after   *kept
	summary *Summary
	stays   bool // something of before is better
}

// needless tells whether a search would find nothing more.
func (f *finding) needless() bool {
	return !f.req.Again && f.before != nil && f.before.covers(f.req.Bounds)
}

// find searches and stores what came of it.
func (f *finding) find(ctx context.Context, tester search.Tester, ran func()) error {
	seed, err := f.seed(ctx)
	if err != nil {
		return err
	}
	result, err := search.Search(ctx, tester, search.Request{
		Sample: f.sample, Seed: seed, Runs: f.req.Runs, Limit: f.req.Limit, Fresh: f.req.Fresh, Ran: ran,
		Memory: &memory{f.Catalog, f.key},
	})
	if err != nil {
		return err
	}
	found := keptOf(result, f.req.Bounds, seed)
	times, err := f.cfg.Store.Shown(ctx, f.key)
	if err != nil {
		return err
	}
	return f.cfg.Store.SaveAlterations(ctx, f.key, func(sealed []byte) (*Found, error) {
		var before *kept
		if sealed != nil {
			before = f.openKept(ctx, f.key, sealed)
		}
		if f.req.Renew > 0 {
			f.after, f.stays = found.inPlaceOf(before, func(a *search.Alteration) bool { return times[f.nameOf(a)] > f.req.Renew })
		} else {
			f.after, f.stays = found.beside(before, f.req.Again)
		}
		f.summary = summarize(f.key, &f.after.Result)
		f.summary.FinishedAt = f.cfg.Now().UTC()
		sealed, err := f.seal.seal(f.after, purpose(f.key, "alterations"))
		return &Found{Summary: f.summary, Sealed: sealed, GoesOn: result.Spent}, err
	})
}

// seed is what the choices of a search begin with: each server's own, and the same when the
// search goes on. One that is made again has another.
func (f *finding) seed(ctx context.Context) (uint64, error) {
	seed, err := f.drawn(ctx)
	if err != nil {
		return 0, err
	}
	if !f.req.Again || f.before == nil || f.before.Seed != seed {
		return seed, nil
	}
	if err := f.cfg.Store.DropTrials(ctx, f.key); err != nil {
		return 0, err
	}
	return f.drawn(ctx)
}

// drawn returns the seed that is stored: that of a search that is under way, that of the one
// whose outcome is stored, or a new one.
func (f *finding) drawn(ctx context.Context) (uint64, error) {
	for again := range 2 {
		var sealErr error
		sealed, err := f.cfg.Store.AlterationSeed(ctx, f.key, func() []byte {
			seed, err := f.draw()
			var sealed []byte
			if err == nil {
				sealed, err = f.seal.seal(seed, purpose(f.key, "seed"))
			}
			sealErr = err
			return sealed
		})
		if err := errors.Join(err, sealErr); err != nil {
			return 0, err
		}
		var text []byte
		if f.open(ctx, f.key, "seed", sealed, &text) && len(text) == seedBytes {
			return binary.LittleEndian.Uint64(text), nil
		}
		if again == 0 { // the trials that are kept are of that seed
			if err := f.cfg.Store.DropTrials(ctx, f.key); err != nil {
				return 0, err
			}
		}
	}
	return 0, fmt.Errorf("the seed of a search of sample %s/%s cannot be read, also after a new one was drawn: is another process at work with another alterations.key?", f.key.Dataset, f.key.SampleID)
}

const seedBytes = 8

// draw returns the seed of the search whose outcome is stored, unless that is made again, or
// a random one.
func (f *finding) draw() ([]byte, error) {
	text := make([]byte, seedBytes)
	if f.before != nil && f.before.Seed != 0 && !f.req.Again {
		binary.LittleEndian.PutUint64(text, f.before.Seed)
		return text, nil
	}
	if _, err := io.ReadFull(f.cfg.Random, text); err != nil {
		return nil, fmt.Errorf("draw the seed of a search: %w", err)
	}
	return text, nil
}
