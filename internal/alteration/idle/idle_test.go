package idle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"assay"
	"assay/internal/alteration/catalog"
	"assay/internal/alteration/search"
	"assay/internal/evaluate"
	"assay/internal/wake"
)

// world is what a Searcher works with, and what it did.
type world struct {
	mu       sync.Mutex
	hub      wake.Hub
	busy     bool
	broken   error // of the queue and of the uses
	used     []Sample
	most     int            // shows of an alteration
	versions map[Sample]int // those that there are, by default 1
	searched map[catalog.Key]bool
	worn     map[catalog.Key]bool
	renewed  []int    // what searches were asked to renew
	begun    []string // ids of the searches, in order
	ended    map[string]int
	runs     int
	log      bytes.Buffer

	// search is what a search of a sample does. Defaults to an end at once.
	search func(ctx context.Context, tester search.Tester, id string) error
}

func newWorld(used ...string) *world {
	w := &world{versions: make(map[Sample]int), searched: make(map[catalog.Key]bool), ended: make(map[string]int)}
	w.search = func(context.Context, search.Tester, string) error { return nil }
	for _, id := range used {
		w.used = append(w.used, Sample{"d", id})
		w.versions[Sample{"d", id}] = 1
	}
	return w
}

// run runs a Searcher over the world while f is at work.
func (w *world) run(t *testing.T, f func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	s := New(Config{Uses: w, Queue: w, Samples: w, Catalog: w, Tester: trier(false), Observer: w, Shown: w.most, Log: slog.New(slog.NewTextHandler(&w.log, nil))})
	all.Go(func() { s.Run(ctx) })
	f()
	cancel()
	all.Wait()
}

// after lets time pass, and returns the searches that began until now.
func (w *world) after(d time.Duration) []string {
	time.Sleep(d) //nolint:forbidigo // of a clock of the test's own
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.begun)
}

func (w *world) set(f func()) {
	w.mu.Lock()
	f()
	w.mu.Unlock()
	w.hub.Notify("jobs")
}

func (w *world) Spare(context.Context) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.busy, w.broken
}

func (w *world) Watch() (<-chan struct{}, func()) { return w.hub.Subscribe("jobs") }

func (w *world) RecentlyUsed(_ context.Context, most int) ([]Sample, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.used[:min(most, len(w.used))], nil
}

func (w *world) Sample(_ context.Context, dataset, id string, _ int) (*assay.Sample, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.versions[Sample{dataset, id}]
	if v == 0 {
		return nil, assay.Errorf(assay.CodeSampleNotFound, "no sample")
	}
	return &assay.Sample{Dataset: dataset, ID: id, Version: v}, nil
}

func (w *world) KeyOf(_ context.Context, s *assay.Sample) (catalog.Key, error) {
	if strings.HasPrefix(s.ID, "without-image") {
		return catalog.Key{}, assay.Errorf(assay.CodeImageUnavailable, "no image")
	}
	return catalog.Key{Dataset: s.Dataset, SampleID: s.ID, SampleVersion: s.Version}, nil
}

func (w *world) Searched(_ context.Context, key catalog.Key, b catalog.Bounds) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.searched[key], nil
}

func (w *world) Worn(_ context.Context, key catalog.Key, most int) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.worn[key] && most == w.most, nil
}

func (w *world) Search(ctx context.Context, tester search.Tester, req catalog.Request) error {
	id := req.Samples[0]
	w.mu.Lock()
	w.begun = append(w.begun, id)
	w.renewed = append(w.renewed, req.Renew)
	w.mu.Unlock()
	err := w.search(ctx, tester, id)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	o := catalog.Outcome{SampleID: id, Err: err}
	if err == nil {
		o.Summary = &catalog.Summary{Tests: 3, Altered: 2, Blind: 1, Runs: 7}
		w.mu.Lock()
		key := catalog.Key{Dataset: "d", SampleID: id, SampleVersion: w.versions[Sample{"d", id}]}
		w.searched[key] = true
		delete(w.worn, key)
		w.mu.Unlock()
	}
	req.Done(o)
	return nil
}

