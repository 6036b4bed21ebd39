package app

import (
	"context"
	"time"

	"assay/internal/alteration/catalog"
	"assay/internal/alteration/idle"
	"assay/internal/evaluate"
)

// Alterations returns what this server knows of alterations of its samples' tests. It makes
// the key that seals them, the first time.
func (a *App) Alterations() (*catalog.Catalog, error) {
	key, err := a.dir.secret("alterations.key")
	if err != nil {
		return nil, err
	}
	return catalog.New(catalog.Config{Store: a.store, Samples: a.Datasets, Key: key, ImageDigest: a.trees().digest, Log: a.Log})
}

// searches are those that a server makes by itself while its queue leaves room, in sandboxes
// that yield to all others. A nil one makes none.
type searches struct {
	searcher  *idle.Searcher
	evaluator *evaluate.Evaluator
}

func (s *server) newSearches() (*searches, error) {
	known, err := s.Alterations()
	if err != nil {
		return nil, err
	}
	evaluator := evaluate.New(evaluate.Config{Runtime: s.runtime, Background: true})
	return &searches{evaluator: evaluator, searcher: idle.New(idle.Config{
		Uses: s.store, Queue: s.queue, Samples: s.Datasets, Catalog: known, Tester: evaluator, Observer: s.metrics, Log: s.Log,
		Shown: max(0, s.Config.AlterationsShown),
	})}, nil
}

// run searches until ctx ends.
func (s *searches) run(ctx context.Context) {
	if s != nil {
		s.searcher.Run(ctx)
	}
}

// uses tells whether a sandbox is one of a search that is being made, or being destroyed.
func (s *searches) uses(sandboxID string) bool { return s != nil && s.evaluator.Uses(sandboxID) }

// cpu is the CPU time that all searches have used.
func (s *searches) cpu(ctx context.Context) time.Duration {
	if s == nil {
		return 0
	}
	return s.evaluator.AllCPU(ctx)
}

// close waits for the last sandboxes to be gone. Nothing may be searched any more.
func (s *searches) close() {
	if s != nil {
		s.evaluator.Close()
	}
}
