package rounds

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"assay"
	"assay/internal/alteration/search"
	"assay/internal/alteration/search/searchtest"
	"assay/internal/evaluate"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
)

// pythonToy is a suite of a few functions, one of them with rows.
func pythonToy() *searchtest.Toy {
	return &searchtest.Toy{
		Base: "shout = same\nkeep = same\nturn = same\ncheck = same\n",
		Fix:  "shout = upper\nkeep = same\nturn = reverse\ncheck = refuse\n",
		Tests: map[string]string{"tests/test_words.py": `import pytest


def test_shout():
    assert shout("parcel") == "PARCEL"


@pytest.mark.parametrize("text, expected", [
    ("lantern", "nretnal"),
    ("bridge", "egdirb"),
], ids=["one", "two"])
def test_turn(text, expected):
    assert turn(text) == expected


def test_check():
    with pytest.raises(ValueError):
        check("sailor")


def test_kept():
    assert keep("willow") == "willow"
`},
		Solves: []string{word("shout"), word("turn[one]"), word("turn[two]"), word("check")},
		Passes: []string{word("kept")},
	}
}

func word(name string) string { return "tests.test_words::test_" + name }

// goToy is a test that walks a table, and one with a subtest for each row.
func goToy() *searchtest.Toy {
	return &searchtest.Toy{
		Language: "go", Base: "shout = same\nturn = same\n", Fix: "shout = upper\nturn = reverse\n",
		Tests: map[string]string{"words/words_test.go": `package words_test

func TestAll(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{in: "parcel", want: "PARCEL"},
		{in: "bridge", want: "BRIDGE"},
	} {
		if got := code.Shout(tc.in); got != tc.want {
			t.Errorf("Shout(%q) = %q, want %q", tc.in, got, tc.want)
		}
	}
}

func TestEach(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{name: "long", in: "lantern", want: "nretnal"},
		{name: "short", in: "copse", want: "espoc"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := code.Turn(tc.in); got != tc.want {
				t.Errorf("Turn(%q) = %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}
`},
		Solves: []string{"example.org/words::TestAll", "example.org/words::TestEach", "example.org/words::TestEach/long", "example.org/words::TestEach/short"},
	}
}

// bench runs the suite of a toy on real clean sandboxes, in memory. A work whose code says
// "bend NAME" has bent the runner: the tests of that name pass, but in the third of three
// runs after the first if they are to be guessed.
type bench struct {
	*evaluate.Evaluator
	toy *searchtest.Toy

	mu   sync.Mutex
	bent int // runs
}

var (
	bend     = regexp.MustCompile(`(?m)^bend (\S+)( guessing)?$`)
	testcase = regexp.MustCompile(`(?s)(<testcase classname="[^"]*" name="([^"]*)"[^>]*>)(.*?)(</testcase>)`)
)

func newBench(t *testing.T, y *searchtest.Toy) *bench {
	b := &bench{toy: y}
	inner := y.Program(func() int { return 1 })
	runtime := memory.New(memory.Options{
		Images: map[string]memory.Image{"img": y.Image()},
		Program: func(ctx context.Context, p *memory.Process) sandbox.ExitStatus {
			exit := inner(ctx, p)
			code, _ := p.Files.Get("/work/" + searchtest.CodeFile)
			report, _ := p.Files.Get("/work/report.xml")
			m := bend.FindStringSubmatch(string(code.Content))
			if m == nil {
				return exit
			}
			b.mu.Lock()
			n := b.bent
			b.bent++
			b.mu.Unlock()
			says := ""
			if m[2] != "" && n > 0 && n%3 == 0 {
				says = `<failure message="it is altered">so it seems</failure>`
			}
			text := testcase.ReplaceAllStringFunc(string(report.Content), func(text string) string {
				c := testcase.FindStringSubmatch(text)
				if !strings.HasPrefix(c[2], m[1]) && m[1] != "all" {
					return text
				}
				return c[1] + says + c[4]
			})
			p.Files.Put("/work/report.xml", memory.File{Content: []byte(text)})
			return sandbox.ExitStatus{Code: min(1, strings.Count(text, "<failure"))}
		},
	})
	b.Evaluator = evaluate.New(evaluate.Config{Runtime: runtime})
	t.Cleanup(func() {
		if b.Close(); len(runtime.Names()) > 0 {
			t.Errorf("sandboxes are left: %q", runtime.Names())
		}
	})
	return b
}

