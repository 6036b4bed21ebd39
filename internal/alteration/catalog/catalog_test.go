package catalog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"assay"
	"assay/internal/alteration/catalog"
	"assay/internal/alteration/search"
	"assay/internal/evaluate"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/store"
)

// The samples' task: pkg/code.py must say "loud", so that shout gives capitals.
const (
	patch     = "--- a/pkg/code.py\n+++ b/pkg/code.py\n@@ -1 +1 @@\n-quiet\n+loud\n"
	testsText = `def test_one():
    assert shout("parcel bridge lantern") == "PARCEL BRIDGE LANTERN"


def test_two():
    assert shout("harbour meadow copse") == "HARBOUR MEADOW COPSE"
`
)

var checks = regexp.MustCompile(`def (\w+)\(\):\n    assert shout\("(.*)"\) (==|!=) "(.*)"`)

// suite runs the samples' tests.
func suite(_ context.Context, p *memory.Process) sandbox.ExitStatus {
	code, _ := p.Files.Get("/work/pkg/code.py")
	tests, _ := p.Files.Get("/work/tests/test_code.py")
	var report strings.Builder
	exit := 0
	for _, m := range checks.FindAllStringSubmatch(string(tests.Content), -1) {
		got := m[2]
		if string(code.Content) == "loud\n" {
			got = strings.ToUpper(got)
		}
		fmt.Fprintf(&report, `<testcase classname="tests.test_code" name="%s">`, m[1])
		if (got == m[4]) != (m[3] == "==") {
			exit = 1
			fmt.Fprintf(&report, `<failure message="AssertionError: assert '%s' %s '%s'"/>`, got, m[3], m[4])
		}
		report.WriteString(`</testcase>`)
	}
	p.Files.Put("/work/report.xml", memory.File{Content: []byte(`<testsuite name="s">` + report.String() + `</testsuite>`)})
	return sandbox.ExitStatus{Code: exit}
}

func sampleOf(id string) *assay.Sample {
	s := &assay.Sample{
		Dataset: "d", ID: id, Patch: patch, FailToPass: []string{"tests.test_code::test_one", "tests.test_code::test_two"},
		TestPatch: fmt.Sprintf("--- /dev/null\n+++ b/tests/test_code.py\n@@ -0,0 +1,%d @@\n", strings.Count(testsText, "\n")),
		Task: assay.Task{
			Image: "img", Workdir: "/work", Language: "python", Grading: assay.GradingSWEBench,
			Verifier: assay.Verifier{
				Kind: assay.VerifierTestSuite, Command: "run", TimeoutSeconds: 5,
				Reports: []assay.ReportSpec{{Path: "report.xml", Format: "junit-xml"}},
			},
		},
	}
	for line := range strings.Lines(testsText) {
		s.TestPatch += "+" + line
	}
	return s
}

// fixture is a catalog over a real database, and an evaluator over sandboxes in memory.
type fixture struct {
	*testing.T
	*catalog.Catalog
	store     *store.Store
	evaluator *evaluate.Evaluator
	digest    string
	digestErr error
	log       bytes.Buffer // of the catalogs
	random    io.Reader    // of the catalogs; nil is the real one

	mu    sync.Mutex
	tries int
}

// key of the fixture's catalogs.
func key(fill byte) []byte { return bytes.Repeat([]byte{fill}, 32) }

func newFixture(t *testing.T, samples ...*assay.Sample) *fixture {
	t.Helper()
	return seededFixture(t, nil, samples...)
}

// seededFixture is a fixture whose searches begin with seeds from random.
func seededFixture(t *testing.T, random io.Reader, samples ...*assay.Sample) *fixture {
	t.Helper()
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "assay.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	runtime := memory.New(memory.Options{
		Images:  map[string]memory.Image{"img": {Files: map[string]memory.File{"/work/pkg/code.py": {Content: []byte("quiet\n")}}}},
		Program: suite,
	})
	f := &fixture{T: t, store: st, evaluator: evaluate.New(evaluate.Config{Runtime: runtime}), digest: "sha256:a", random: random}
	t.Cleanup(func() {
		if f.evaluator.Close(); len(runtime.Names()) > 0 {
			t.Errorf("sandboxes are left: %q", runtime.Names())
		}
	})
	f.Catalog = f.with(1, st)
	f.importSamples(samples...)
	return f
}

// with returns a catalog of a key over a store.
func (f *fixture) with(fill byte, s catalog.Store) *catalog.Catalog {
	f.Helper()
	c, err := catalog.New(catalog.Config{
		Store: s, Samples: f.store, Key: key(fill), Random: f.random, Log: slog.New(slog.NewTextHandler(&f.log, nil)),
		ImageDigest: func(context.Context, string) (string, error) { return f.digest, f.digestErr },
	})
	if err != nil {
		f.Fatal(err)
	}
	return c
}

