// Package catalog searches the alterations of a dataset's samples and keeps what was found,
// sealed with a key of the server: whoever knows an alteration can tell an altered test from
// a true one. Only numbers are told.
package catalog

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"assay"
	"assay/internal/alteration/search"
	"assay/internal/evaluate"
)

// Samples finds the samples of a dataset.
type Samples interface {
	Sample(ctx context.Context, dataset, id string, version int) (*assay.Sample, error)
}

// Config says what a Catalog works with.
type Config struct {
	Store   Store
	Samples Samples
	Key     []byte // of 32 bytes
	// ImageDigest tells what identifies the content of an image. Defaults to nothing known.
	ImageDigest func(ctx context.Context, ref string) (string, error)
	Now         func() time.Time // Defaults to time.Now
}

// Catalog is what a server knows of alterations. It is safe for concurrent use.
type Catalog struct {
	cfg  Config
	seal *sealer
}

// New returns a Catalog.
func New(cfg Config) (*Catalog, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.ImageDigest == nil {
		cfg.ImageDigest = func(context.Context, string) (string, error) { return "", nil }
	}
	s, err := newSealer(cfg.Key)
	if err != nil {
		return nil, err
	}
	return &Catalog{cfg: cfg, seal: s}, nil
}

// Of returns what was found of a sample; nil when it was not searched yet, as it is and on
// the image that its reference names now.
func (c *Catalog) Of(ctx context.Context, sample *assay.Sample) (*search.Result, error) {
	key, err := c.keyOf(ctx, sample)
	if err != nil {
		return nil, err
	}
	sealed, err := c.cfg.Store.Alterations(ctx, key)
	if assay.CodeOf(err) == assay.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var r search.Result
	if err := c.seal.open(sealed, purpose(key, "alterations"), &r); err != nil {
		return nil, err
	}
	return &r, nil
}

func (c *Catalog) keyOf(ctx context.Context, sample *assay.Sample) (Key, error) {
	digest, err := c.cfg.ImageDigest(ctx, sample.Task.ImageFor(sample.Dataset, sample.ID))
	if err != nil {
		return Key{}, fmt.Errorf("find the image of sample %s/%s: %w", sample.Dataset, sample.ID, err)
	}
	return Key{Dataset: sample.Dataset, SampleID: sample.ID, SampleVersion: sample.Version, ImageDigest: digest, Rules: search.Rules}, nil
}

func purpose(k Key, what string) string {
	return fmt.Sprintf("%s of %q %q version %d on %q by rules %s", what, k.Dataset, k.SampleID, k.SampleVersion, k.ImageDigest, k.Rules)
}

// Request says what to search.
type Request struct {
	Dataset string
	Samples []string // ids
	Workers int      // samples at a time. Defaults to 1
	Runs    int      // of a sample, at most; see search.Request
	Limit   time.Duration
	Fresh   bool // look for fresh truths, too
	Again   bool // also what was searched already

	// Ran, if set, is called after each run, and Done after the last of each sample, one call
	// of both at a time.
	Ran  func(sampleID string)
	Done func(Outcome)
}

// Outcome is what came of the search of one sample.
type Outcome struct {
	SampleID string
	Summary  *Summary       // nil with Err
	Result   *search.Result // a secret
	Stored   bool           // it was found by an earlier search
	Err      error
}

// Search searches samples, those that were not searched yet. A search that is ended, however
// that is, goes on where it was when it is called again. The error is ctx's; that of a
// sample is told in its Outcome, and ends no other's search.
func (c *Catalog) Search(ctx context.Context, tester search.Tester, req Request) error {
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
	o := Outcome{SampleID: id}
	sample, err := c.cfg.Samples.Sample(ctx, req.Dataset, id, 0)
	if err != nil {
		o.Err = err
		return o
	}
	if !req.Again {
		if o.Result, o.Err = c.Of(ctx, sample); o.Err != nil || o.Result != nil {
			o.Stored = o.Result != nil
			if o.Stored {
				o.Summary = summarize(Key{Dataset: sample.Dataset, SampleID: id}, o.Result)
			}
			return o
		}
	}
	o.Summary, o.Result, o.Err = c.find(ctx, tester, req, sample, ran)
	return o
}

// find searches one sample and stores what came of it.
func (c *Catalog) find(ctx context.Context, tester search.Tester, req Request, sample *assay.Sample, ran func()) (*Summary, *search.Result, error) {
	key, err := c.keyOf(ctx, sample)
	if err != nil {
		return nil, nil, err
	}
	seed, err := c.seed(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	result, err := search.Search(ctx, tester, search.Request{
		Sample: sample, Seed: seed, Runs: req.Runs, Limit: req.Limit, Fresh: req.Fresh, Ran: ran,
		Memory: &memory{c, key},
	})
	if err != nil {
		return nil, nil, err
	}
	summary := summarize(key, result)
	summary.FinishedAt = c.cfg.Now().UTC()
	sealed, err := c.seal.seal(result, purpose(key, "alterations"))
	if err != nil {
		return nil, nil, err
	}
	if err := c.cfg.Store.SaveAlterations(ctx, summary, sealed); err != nil {
		return nil, nil, err
	}
	return summary, result, nil
}

// seed is what the choices of a search begin with: each server's own, and the same when the
// search goes on.
func (c *Catalog) seed(ctx context.Context, key Key) (uint64, error) {
	var sealErr error
	sealed, err := c.cfg.Store.AlterationSeed(ctx, key, func() []byte {
		var text [8]byte
		rand.Read(text[:])
		sealed, err := c.seal.seal(text[:], purpose(key, "seed"))
		sealErr = err
		return sealed
	})
	if err := errors.Join(err, sealErr); err != nil {
		return 0, err
	}
	var text []byte
	if err := c.seal.open(sealed, purpose(key, "seed"), &text); err != nil {
		return 0, err
	}
	if len(text) != 8 {
		return 0, fmt.Errorf("the seed of a search has %d bytes", len(text))
	}
	return binary.LittleEndian.Uint64(text), nil
}

func summarize(key Key, r *search.Result) *Summary {
	s := &Summary{Key: key, Tests: len(r.Tests), Runs: r.Runs, Took: r.Took}
	for _, t := range r.Tests {
		if t.Altered > 0 {
			s.Altered++
		}
		if t.Blind > 0 {
			s.Blind++
		}
		if t.Fresh > 0 {
			s.Fresh++
		}
	}
	draws := make(map[int]bool)
	for i := range r.Alterations {
		if a := &r.Alterations[i]; a.Blind() {
			draws[a.Draw] = true
		}
	}
	s.Draws = len(draws)
	return s
}

// memory keeps the trials of one search.
type memory struct {
	*Catalog
	key Key
}

func (m *memory) Recall(ctx context.Context, name string) (*evaluate.Trial, error) {
	sealed, err := m.cfg.Store.Trial(ctx, m.key, name)
	if err != nil || sealed == nil {
		return nil, err
	}
	var trial evaluate.Trial
	return &trial, m.seal.open(sealed, purpose(m.key, "trial "+name), &trial)
}

func (m *memory) Keep(ctx context.Context, name string, trial *evaluate.Trial) error {
	sealed, err := m.seal.seal(trial, purpose(m.key, "trial "+name))
	if err != nil {
		return err
	}
	return m.cfg.Store.SaveTrial(ctx, m.key, name, sealed)
}
