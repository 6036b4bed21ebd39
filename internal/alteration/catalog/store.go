package catalog

import (
	"context"
	"time"

	"assay/internal/alteration/search"
)

// Key names the content and the way to find alterations of it: a version of a sample, on an
// image, by the rules of a search.
type Key struct {
	Dataset, SampleID string
	SampleVersion     int
	ImageDigest       string // "" when it is not known
	Rules             string
}

// Summary is what may be told of a search: numbers.
type Summary struct {
	Key
	Tests      int // fail_to_pass tests that are graded
	Altered    int // of those, with an alteration
	Blind      int // of those, with a blind one
	Fresh      int // of those, with a version that nobody has seen
	Draws      int // that have a blind alteration of a fail_to_pass test
	Runs       int
	Took       time.Duration
	FinishedAt time.Time
}

// Odds is the chance of who guesses best to come through r rounds on a sample: that of a
// single draw, and 1 where a test is in none.
func (s *Summary) Odds(rounds int) float64 {
	if s.Tests == 0 || s.Blind < s.Tests {
		return 1
	}
	return search.Odds(rounds)
}

// Store keeps what searches found. What it keeps is sealed.
type Store interface {
	// SaveAlterations stores the outcome of a search, in the place of what the same key had,
	// and drops the trials that it was made of: sample_not_found.
	SaveAlterations(ctx context.Context, s *Summary, sealed []byte) error
	// Alterations returns what was found under a key: not_found.
	Alterations(ctx context.Context, key Key) (sealed []byte, err error)
	// AlterationSummaries returns the numbers of the latest versions of a dataset's samples
	// by these rules, by sample.
	AlterationSummaries(ctx context.Context, dataset, rules string) ([]*Summary, error)
	// SaveTrial keeps what a trial of a search that is under way said.
	SaveTrial(ctx context.Context, key Key, trial string, sealed []byte) error
	// Trial returns what was kept of a trial; nil when there is nothing.
	Trial(ctx context.Context, key Key, trial string) (sealed []byte, err error)
	// AlterationSeed returns the seed that was drawn for a key, and draws one the first time.
	AlterationSeed(ctx context.Context, key Key, draw func() []byte) (sealed []byte, err error)
}
