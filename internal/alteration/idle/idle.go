// Package idle searches the alterations of the samples that are used, while a server has
// nothing better to do: so that verdicts on them are blind, and nobody has to know that
// there is something to search.
package idle

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"assay"
	"assay/internal/alteration/catalog"
	"assay/internal/alteration/search"
)

// Sample names a sample in its latest version.
type Sample struct{ Dataset, ID string }

// Uses tells which samples are used: sessions are made of them, or work on them is judged.
type Uses interface {
	// RecentlyUsed returns at most so many samples, those that were used last first.
	RecentlyUsed(ctx context.Context, most int) ([]Sample, error)
}

// Queue is the work that goes before a search.
type Queue interface {
	// Spare tells whether there is room beside it.
	Spare(ctx context.Context) (bool, error)
	// Watch returns a channel that is closed when Spare may say something else.
	Watch() (news <-chan struct{}, stop func())
}

// Catalog searches samples, and knows which were. *catalog.Catalog is one.
type Catalog interface {
	KeyOf(ctx context.Context, sample *assay.Sample) (catalog.Key, error)
	Searched(ctx context.Context, key catalog.Key, b catalog.Bounds) (bool, error)
	Worn(ctx context.Context, key catalog.Key, most int) (bool, error)
	Search(ctx context.Context, tester search.Tester, req catalog.Request) error
}

// Observer hears what was done, for metrics.
type Observer interface {
	// AlterationRun is told of each run of a suite that was made, and not remembered.
	AlterationRun()
	// AlterationSearch is told how a search ended: one of the outcomes below.
	AlterationSearch(outcome string)
}

// Outcomes of a search.
const (
	Finished = "finished"
	Yielded  = "yielded" // something went before it: it goes on where it was
	Failed   = "failed"
)

// Config says what a Searcher works with.
type Config struct {
	Uses     Uses
	Queue    Queue
	Samples  catalog.Samples
	Catalog  Catalog
	Tester   search.Tester
	Observer Observer
	Log      *slog.Logger

	Runs  int           // of the suite of a sample, at most. Defaults to that of a search
	Limit time.Duration // of a sample, without a pause. Defaults to 30 minutes

	// Shown is how often an alteration is shown before others are searched in its place.
	// Defaults to for ever.
	Shown int

	Every time.Duration    // how often it looks for something to do. Defaults to 15 s
	Now   func() time.Time // Defaults to time.Now
}

const (
	// mostSamples bounds the samples that are looked at, and what is remembered of them.
	mostSamples = 100
	// againAfter is when a sample is tried again that could not be searched, and
	// quieterAfter when one that the host was too busy for.
	againAfter   = time.Hour
	quieterAfter = time.Minute
)

// Searcher searches one sample after the other. Run may be called once.
type Searcher struct {
	cfg     Config
	settled map[catalog.Key]bool      // was searched
	pauses  map[catalog.Key]time.Time // is not tried before
}

// New returns a Searcher.
func New(cfg Config) *Searcher {
	if cfg.Limit == 0 {
		cfg.Limit = 30 * time.Minute
	}
	if cfg.Every == 0 {
		cfg.Every = 15 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Searcher{cfg: cfg, settled: make(map[catalog.Key]bool), pauses: make(map[catalog.Key]time.Time)}
}

// Run searches until ctx ends.
func (s *Searcher) Run(ctx context.Context) {
	for ctx.Err() == nil {
		done, err := s.one(ctx)
		if err != nil && ctx.Err() == nil {
			s.cfg.Log.WarnContext(ctx, "cannot look for samples whose tests are to be searched for alterations", "err", err)
		}
		if done {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(s.cfg.Every):
		}
	}
}

// one searches a sample, if there is room and one to search. It tells whether that came to
// its end.
func (s *Searcher) one(ctx context.Context) (done bool, err error) {
	spare, err := s.cfg.Queue.Spare(ctx)
	if err != nil || !spare {
		return false, err
	}
	next, err := s.next(ctx)
	if err != nil || next == nil {
		return false, err
	}
	return s.search(ctx, *next), nil
}

// search searches a sample until it is done or something goes before it. It tells whether
// there may be another to search at once.
func (s *Searcher) search(ctx context.Context, what target) bool {
	key := what.key
	room, leave := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		defer leave()
		s.awaitNoNeed(room, what)
	})
	var outcome catalog.Outcome
	err := s.cfg.Catalog.Search(room, quiet{s.cfg.Tester, s.cfg.Observer}, catalog.Request{
		Dataset: key.Dataset, Samples: []string{key.SampleID}, Workers: 1, Bounds: s.bounds(), Renew: s.renew(what),
		Done: func(o catalog.Outcome) { outcome = o },
	})
	yielded := room.Err() != nil
	leave()
	watch.Wait()
	if err == nil && !yielded {
		err = outcome.Err
	}
	return s.ended(ctx, key, outcome, yielded, err)
}

// renew is how often an alteration may have been shown that a search finds.
func (s *Searcher) renew(what target) int {
	if what.worn {
		return s.cfg.Shown
	}
	return 0
}

func (s *Searcher) bounds() catalog.Bounds {
	return catalog.Bounds{Runs: s.cfg.Runs, Limit: s.cfg.Limit}
}

// ended tells of the end of a search, and remembers it.
func (s *Searcher) ended(ctx context.Context, key catalog.Key, o catalog.Outcome, yielded bool, err error) (done bool) {
	log := s.cfg.Log.With("dataset", key.Dataset, "sample", key.SampleID, "version", key.SampleVersion)
	switch {
	case o.Summary != nil: // also when something came at the same moment
		s.settled[key] = true
		s.cfg.Observer.AlterationSearch(Finished)
		log.InfoContext(ctx, "searched the tests of a sample for alterations",
			"tests", o.Summary.Tests, "altered", o.Summary.Altered, "blind", o.Summary.Blind, "runs", o.Summary.Runs)
		return true
	case yielded:
		s.cfg.Observer.AlterationSearch(Yielded)
		log.DebugContext(ctx, "a search for alterations yields; it goes on later")
		return false
	case errors.Is(err, errBusy):
		s.pauses[key] = s.cfg.Now().Add(quieterAfter)
		s.cfg.Observer.AlterationSearch(Yielded)
		log.InfoContext(ctx, "a search for alterations waits for a quieter moment", "pause", quieterAfter)
		return true
	default:
		s.pauses[key] = s.cfg.Now().Add(againAfter)
		s.cfg.Observer.AlterationSearch(Failed)
		log.WarnContext(ctx, "cannot search the tests of a sample for alterations; it is tried again later", "pause", againAfter, "err", err)
		return true
	}
}

// awaitNoNeed returns when the queue has work that goes before a search, when somebody else
// (the verb of the command line) has come to the end of the same one, or when ctx ends.
func (s *Searcher) awaitNoNeed(ctx context.Context, what target) {
	tick := time.NewTicker(s.cfg.Every)
	defer tick.Stop()
	for {
		news, stop := s.cfg.Queue.Watch()
		spare, err := s.cfg.Queue.Spare(ctx)
		if err != nil || !spare {
			stop()
			return
		}
		select {
		case <-news:
		case <-tick.C:
			if needed, err := s.needed(ctx, what); !needed || err != nil {
				stop()
				return
			}
		case <-ctx.Done():
			stop()
			return
		}
		stop()
	}
}