func (f *fixture) importSamples(samples ...*assay.Sample) {
	f.Helper()
	if _, err := f.store.ImportDataset(f.Context(), &assay.Dataset{Name: "d"}, samples); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) sample(id string) *assay.Sample {
	f.Helper()
	s, err := f.store.Sample(f.Context(), "d", id, 0)
	if err != nil {
		f.Fatal(err)
	}
	return s
}

// Try implements search.Tester.
func (f *fixture) Try(ctx context.Context, req evaluate.TrialRequest) (*evaluate.Trial, error) {
	f.mu.Lock()
	f.tries++
	f.mu.Unlock()
	return f.evaluator.Try(ctx, req)
}

// Tests implements search.Tester.
func (f *fixture) Tests(ctx context.Context, id string, sample *assay.Sample) (*evaluate.TestTree, error) {
	return f.evaluator.Tests(ctx, id, sample)
}

// search searches samples with a catalog, and returns what came of them by id.
func (f *fixture) search(c *catalog.Catalog, req catalog.Request) map[string]catalog.Outcome {
	f.Helper()
	outcomes := make(map[string]catalog.Outcome)
	req.Dataset = "d"
	req.Done = func(o catalog.Outcome) {
		if _, twice := outcomes[o.SampleID]; twice {
			f.Errorf("sample %s was done twice", o.SampleID)
		}
		outcomes[o.SampleID] = o
	}
	if err := c.Search(f.Context(), f, req); err != nil {
		f.Fatal(err)
	}
	if len(outcomes) != len(req.Samples) {
		f.Errorf("%d outcomes of %d samples", len(outcomes), len(req.Samples))
	}
	return outcomes
}

// known returns what a catalog knows of a sample.
func (f *fixture) known(c *catalog.Catalog, id string) *search.Result {
	f.Helper()
	r, err := c.Of(f.Context(), f.sample(id))
	if err != nil {
		f.Fatal(err)
	}
	return r
}

// sealed returns what is stored of a sample.
func (f *fixture) sealed(k catalog.Key) []byte {
	f.Helper()
	sealed, err := f.store.Alterations(f.Context(), k)
	if err != nil {
		f.Fatal(err)
	}
	return sealed
}

// One sample that cannot be searched ends no other's search, and what is found is stored.
func TestSearch(t *testing.T) {
	broken := sampleOf("broken")
	broken.Patch = strings.ReplaceAll(patch, "quiet", "other")
	f := newFixture(t, sampleOf("one"), broken, sampleOf("two"))
	if r := f.known(f.Catalog, "one"); r != nil {
		t.Fatalf("before the search: %+v", r)
	}
	runs := make(map[string]int)
	got := f.search(f.Catalog, catalog.Request{Samples: []string{"one", "broken", "gone", "two"}, Workers: 3, Bounds: catalog.Bounds{Fresh: true}, Ran: func(id string) { runs[id]++ }})
	for id, code := range map[string]assay.Code{"broken": assay.CodePatchFailed, "gone": assay.CodeSampleNotFound} {
		if o := got[id]; assay.CodeOf(o.Err) != code || o.Summary != nil || o.Result != nil || o.Stored {
			t.Errorf("%s: %+v", id, o)
		}
	}
	for _, id := range []string{"one", "two"} {
		o := got[id]
		if o.Err != nil || o.Stored {
			t.Fatalf("%s: %+v", id, o)
		}
		s := o.Summary
		if s.Tests != 2 || s.Altered != 2 || s.Blind != 2 || s.Fresh != 2 || s.Draws != 2 || s.Runs != runs[id] || s.Runs != o.Result.Runs ||
			s.Dataset != "d" || s.SampleID != id || s.ImageDigest != f.digest || s.Odds(3) != 1./7 {
			t.Errorf("%s: %+v after %d runs", id, s, runs[id])
		}
		if diff := cmp.Diff(o.Result, f.known(f.Catalog, id)); diff != "" {
			t.Errorf("%s: what is stored: %s", id, diff)
		}
	}
	summaries, err := f.store.AlterationSummaries(t.Context(), "d", search.Rules)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]*catalog.Summary{got["one"].Summary, got["two"].Summary}, summaries, cmpopts.EquateApproxTime(time.Millisecond), cmpopts.IgnoreFields(catalog.Summary{}, "Took")); diff != "" {
		t.Error(diff)
	}
}

