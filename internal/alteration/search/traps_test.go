package search

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"assay"
	"assay/internal/evaluate"
)

// fourWith is four tests, of which one calls a function with "steady".
func fourWith(function, does string) *toy {
	return &toy{
		base: "shout = same\nload = " + does + "\n",
		fix:  "shout = upper\nload = " + does + "\n",
		tests: map[string]string{"tests/test_words.py": `def test_north():
    assert shout("parcel") == "PARCEL"


def test_trap():
    word = ` + function + `("steady")
    assert shout("bridge") == "BRIDGE"


def test_south():
    assert shout("lantern") == "LANTERN"


def test_west():
    assert shout("harbour") == "HARBOUR"
`},
		solves: []string{ids("north"), ids("trap"), ids("south"), ids("west")},
	}
}

// An edit with which nothing is compiled, or which ends the process or never ends, costs
// that edit alone. What it was tried with is found.
func TestATrapCostsItsCandidate(t *testing.T) {
	for name, y := range map[string]*toy{
		"compile error": fourWith("compiled", "same"),
		"panic":         fourWith("load", "crash"),
		"hang":          fourWith("load", "hang"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for seed := range uint64(6) {
					r := search(t, y, Request{Seed: seed})
					for _, test := range r.Tests {
						if test.Blind < 2 {
							t.Errorf("seed %d: %+v\n%s", seed, test, told(r))
						}
					}
					if len(r.of(`"steady"`)) > 0 {
						t.Errorf("seed %d: what ends everything was taken for an alteration: %+v", seed, r.of(`"steady"`))
					}
				}
			})
		})
	}
}

// goTrap is a package that is not compiled with another word than "steady".
func goTrap() *toy {
	return &toy{
		language: "go", base: "shout = same\n", fix: "shout = upper\n",
		tests: map[string]string{"words/words_test.go": `package words_test

func TestNorth(t *testing.T) {
	if got := code.Shout("parcel"); got != "PARCEL" {
		t.Errorf("Shout = %q", got)
	}
}

func TestTrap(t *testing.T) {
	word := compiled("steady")

	if got := code.Shout("bridge"); got != "BRIDGE" {
		t.Errorf("Shout = %q", got)
	}
}

func TestSouth(t *testing.T) {
	if got := code.Shout("lantern"); got != "LANTERN" {
		t.Errorf("Shout = %q", got)
	}
}
`},
		solves: []string{"example.org/words::TestNorth", "example.org/words::TestTrap", "example.org/words::TestSouth"},
	}
}

// The line that a compiler names tells at once which candidate to drop.
func TestACompilerNamesItsCandidate(t *testing.T) {
	for seed := range uint64(6) {
		r := search(t, goTrap(), Request{Seed: seed})
		for _, test := range r.Tests {
			if test.Blind < 2 {
				t.Errorf("seed %d: %+v\n%s", seed, test, told(r))
			}
		}
	}
}

// A suite with an altered test is not waited for as long as the verifier's may take.
func TestAHangIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, fourWith("load", "hang"))
		s := l.toy.sample()
		s.Task.Verifier.TimeoutSeconds = 3600
		began := time.Now()
		r := l.search(t, Request{Sample: s, Seed: 1})
		if took := time.Since(began); took > time.Duration(r.Runs)*leastTimeout {
			t.Errorf("%d runs took %s", r.Runs, took)
		}
		for n, req := range l.asked {
			if want := map[bool]time.Duration{true: leastTimeout}[n >= 3]; req.Timeout != want {
				t.Errorf("run %d had %s, want %s", n, req.Timeout, want)
			}
		}
	})
}

// Edits that give tests other ids are none, also where nothing in the text says that they
// do.
func TestEditsThatChangeIDsAreDropped(t *testing.T) {
	y := &toy{
		base: "shout = same\n", fix: "shout = upper\n",
		tests: map[string]string{"tests/test_words.py": `@by_input("text, expected", [
    ("parcel", "PARCEL"),
    ("bridge", "BRIDGE"),
])
def test_shout(text, expected):
    assert shout(text) == expected


def test_other():
    assert shout("lantern") == "LANTERN"
`},
		solves: []string{ids("shout[parcel]"), ids("shout[bridge]"), ids("other")},
	}
	for seed := range uint64(4) {
		r := search(t, y, Request{Seed: seed})
		if inputs := append(r.of(`"parcel"`), r.of(`"bridge"`)...); len(inputs) > 0 {
			t.Errorf("seed %d: %+v", seed, inputs)
		}
		for _, test := range r.Tests {
			if test.Blind == 0 {
				t.Errorf("seed %d: %+v\n%s", seed, test, told(r))
			}
		}
	}
}

