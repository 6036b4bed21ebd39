package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"assay/internal/alteration/catalog"
	"assay/internal/alteration/search"
)

func TestSampleIDs(t *testing.T) {
	for _, tt := range []struct{ given, want []string }{
		{nil, nil},
		{[]string{"b", "a", "b", "b", "a"}, []string{"b", "a"}},
	} {
		if got, err := sampleIDs(tt.given); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, %v", tt.given, got, err)
		}
	}
	for _, given := range [][]string{{""}, {"", ""}, {"a", " "}} {
		var usage usageError
		if got, err := sampleIDs(given); !errors.As(err, &usage) || got != nil {
			t.Errorf("%q: %q, %v", given, got, err)
		}
	}
}

// unread is an input that nobody may read.
type unread struct{ *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.Error("it asks where nobody can answer")
	return 0, errors.New("no terminal")
}

// What a large search may take is told first, and where nobody can answer nothing is asked.
func TestTheCostIsToldFirst(t *testing.T) {
	for _, tt := range []struct {
		samples, runs, workers int
		limit                  time.Duration
		want                   string // "" for nothing
	}{
		{19, 150, 2, 30 * time.Minute, ""},
		{20, 150, 2, 30 * time.Minute, "20 samples are to be searched, 2 at a time: at most 3000 runs of suites (2h5m0s if a suite takes 5s), and at most 5h0m0s in all; "},
		{501, 1000, 4, time.Hour, "at most 501000 runs of suites (126h0m0s if a suite takes 5s), and at most 126h0m0s in all; "},
	} {
		var said bytes.Buffer
		c := datasetAlterationsCmd{MaxRuns: tt.runs, Limit: tt.limit, suiteFlags: suiteFlags{Workers: tt.workers}}
		if err := c.agree(t.Context(), stdio{in: unread{t}, err: &said}, tt.samples); err != nil {
			t.Error(err)
		}
		if !strings.Contains(said.String(), tt.want) || tt.want == "" && said.Len() > 0 {
			t.Errorf("%d samples: %q, want %q", tt.samples, said.String(), tt.want)
		}
	}
}

func TestAPersonIsAsked(t *testing.T) {
	for answer, want := range map[string]bool{"y\n": true, "YES \n": true, "n\n": false, "\n": false, "": false, "why\n": false} {
		var said bytes.Buffer
		err := stdio{in: strings.NewReader(answer), err: &said}.agree(t.Context(), "go on?")
		if (err == nil) != want || said.String() != "go on? [y/N] " {
			t.Errorf("%q: %v after %q", answer, err, said.String())
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var exit exitError
	never := make(waiting)
	defer close(never)
	if err := (stdio{in: never, err: new(bytes.Buffer)}).agree(ctx, "go on?"); !errors.As(err, &exit) || exit.status != exitInterrupted {
		t.Errorf("interrupted: %v", err)
	}
}

// waiting is an input in which nothing comes.
type waiting chan struct{}

func (w waiting) Read([]byte) (int, error) {
	<-w
	return 0, errors.New("closed")
}

// Where nobody watches, a search tells of itself every so often.
func TestASearchTellsOfItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		p := &searchProgress{std: stdio{err: &said}, samples: 3, most: 150}
		p.begin(4)
		for range 60 {
			p.ran("quick")
		}
		for range 4 {
			<-time.After(20 * time.Second)
			p.ran("slow")
		}
		want := "searching 3 samples, 3 at a time, with at most 150 runs of the suite of each\nquick  run 25 of at most 150  0s\nquick  run 50 of at most 150  0s\nslow  run 2 of at most 150  40s\nslow  run 4 of at most 150  1m20s\n"
		if said.String() != want {
			t.Errorf("it said\n%swant\n%s", said.String(), want)
		}
		p.done(catalog.Outcome{SampleID: "quick", Summary: &catalog.Summary{}, Result: &search.Result{}})
		p.done(catalog.Outcome{SampleID: "bad", Err: errors.New("no image")})
		if got, want := p.kept(), "1 of 3 samples are done and stored, 1 cannot be searched, and the 4 runs of those under way are kept; the same command goes on there"; got != want {
			t.Errorf("it keeps %q, want %q", got, want)
		}
	})
}

func TestWhatIsToldOfAnOutcome(t *testing.T) {
	sum := &catalog.Summary{Tests: 3, Altered: 2, Blind: 1, Took: 61 * time.Second}
	for want, o := range map[string]catalog.Outcome{
		"no image":                            {Err: errors.New("no image")},
		"was searched before":                 {Summary: sum, Result: &search.Result{}, Stored: true},
		"2 of 3 tests altered, 1 blind  1m1s": {Summary: sum, Result: &search.Result{}},
		"was searched before, and ended at its bounds: a larger --max-runs or --limit goes on": {Summary: sum, Result: &search.Result{Spent: true}, Stored: true},
		"2 of 3 tests altered, 1 blind  1m1s; what an earlier search found is better, and stays; it ended at its bounds: a larger --max-runs or --limit goes on": {
			Summary: sum, Result: &search.Result{Spent: true}, Stays: true,
		},
	} {
		if got := outcomeLine(o); got != want {
			t.Errorf("it told %q, want %q", got, want)
		}
	}
}

func TestAnInterruptSaysWhatIsKept(t *testing.T) {
	var said bytes.Buffer
	if status := report(&said, fmt.Errorf("search: %w", interrupted("all is kept", context.Canceled))); status != exitInterrupted || !strings.Contains(said.String(), "interrupted: all is kept\n") || strings.Contains(said.String(), "context") {
		t.Errorf("status %d: %q", status, said.String())
	}
	said.Reset()
	if status := report(&said, interrupted("all is kept", errors.New("the disk is full"))); status != exitInterrupted || !strings.Contains(said.String(), "the disk is full") {
		t.Errorf("status %d: %q", status, said.String())
	}
}