// What was searched is searched again only when that is asked for, with choices of its own.
func TestSearchedBefore(t *testing.T) {
	f := newFixture(t, sampleOf("one"))
	req := catalog.Request{Samples: []string{"one"}}
	first := f.search(f.Catalog, req)["one"]
	tries := f.tries
	before := f.search(f.Catalog, req)["one"]
	if !before.Stored || before.Err != nil || f.tries != tries || cmp.Diff(first.Result, before.Result) != "" {
		t.Errorf("%d more tries: %+v", f.tries-tries, before)
	}
	if diff := cmp.Diff(first.Summary, before.Summary, cmpopts.IgnoreFields(catalog.Summary{}, "Key", "FinishedAt")); diff != "" {
		t.Error(diff)
	}
	req.Again = true
	again := f.search(f.Catalog, req)["one"]
	if again.Stored || again.Err != nil || f.tries != tries+again.Result.Runs {
		t.Errorf("%d more tries: %+v", f.tries-tries, again)
	}
	if sameEdits(first.Result, again.Result) {
		t.Error("another search found the same")
	}
	if diff := cmp.Diff(again.Result, f.known(f.Catalog, "one")); diff != "" {
		t.Errorf("what is stored: %s", diff)
	}
}

func sameEdits(a, b *search.Result) bool {
	return slices.EqualFunc(a.Alterations, b.Alterations, func(a, b search.Alteration) bool { return a.Edit == b.Edit })
}

// Another content, on another image or by other rules, was not searched.
func TestWhatIsKnownIsOfOneContent(t *testing.T) {
	f := newFixture(t, sampleOf("one"))
	f.search(f.Catalog, catalog.Request{Samples: []string{"one"}})
	f.digest = "sha256:b"
	if r := f.known(f.Catalog, "one"); r != nil {
		t.Errorf("on another image: %+v", r)
	}
	f.digest = "sha256:a"
	changed := sampleOf("one")
	changed.ProblemStatement = "another"
	f.importSamples(changed)
	if r := f.known(f.Catalog, "one"); r != nil {
		t.Errorf("of another version: %+v", r)
	}
	f.digestErr = errors.New("the registry is away")
	if _, err := f.Of(t.Context(), f.sample("one")); !errors.Is(err, f.digestErr) || !strings.Contains(err.Error(), "d/one") {
		t.Errorf("without its image: %v", err)
	}
	if o := f.search(f.Catalog, catalog.Request{Samples: []string{"one"}})["one"]; !errors.Is(o.Err, f.digestErr) {
		t.Errorf("without its image: %+v", o)
	}
}

// Each server finds its own: the seed is drawn, and nobody learns it from the database.
func TestEachServerFindsItsOwn(t *testing.T) {
	f, g := newFixture(t, sampleOf("one")), newFixture(t, sampleOf("one"))
	req := catalog.Request{Samples: []string{"one"}}
	if sameEdits(f.search(f.Catalog, req)["one"].Result, g.search(g.Catalog, req)["one"].Result) {
		t.Error("two servers found the same")
	}
}