// No run shows two edits of one test. Subtests are tests.
func TestOneVersionOfATestARun(t *testing.T) {
	for name, y := range map[string]*toy{"python": words(), "go": goTrap(), "table": rows(), "params": params()} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, y)
			l.search(t, Request{Seed: 3})
			for n, req := range l.asked {
				for file, text := range req.Files {
					for function, lines := range changedFunctions(y.tests[file], string(text)) {
						if lines > 1 && function != "" && !strings.Contains(function, "TestEach") {
							t.Errorf("run %d: %d lines of %s", n, lines, function)
						}
					}
				}
			}
		})
	}
}

// A test that does not pass each time is in no alteration.
func TestFlakyTestsAreInNone(t *testing.T) {
	for when, flaky := range map[string]string{"every other time": "2", "once": "5", "once, late": "9"} {
		t.Run(when, func(t *testing.T) {
			y := words()
			y.tests["tests/test_flaky.py"] = fmt.Sprintf("def test_coin():\n    assert fails_in_run(%s) == \"no\"\n", flaky)
			const coin = "tests.test_flaky::test_coin"
			y.solves = append(y.solves, coin)
			for seed := range uint64(3) {
				l := newLab(t, y)
				r := l.search(t, Request{Seed: seed})
				for _, a := range r.Alterations {
					if slices.Contains(a.Tests, coin) && a.Edit.File != "tests/test_flaky.py" {
						t.Errorf("seed %d: %+v", seed, a)
					}
				}
				for _, test := range r.Tests {
					if test.ID == coin && flaky == "2" && (test.Altered > 0 || !strings.Contains(test.Reason, "does not pass each time")) {
						t.Errorf("seed %d: %+v", seed, test)
					}
					if test.ID == ids("shout") && test.Blind < 2 {
						t.Errorf("seed %d: %+v of a test beside it", seed, test)
					}
				}
			}
		})
	}
}

// A test that leaves something behind when it fails makes the next one fail, too. That is
// seen only where the next one is not altered itself.
func TestWhatFailsWithAnother(t *testing.T) {
	body := func(name, word string) string {
		return fmt.Sprintf("def test_%s():\n    take(\"key\")\n    assert shout(\"%s\") == \"%s\"\n    give(\"key\")\n\n\n", name, word, strings.ToUpper(word))
	}
	const common = "take = take\ngive = give back\n"
	y := &toy{
		base: "shout = same\n" + common, fix: "shout = upper\n" + common,
		tests:  map[string]string{"tests/test_words.py": body("one", "parcel") + body("two", "bridge") + body("three", "lantern")},
		solves: []string{ids("one"), ids("two"), ids("three")},
	}
	for seed := range uint64(4) {
		r := search(t, y, Request{Seed: seed})
		if test := r.Tests[2]; test.Altered == 0 {
			t.Errorf("seed %d: %+v\n%s", seed, test, told(r))
		}
	}
}

// A run that fails for a reason of the host's is made once more, and counts once.
func TestARunThatFailsIsMadeAgain(t *testing.T) {
	l := newLab(t, words())
	n := 0
	l.before = func(evaluate.TrialRequest) error {
		if n++; n%2 == 1 {
			return fmt.Errorf("run %d was lost", n)
		}
		return nil
	}
	got := l.search(t, Request{Seed: 1})
	if want := newLab(t, words()).search(t, Request{Seed: 1}); sameResult(want, got) != "" || n != 2*got.Runs {
		t.Errorf("%d tries of %d runs: %s", n, got.Runs, sameResult(want, got))
	}
	seen := make(map[string]bool)
	for _, req := range l.asked {
		seen[req.ID] = true
	}
	if len(seen) != n {
		t.Errorf("%d sandboxes of %d tries have the same ids: %d", n, n, len(slices.Collect(maps.Keys(seen))))
	}
}

// A helper that many tests use does not tie them together, and each has alterations of its
// own.
func TestAHelperTiesNothing(t *testing.T) {
	y := &toy{base: "shout = same\n", fix: "shout = upper\n", tests: map[string]string{}}
	var text strings.Builder
	text.WriteString("WORD = \"meadow\"\n\n\n")
	for n, word := range strings.Fields("parcel bridge lantern harbour copse hollow thicket orchard") {
		fmt.Fprintf(&text, "def test_%d():\n    assert shout(WORD) == \"MEADOW\"\n\n    assert shout(\"%s\") == \"%s\"\n\n\n", n, word, strings.ToUpper(word))
		y.solves = append(y.solves, ids(fmt.Sprint(n)))
	}
	y.tests["tests/test_words.py"] = text.String()
	for seed := range uint64(3) {
		r := search(t, y, Request{Seed: seed})
		if r.Draws != len(y.solves) {
			t.Errorf("seed %d: %d draws of %d tests: %s", seed, r.Draws, len(y.solves), told(r))
		}
		for _, test := range r.Tests {
			if test.Altered == 0 {
				t.Errorf("seed %d: %+v", seed, test)
			}
		}
	}
}

