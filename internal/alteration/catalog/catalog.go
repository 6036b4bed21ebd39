// Package catalog searches the alterations of a dataset's samples and keeps what was found,
// sealed with a key of the server: whoever knows an alteration can tell an altered test from
// a true one. Only numbers are told.
package catalog

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"assay"
	"assay/internal/alteration/search"
)

// Rules are those by which searches are made now: what was found by others counts no more.
const Rules = search.Rules

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
	// Random gives the seeds of searches, which are secrets. Defaults to crypto/rand.
	Random io.Reader
	// Log is told, once, that something stored cannot be opened. Defaults to none.
	Log *slog.Logger
}

// Catalog is what a server knows of alterations. It is safe for concurrent use.
type Catalog struct {
	cfg  Config
	seal *sealer
	lost sync.Once // tells of what cannot be opened
}

// New returns a Catalog.
func New(cfg Config) (*Catalog, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.ImageDigest == nil {
		cfg.ImageDigest = func(context.Context, string) (string, error) { return "", nil }
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s, err := newSealer(cfg.Key)
	if err != nil {
		return nil, err
	}
	return &Catalog{cfg: cfg, seal: s}, nil
}

// Of returns what was found of a sample; nil when it was not searched yet, as it is and on
// the image that its reference names now. What cannot be opened was not found.
func (c *Catalog) Of(ctx context.Context, sample *assay.Sample) (*search.Result, error) {
	key, err := c.KeyOf(ctx, sample)
	if err != nil {
		return nil, err
	}
	k, err := c.stored(ctx, key)
	if k == nil {
		return nil, err
	}
	return &k.Result, nil
}

// Searched tells whether nothing more would be found under a key by a search with these
// bounds.
func (c *Catalog) Searched(ctx context.Context, key Key, b Bounds) (bool, error) {
	k, err := c.stored(ctx, key)
	return k != nil && k.covers(b.withDefaults()), err
}

// KeyOf returns the key under which what is found of a sample is stored, as it is and on the
// image that its reference names now.
func (c *Catalog) KeyOf(ctx context.Context, sample *assay.Sample) (Key, error) {
	digest, err := c.cfg.ImageDigest(ctx, sample.Task.ImageFor(sample.Dataset, sample.ID))
	if err != nil {
		return Key{}, fmt.Errorf("find the image of sample %s/%s: %w", sample.Dataset, sample.ID, err)
	}
	return Key{Dataset: sample.Dataset, SampleID: sample.ID, SampleVersion: sample.Version, ImageDigest: digest, Rules: Rules}, nil
}

// stored returns what a key has; nil for nothing that can be opened.
func (c *Catalog) stored(ctx context.Context, key Key) (*kept, error) {
	sealed, err := c.cfg.Store.Alterations(ctx, key)
	if assay.CodeOf(err) == assay.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return c.openKept(ctx, key, sealed), nil
}

func (c *Catalog) openKept(ctx context.Context, key Key, sealed []byte) *kept {
	k := new(kept)
	if !c.open(ctx, key, "alterations", sealed, k) {
		return nil
	}
	if k.Plain == nil { // it is from before this was stored
		k.Plain = &reach{Runs: k.Runs, Made: k.Runs, Spent: k.Spent}
		if len(k.Fresh) > 0 {
			k.Truth = k.Plain
		}
	}
	return k
}

// open opens what is stored under a key. What cannot be opened is as good as none: whatever
// the reason, it is told once, and searching again replaces it.
func (c *Catalog) open(ctx context.Context, key Key, what string, sealed []byte, into any) bool {
	err := c.seal.open(sealed, purpose(key, what), into)
	if err == nil {
		return true
	}
	c.lost.Do(func() {
		c.cfg.Log.WarnContext(ctx, "what is stored of alterations cannot be opened, and is searched again as if it were not there: "+
			"to keep it, stop, and put the alterations.key from before back from a backup; this is told once",
			"dataset", key.Dataset, "sample", key.SampleID, "err", err)
	})
	return false
}

func purpose(k Key, what string) string {
	return fmt.Sprintf("%s of %q %q version %d on %q by rules %s", what, k.Dataset, k.SampleID, k.SampleVersion, k.ImageDigest, k.Rules)
}