func (w *world) AlterationRun() { w.runs++ }

func (w *world) AlterationSearch(outcome string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended[outcome]++
}

func want(t *testing.T, when string, got []string, ids ...string) {
	t.Helper()
	if !slices.Equal(got, ids) {
		t.Errorf("%s: searched %v, want %v", when, got, ids)
	}
}

// Alterations that were shown often are replaced when nothing was left to be searched at all,
// and not again before others are worn.
func TestWornAlterationsAreReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := func(id string) catalog.Key { return catalog.Key{Dataset: "d", SampleID: id, SampleVersion: 1} }
		w := newWorld("worn", "new", "fine")
		w.most, w.worn = 5, map[catalog.Key]bool{key("worn"): true}
		w.searched[key("worn")], w.searched[key("fine")] = true, true
		w.run(t, func() {
			want(t, "at first", w.after(time.Second), "new", "worn")
			want(t, "a day later", w.after(24*time.Hour), "new", "worn")
			w.set(func() { w.worn[key("fine")] = true })
			want(t, "later", w.after(time.Minute), "new", "worn", "fine")
		})
		if !slices.Equal(w.renewed, []int{0, 5, 5}) {
			t.Errorf("renewed %v", w.renewed)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("worn")
		w.worn = map[catalog.Key]bool{{Dataset: "d", SampleID: "worn", SampleVersion: 1}: true}
		w.searched[catalog.Key{Dataset: "d", SampleID: "worn", SampleVersion: 1}] = true
		w.run(t, func() { want(t, "where it is not asked for", w.after(time.Hour)) })
	})
}

// A search for others goes on while the sample is worn, though it was searched.
func TestASearchForOthersIsNotEndedByTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := catalog.Key{Dataset: "d", SampleID: "worn", SampleVersion: 1}
		w := newWorld("worn")
		w.most, w.worn = 5, map[catalog.Key]bool{key: true}
		w.searched[key] = true
		w.search = func(ctx context.Context, _ search.Tester, _ string) error {
			select {
			case <-time.After(10 * time.Minute):
			case <-ctx.Done():
			}
			return ctx.Err()
		}
		w.run(t, func() { want(t, "in an hour", w.after(time.Hour), "worn") })
		if w.ended[Finished] != 1 || len(w.ended) != 1 {
			t.Errorf("the ends are %v", w.ended)
		}
	})
}

func TestSamplesAreSearchedOnceInTheOrderOfTheirUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("b", "gone", "without-image", "a", "done")
		delete(w.versions, Sample{"d", "gone"})
		w.searched[catalog.Key{Dataset: "d", SampleID: "done", SampleVersion: 1}] = true
		w.run(t, func() {
			want(t, "at first", w.after(time.Second), "b", "a")
			want(t, "a day later", w.after(24*time.Hour), "b", "a")
			w.set(func() { w.versions[Sample{"d", "a"}] = 2 })
			want(t, "of another version", w.after(time.Minute), "b", "a", "a")
			w.set(func() {
				w.used = append([]Sample{{"d", "new"}}, w.used...)
				w.versions[Sample{"d", "new"}] = 1
			})
			want(t, "used later", w.after(time.Minute), "b", "a", "a", "new")
		})
		if w.ended[Finished] != 4 || len(w.ended) != 1 {
			t.Errorf("the ends are %v", w.ended)
		}
		if log := w.log.String(); strings.Count(log, "tests=3 altered=2 blind=1 runs=7") != 4 {
			t.Errorf("the log is\n%s", log)
		}
	})
}

func TestASearchYieldsAtOnceAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a")
		w.search = func(ctx context.Context, _ search.Tester, _ string) error {
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Minute):
			}
			return nil
		}
		w.busy = true
		w.run(t, func() {
			want(t, "without room", w.after(time.Hour))
			w.set(func() { w.busy = false })
			want(t, "with room", w.after(time.Minute), "a")
			w.set(func() {}) // news that change nothing
			synctest.Wait()
			if w.ended[Yielded] != 0 {
				t.Error("it yields to work beside which there is room")
			}
			w.set(func() { w.busy = true })
			synctest.Wait() // at once: no time passes
			if w.ended[Yielded] != 1 {
				t.Error("it does not yield at once")
			}
			want(t, "without room again", w.after(time.Hour), "a")
			w.set(func() { w.busy = false })
			want(t, "with room again", w.after(time.Hour), "a", "a")
		})
		if w.ended[Finished] != 1 || w.ended[Failed] != 0 {
			t.Errorf("the ends are %v", w.ended)
		}
	})
}

func TestASearchThatSomebodyElseHasMadeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a")
		w.search = func(ctx context.Context, _ search.Tester, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		}
		w.run(t, func() {
			want(t, "at first", w.after(time.Second), "a")
			w.set(func() { w.searched[catalog.Key{Dataset: "d", SampleID: "a", SampleVersion: 1}] = true })
			want(t, "by somebody else", w.after(time.Minute), "a")
			if w.ended[Yielded] != 1 {
				t.Error("it goes on")
			}
			want(t, "afterwards", w.after(time.Hour), "a")
		})
	})
}

// Where a database that is away tells nothing of the queue, nothing is searched beside it.
func TestASearchYieldsToAQueueThatTellsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a")
		w.search = func(ctx context.Context, _ search.Tester, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		}
		w.run(t, func() {
			want(t, "at first", w.after(time.Second), "a")
			w.set(func() { w.broken = errors.New("away") })
			want(t, "without the queue", w.after(time.Hour), "a")
			w.set(func() { w.broken = nil })
			want(t, "with it", w.after(time.Minute), "a", "a")
		})
	})
}

func TestASampleThatCannotBeSearchedWaitsForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("bad", "good")
		w.search = func(_ context.Context, _ search.Tester, id string) error {
			if id == "bad" {
				return errors.New("no test passes")
			}
			return nil
		}
		w.run(t, func() {
			want(t, "at first", w.after(59*time.Minute), "bad", "good")
			want(t, "after an hour", w.after(2*time.Minute), "bad", "good", "bad")
			w.set(func() { w.versions[Sample{"d", "bad"}] = 2 })
			want(t, "of another version", w.after(time.Minute), "bad", "good", "bad", "bad")
		})
		if w.ended[Failed] != 3 {
			t.Errorf("the ends are %v", w.ended)
		}
	})
}

// A suite that timed out because of what else the host does tells nothing of an edit.
func TestAStarvedSuiteIsNoTrial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a")
		var starved atomic.Bool
		starved.Store(true)
		w.search = func(ctx context.Context, tester search.Tester, id string) error {
			q := tester.(quiet)
			q.Tester = trier(starved.Load())
			_, err := q.Try(ctx, evaluate.TrialRequest{Sample: &assay.Sample{Dataset: "d", ID: id}})
			return err
		}
		w.run(t, func() {
			want(t, "at first", w.after(50*time.Second), "a")
			starved.Store(false)
			want(t, "a minute later", w.after(time.Hour), "a", "a")
		})
		if w.ended[Finished] != 1 || w.ended[Yielded] != 1 || w.runs != 2 {
			t.Errorf("the ends are %v after %d runs", w.ended, w.runs)
		}
	})
}

// trier is a tester whose suites time out, starved or not.
type trier bool

func (r trier) Try(context.Context, evaluate.TrialRequest) (*evaluate.Trial, error) {
	return &evaluate.Trial{TimedOut: true, Starved: bool(r)}, nil
}

func (trier) Tests(context.Context, string, *assay.Sample) (*evaluate.TestTree, error) {
	return nil, nil
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		for i := range 3 * mostSamples {
			id := fmt.Sprint(i)
			w.used = append(w.used, Sample{"d", id})
			w.versions[Sample{"d", id}] = 1
		}
		w.run(t, func() {
			if got := w.after(time.Hour); len(got) != mostSamples {
				t.Errorf("%d of %d samples were searched", len(got), len(w.used))
			}
		})
	})
}