// A table that many tests walk, which have nothing else, is altered for them all.
func TestATableThatManyTestsWalk(t *testing.T) {
	y := &toy{base: "shout = same\n", fix: "shout = upper\n", tests: map[string]string{}}
	text := "WORD = \"meadow\"\nLOUD = \"MEADOW\"\n\n\n"
	for n := range 2 * mostTied {
		text += fmt.Sprintf("def test_%d():\n    assert shout(WORD) == LOUD\n\n\n", n)
		y.solves = append(y.solves, ids(fmt.Sprint(n)))
	}
	y.tests["tests/test_words.py"] = text
	for seed := range uint64(3) {
		for _, test := range search(t, y, Request{Seed: seed}).Tests {
			if test.Blind == 0 {
				t.Errorf("seed %d: %+v", seed, test)
			}
		}
	}
}

// What says that a process ended is told from what fails.
func TestWhatEndsAProcess(t *testing.T) {
	for said, want := range map[string]bool{
		"panic: index out of range [recovered]\ngoroutine 7": true,
		"=== RUN   TestA\n    panic: boom":                   true,
		"fatal error: all goroutines are asleep":             true,
		"did not finish\n=== RUN   ExampleA":                 true,
		"    a_test.go:12: it did not finish":                false,
		"    a_test.go:12: got panic: boom, want none":       false,
	} {
		if got := crash.MatchString(said); got != want {
			t.Errorf("%q: %v", said, got)
		}
	}
}

// A test elsewhere that failed by itself when an edit was found is taken from it when it
// passes with it; one of the edit's own is not, and nothing is taken from an edit that did nothing.
func TestWhatFailedByItselfIsTakenFromAnEdit(t *testing.T) {
	const own, coin = "example.org/words::TestOwn", "example.org/words::TestCoin"
	text := "package words\n\nfunc TestOwn(t *testing.T) {\n\tif got := Shout(\"a\"); got != \"A\" {\n\t\tt.Error(got)\n\t}\n}\n"
	for name, tt := range map[string]struct {
		passed []string
		failed []string
		solves string
		want   []string
	}{
		"it passed":                {[]string{coin}, []string{own}, own, []string{own}},
		"both did":                 {[]string{coin, own}, nil, own, []string{coin, own}},
		"its own did":              {[]string{own}, []string{coin}, own, []string{coin, own}},
		"both failed":              {nil, []string{coin, own}, own, []string{coin, own}},
		"it was not run":           {nil, []string{own}, own, []string{coin, own}},
		"it is to be solved, too ": {[]string{coin}, []string{own}, coin, []string{coin, own}},
	} {
		d := &discovery{
			baseline: &baseline{stable: map[string]bool{own: true, coin: true}, solves: map[string]bool{tt.solves: true}},
			sources:  readSources(&evaluate.TestTree{Changed: []evaluate.TestFile{{Path: "words_test.go", After: []byte(text)}}}, 1, map[string]bool{own: true}, ""),
		}
		trial := &evaluate.Trial{Outcomes: map[string]assay.TestOutcome{}, Passed: map[string]bool{}}
		for _, id := range append(slices.Clone(tt.passed), tt.failed...) {
			trial.Outcomes[id] = assay.TestOutcome{}
		}
		for _, id := range tt.passed {
			trial.Passed[id] = true
		}
		f := &found{Edit: d.sources["words_test.go"].candidates[0], tests: []string{coin, own}}
		d.acquit(f, trial)
		if !slices.Equal(f.tests, tt.want) || d.stable[coin] != slices.Contains(tt.want, coin) || !d.stable[own] {
			t.Errorf("%s: it is of %q, stable are %v", name, f.tests, d.stable)
		}
	}
}

// A test elsewhere that failed in the first run of all, and passes later, is no doing of an
// edit that is tried alone.
func TestATestThatFailedOnlyAtFirst(t *testing.T) {
	y := single("shout = same\n", "shout = upper\n", `assert shout("parcel") == "PARCEL"`)
	y.old = map[string]string{"tests/test_old.py": "def test_coin():\n    assert fails_in_run(1) == \"no\"\n"}
	for seed := range uint64(4) {
		if r := search(t, y, Request{Seed: seed}); r.Tests[0].Blind < 2 {
			t.Errorf("seed %d: %+v\n%s", seed, r.Tests[0], told(r))
		}
	}
}