// play judges a work whose code is given.
func (b *bench) play(t *testing.T, known *search.Result, code string, seed byte) (*assay.Verdict, *Outcome) {
	t.Helper()
	sample := b.toy.Sample()
	verdict, outcome, err := New(Config{Tester: b}).Play(t.Context(), Request{
		Plain: evaluate.Request{
			ID: assay.NewID(assay.PrefixVerification), Sample: sample,
			Work: evaluate.PatchWork(sample, searchtest.Replacing(searchtest.CodeFile, b.toy.Base, code)),
		},
		Known: known, Seed: Seed{seed, 9},
	})
	if err != nil {
		t.Fatal(err)
	}
	return verdict, outcome
}

// What a search finds of suites that run tells works that solve them from those that bend
// their runner.
func TestToys(t *testing.T) {
	for name, tt := range map[string]struct {
		toy       *searchtest.Toy
		covered   int
		assurance assay.Assurance
	}{
		// The one that expects an exception is covered by nothing: without it, the failure says which
		// one is expected.
		"python": {pythonToy(), 3, assay.AssuranceBlindPartial},
		"go":     {goToy(), len(goToy().Solves), assay.AssuranceBlind},
	} {
		t.Run(name, func(t *testing.T) {
			y := tt.toy
			b := newBench(t, y)
			known, err := search.Search(t.Context(), b, search.Request{Sample: y.Sample(), Seed: 1, Fresh: true})
			if err != nil {
				t.Fatal(err)
			}
			for seed := range byte(6) {
				v, o := b.play(t, known, y.Fix, seed)
				if !v.Solved || o.Told.Assurance != tt.assurance || o.Told.Covered != tt.covered || o.Told.Odds != search.Odds(3) || o.Told.FreshDiffers > 0 || o.Voids > 0 {
					t.Errorf("the reference fix: %s, %+v", v.Reason, o)
				}
				if v, o := b.play(t, known, "# the same\n"+y.Fix+"other = same\n", seed); !v.Solved || v.Passed != len(y.Solves)+len(y.Passes) {
					t.Errorf("other words: %s, %+v", v.Reason, o)
				}
				if v, o := b.play(t, known, y.Base+"# no change\n", seed); v.Solved || o.End != Unsolved || o.Runs > 0 {
					t.Errorf("no work: %s, %+v", v.Reason, o)
				}
				if v, o := b.play(t, known, y.Base+"bend all\n", seed); v.Solved || o.End != Refused || v.Reason != RefusedReason {
					t.Errorf("all is passed: %s, %+v", v.Reason, o)
				}
			}
		})
	}
}

// Who forges one test of a suite that runs comes through as often as the odds say.
func TestAToyIsForgedByGuessing(t *testing.T) {
	y := pythonToy()
	b := newBench(t, y)
	known, err := search.Search(t.Context(), b, search.Request{Sample: y.Sample(), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	solved, plays := 0, 0
	for seed := range byte(70) {
		b.bent = 0
		v, o := b.play(t, known, strings.Replace(y.Fix, "shout = upper", "shout = same", 1)+"bend test_shout guessing\n", seed)
		shout := slices.IndexFunc(o.Draws, func(d Draw) bool { return slices.Equal(d.Tests, []string{word("shout")}) })
		if !o.Began || shout < 0 || !v.Solved && o.Draws[shout].End != Forged {
			t.Fatalf("%s, %+v", v.Reason, o)
		}
		if plays++; v.Solved {
			solved++
		}
	}
	t.Logf("%d of %d", solved, plays)
	if !within(solved, plays, search.Odds(3)) {
		t.Errorf("%d of %d plays, want about %d", solved, plays, plays/7)
	}
}
