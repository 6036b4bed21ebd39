package search

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
	"time"

	"assay"
	"assay/internal/evaluate"
)

// Tester runs a sample's suite. *evaluate.Evaluator is one.
type Tester interface {
	Try(ctx context.Context, req evaluate.TrialRequest) (*evaluate.Trial, error)
	Tests(ctx context.Context, id string, sample *assay.Sample) (*evaluate.TestTree, error)
}

// Memory keeps what trials said. A search makes the same trials in the same order when it
// is made again, so that one that was ended goes on where it was.
type Memory interface {
	// Recall returns a trial that was kept under a key; nil when there is none.
	Recall(ctx context.Context, key string) (*evaluate.Trial, error)
	Keep(ctx context.Context, key string, trial *evaluate.Trial) error
}

// errSpent ends a search that has used up its runs or its time.
var errSpent = errors.New("the search has used up its runs")

// trials runs the suite of one sample on the reference fix and on nothing.
type trials struct {
	tester  Tester
	memory  Memory // nil for none
	sample  *assay.Sample
	timeout time.Duration // of a suite; 0 for the verifier's
	most    int           // runs, until the next part of the search
	until   time.Time     // zero for no end
	now     func() time.Time
	ran     func() // told of each run

	runs  int            // made and recalled
	times map[string]int // by trial: how often it was run
	spent bool           // a run was refused
}

// tree is a work that suites are run on.
type tree string

// The works: what the sample's answer makes of it, and what is to be solved.
const (
	reference tree = "reference"
	unsolved  tree = "unsolved"
)

// run runs the suite on a work, with test files in other versions.
func (t *trials) run(ctx context.Context, on tree, files map[string][]byte) (*evaluate.Trial, error) {
	if t.runs >= t.most || !t.until.IsZero() && t.now().After(t.until) {
		t.spent = true
		return nil, errSpent
	}
	key := t.next(on, files)
	trial, err := t.recall(ctx, key)
	if err != nil {
		return nil, err
	}
	if trial == nil {
		if trial, err = t.make(ctx, on, files); err != nil {
			return nil, err
		}
		if t.memory != nil {
			if err := t.memory.Keep(ctx, key, trial); err != nil {
				return nil, fmt.Errorf("keep a trial: %w", err)
			}
		}
	}
	t.runs++
	if t.ran != nil {
		t.ran()
	}
	return trial, nil
}

// next names the trial that is run next. Its place in the search is no part of the name: a
// search with other bounds makes many of the same trials elsewhere.
func (t *trials) next(on tree, files map[string][]byte) string {
	first := keyOf(t.sample, on, 0, files)
	if t.times == nil {
		t.times = make(map[string]int)
	}
	before := t.times[first]
	t.times[first]++
	if before == 0 {
		return first
	}
	return keyOf(t.sample, on, before, files)
}

func (t *trials) recall(ctx context.Context, key string) (*evaluate.Trial, error) {
	if t.memory == nil {
		return nil, nil
	}
	trial, err := t.memory.Recall(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("recall a trial: %w", err)
	}
	return trial, nil
}

// make makes a trial, once more where the first failure may pass by itself.
func (t *trials) make(ctx context.Context, on tree, files map[string][]byte) (*evaluate.Trial, error) {
	patch := ""
	if on == reference {
		patch = t.sample.ReferencePatch()
	}
	request := func() evaluate.TrialRequest {
		return evaluate.TrialRequest{
			ID: assay.NewID(assay.PrefixVerification), Sample: t.sample, Work: evaluate.PatchWork(t.sample, patch),
			Files: files, Timeout: t.timeout,
		}
	}
	trial, err := t.tester.Try(ctx, request())
	if err != nil && ctx.Err() == nil && assay.CodeOf(err) != assay.CodePatchFailed {
		trial, err = t.tester.Try(ctx, request())
	}
	return trial, err
}

// keyOf names a trial by all that it depends on, and by how often the search made the same
// before: it is made twice where it is to be seen twice.
func keyOf(s *assay.Sample, on tree, before int, files map[string][]byte) string {
	sum := sha256.New()
	for _, part := range []string{
		Rules, s.Dataset, s.ID, fmt.Sprint(s.Version, before), s.Task.ImageFor(s.Dataset, s.ID), s.Task.Verifier.Command,
		s.ReferencePatch(), s.TestPatch, string(on),
	} {
		add(sum, part)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		add(sum, name)
		add(sum, string(files[name]))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// add adds a part such that no two lists of parts are the same.
func add(sum hash.Hash, part string) { fmt.Fprintf(sum, "%d:%s", len(part), part) }

// text is everything that a test said when it failed.
func text(o assay.TestOutcome) string { return strings.TrimSpace(o.Message + "\n" + o.Details) }