// Who has the database and not the key reads nothing, and can pass nothing off as another.
func TestWhatIsStoredIsSealed(t *testing.T) {
	f := newFixture(t, sampleOf("one"), sampleOf("two"))
	got := f.search(f.Catalog, catalog.Request{Samples: []string{"one", "two"}, Workers: 2})
	one, two := got["one"].Summary, got["two"].Summary
	text := f.sealed(one.Key)
	for _, word := range []string{"test_one", "shout", "PARCEL", "edit"} {
		if bytes.Contains(text, []byte(word)) {
			t.Errorf("%q can be read", word)
		}
	}
	save := func(s *catalog.Summary, sealed []byte) {
		t.Helper()
		if err := f.store.SaveAlterations(t.Context(), s.Key, func([]byte) (*catalog.Found, error) {
			return &catalog.Found{Summary: s, Sealed: sealed}, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(what string, c *catalog.Catalog, id string) {
		t.Helper()
		if r := f.known(c, id); r != nil {
			t.Errorf("%s: %+v", what, r)
		}
		if known, err := c.Searched(t.Context(), got[id].Summary.Key, catalog.Bounds{}); known || err != nil {
			t.Errorf("%s: searched: %v, %v", what, known, err)
		}
		f.tries = 0
		o := f.search(c, catalog.Request{Samples: []string{id}})[id]
		if o.Err != nil || o.Stored || o.Stays || o.Result.Runs != f.tries {
			t.Errorf("%s: after %d tries: %+v", what, f.tries, o)
		}
		if diff := cmp.Diff(o.Result, f.known(c, id)); diff != "" {
			t.Errorf("%s: it is not replaced: %s", what, diff)
		}
	}
	save(two, text)
	refused("another sample's", f.with(1, f.store), "two")
	bent := bytes.Clone(text)
	bent[len(bent)/2] ^= 1
	save(one, bent)
	refused("a bit that was turned", f.with(1, f.store), "one")
	f.log.Reset()
	other := f.with(2, f.store)
	refused("another key", other, "one")
	refused("another key", other, "two")
	if log := f.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "alterations.key") || !strings.Contains(log, "backup") || !strings.Contains(log, "sample=one") {
		t.Errorf("it told %q", log)
	}
}

// swapping is a store that gives one trial for another.
type swapping struct {
	catalog.Store
	first []byte
}

func (s *swapping) Trial(ctx context.Context, k catalog.Key, trial string) ([]byte, error) {
	got, err := s.Store.Trial(ctx, k, trial)
	if s.first == nil {
		s.first = got
	}
	return s.first, err
}

// A search goes on where it was, also with another catalog of the same server.
func TestASearchGoesOn(t *testing.T) {
	for _, end := range []int{1, 4, 9} {
		f := newFixture(t, sampleOf("one"))
		f.interrupt(f.Catalog, catalog.Request{Samples: []string{"one"}}, end)
		if r := f.known(f.Catalog, "one"); r != nil {
			t.Errorf("ended after %d: %+v", end, r)
		}
		req := catalog.Request{Samples: []string{"one"}}
		f.tries = 0
		o := f.search(f.with(1, f.store), req)["one"]
		if o.Err != nil || o.Result.Runs != f.tries+end {
			t.Errorf("ended after %d: then %d tries: %+v", end, f.tries, o)
		}
	}
}

// interrupt ends a search after so many runs.
func (f *fixture) interrupt(c *catalog.Catalog, req catalog.Request, end int) {
	f.Helper()
	ctx, cancel := context.WithCancel(f.Context())
	defer cancel()
	runs := 0
	req.Dataset = "d"
	req.Ran = func(string) {
		if runs++; runs == end {
			cancel()
		}
	}
	req.Done = func(o catalog.Outcome) { f.Errorf("it was ended: %+v", o) }
	if err := c.Search(ctx, f, req); !errors.Is(err, context.Canceled) {
		f.Fatalf("ended after %d: %v", end, err)
	}
}

// Trials that cannot be opened, or are not what they are stored as, are made again.
func TestTrialsThatCannotBeOpened(t *testing.T) {
	req := catalog.Request{Samples: []string{"one"}}
	for what, with := range map[string]func(*fixture) *catalog.Catalog{
		"one for another":           func(f *fixture) *catalog.Catalog { return f.with(1, &swapping{Store: f.store}) },
		"sealed with another key":   func(f *fixture) *catalog.Catalog { return f.with(2, f.store) },
		"with a key that came back": func(f *fixture) *catalog.Catalog { f.interrupt(f.with(2, f.store), req, 3); return f.with(1, f.store) },
	} {
		t.Run(what, func(t *testing.T) {
			f := newFixture(t, sampleOf("one"))
			f.interrupt(f.Catalog, req, 6)
			c := with(f)
			f.tries, f.log = 0, bytes.Buffer{}
			o := f.search(c, req)["one"]
			if o.Err != nil || o.Summary.Blind != 2 || f.tries < o.Result.Runs-1 {
				t.Errorf("%d tries: %+v", f.tries, o)
			}
			if n := strings.Count(f.log.String(), "\n"); n != 1 {
				t.Errorf("it told %d times: %s", n, f.log.String())
			}
		})
	}
}

// full is a store that cannot keep what was found.
type full struct{ catalog.Store }

var errFull = errors.New("the disk is full")

func (full) SaveAlterations(context.Context, catalog.Key, func([]byte) (*catalog.Found, error)) error {
	return errFull
}

// What was found and cannot be stored is an error, and costs no run when it can.
func TestWhatCannotBeStored(t *testing.T) {
	f := newFixture(t, sampleOf("one"))
	req := catalog.Request{Samples: []string{"one"}}
	if o := f.search(f.with(1, full{f.store}), req)["one"]; !errors.Is(o.Err, errFull) || o.Result != nil {
		t.Errorf("%+v", o)
	}
	f.tries = 0
	if o := f.search(f.Catalog, req)["one"]; o.Err != nil || f.tries > 0 {
		t.Errorf("%d tries: %+v", f.tries, o)
	}
}

func TestOddsOfASummary(t *testing.T) {
	for _, tt := range []struct {
		tests, blind int
		want         float64
	}{{0, 0, 1}, {3, 0, 1}, {3, 2, 1}, {3, 3, 1. / 7}} {
		if got := (&catalog.Summary{Tests: tt.tests, Blind: tt.blind}).Odds(3); got != tt.want {
			t.Errorf("%d of %d: %v, want %v", tt.blind, tt.tests, got, tt.want)
		}
	}
}
