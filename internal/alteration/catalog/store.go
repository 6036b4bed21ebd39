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

// Found is the outcome of a search.
type Found struct {
	Summary *Summary // of the same key
	Sealed  []byte
	GoesOn  bool // the search may be given more bounds
}

// Store keeps what searches found. What it keeps is sealed.
type Store interface {
	// SaveAlterations stores the outcome of a search, which is made with what the same key
	// has, nil for nothing, in one transaction: merge may be called more than once. It drops
	// the trials that the outcome was made of, unless it goes on, and those of searches of the
	// sample that this one makes worthless: of older versions, on other images, by other
	// rules. sample_not_found.
	SaveAlterations(ctx context.Context, key Key, merge func(sealed []byte) (*Found, error)) error
	// Alterations returns what was found under a key: not_found.
	Alterations(ctx context.Context, key Key) (sealed []byte, err error)
	// AlterationSummaries returns the numbers of the latest versions of a dataset's samples
	// by these rules, by sample.
	AlterationSummaries(ctx context.Context, dataset, rules string) ([]*Summary, error)
	// SaveTrial keeps what a trial of a search that is under way said.
	SaveTrial(ctx context.Context, key Key, trial string, sealed []byte) error
	// Trial returns what was kept of a trial; nil when there is nothing.
	Trial(ctx context.Context, key Key, trial string) (sealed []byte, err error)
	// DropTrials forgets the seed and the trials of a key.
	DropTrials(ctx context.Context, key Key) error
	// NoteShown adds to how often alterations of a version of a sample were shown, by names
	// that tell nothing. sample_not_found.
	NoteShown(ctx context.Context, key Key, times map[string]int) error
	// Shown returns how often that was, of those that were shown.
	Shown(ctx context.Context, key Key) (times map[string]int, err error)
	// AlterationSeed returns the seed that was drawn for a key, and draws one the first time.
	AlterationSeed(ctx context.Context, key Key, draw func() []byte) (sealed []byte, err error)
}
