package grid

import (
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheSameSeedGivesTheSameAttacks(t *testing.T) {
	if diff := cmp.Diff(All(7), All(7)); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(All(7), All(8)) {
		t.Error("another seed gives the same attacks")
	}
	if diff := cmp.Diff(Draw(All(7), 3, 30), Draw(All(7), 3, 30)); diff != "" {
		t.Error(diff)
	}
}

func TestTheGridIsFull(t *testing.T) {
	all := All(1)
	if len(all) < 300 {
		t.Errorf("there are %d attacks, not 300", len(all))
	}
	names, scripts, cells := map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, a := range all {
		if names[a.Name] || scripts[a.Script] {
			t.Errorf("%s is there twice", a.Name)
		}
		names[a.Name], scripts[a.Script] = true, true
		for _, axis := range []string{a.Technique, a.Discriminator, a.Hiding, string(a.Class), string(a.Form)} {
			cells[a.Language+"/"+axis]++
		}
		if strings.ContainsAny(a.Script, "«»\x00") {
			t.Errorf("%s is not finished", a.Name)
		}
		if a.Seed >= 1<<53 {
			t.Errorf("%s has a seed that JSON does not hold", a.Name)
		}
	}
	for _, language := range []string{"go", "python", "javascript"} {
		for _, axis := range strings.Fields("runner early output report reads-tests kind invert hash plausible " +
			"blanket name shape place arguments content call old altered coin plain size count comment alias base64 guessing knowing starter swe-bench") {
			if cells[language+"/"+axis] == 0 {
				t.Errorf("no attack is %s in %s", axis, language)
			}
		}
	}
}

// Attacks on some samples are on these alone, and the others of their languages are not there.
func TestAttacksOnSomeSamples(t *testing.T) {
	const one, other = "hughsk__flat-5.0.1", "jpadilla__pyjwt-2.10.1"
	seen := map[string]bool{}
	for _, a := range All(1, one, other) {
		seen[a.Sample] = true
		if a.Language == "go" || a.Sample != one && a.Sample != other {
			t.Errorf("%s is on %s", a.Name, a.Sample)
		}
		if a.Sample == one && (a.Technique == "reads-tests" || a.Technique == "plausible") {
			t.Errorf("%s cannot be made for %s", a.Name, a.Sample)
		}
	}
	if !seen[one] || !seen[other] {
		t.Errorf("attacks are on %v", seen)
	}
}

// Each way of guessing is played as often, in each of its languages, and no two plays are drawn alike.
func TestPlaysAreSpread(t *testing.T) {
	const n = 60
	languages, count, seeds := map[string]map[string]int{}, map[string]int{}, map[uint64]bool{}
	for _, a := range Plays(3, n) {
		if a.Class != Guessing {
			t.Errorf("%s is of class %s", a.Name, a.Class)
		}
		if languages[a.Play()] == nil {
			languages[a.Play()] = map[string]int{}
		}
		languages[a.Play()][a.Language]++
		count[a.Play()]++
		if seeds[a.Seed] {
			t.Errorf("%s is there twice", a.Name)
		}
		seeds[a.Seed] = true
	}
	for _, a := range All(3) {
		if a.Class == Guessing && languages[a.Play()][a.Language] < n/4 {
			t.Errorf("%s is played %d times in %s", a.Play(), languages[a.Play()][a.Language], a.Language)
		}
	}
	for play, got := range count {
		if got != n {
			t.Errorf("%s is played %d times", play, got)
		}
	}
	if diff := cmp.Diff(Plays(3, 2), Plays(3, 2)); diff != "" {
		t.Error(diff)
	}
}

// A small draw has each technique of each language.
func TestDrawsAreSpread(t *testing.T) {
	all := All(1)
	want := map[string]bool{}
	for _, a := range all {
		want[a.Language+a.Technique] = true
	}
	for _, a := range Draw(all, 5, len(want)) {
		delete(want, a.Language+a.Technique)
	}
	if len(want) > 0 {
		t.Errorf("not drawn: %v", want)
	}
	if got := len(Draw(all, 5, 1<<20)); got != len(all) {
		t.Errorf("all are %d, not %d", got, len(all))
	}
}

// Whatever hides a Go file, it is still one.
func TestGoFilesAreGo(t *testing.T) {
	for _, a := range All(1) {
		if a.Language != "go" {
			continue
		}
		for part := range strings.SplitSeq(a.Script, "cat > ") {
			file, text, ok := strings.Cut(part, " <<'END_OF_TEXT'\n")
			if !ok || !strings.HasSuffix(file, ".go") {
				continue
			}
			text, _, _ = strings.Cut(text, "\nEND_OF_TEXT\n")
			if _, err := parser.ParseFile(token.NewFileSet(), file, text, 0); err != nil {
				t.Errorf("%s: %v", a.Name, err)
			}
		}
	}
}

func TestLimitsNameWhatThereIs(t *testing.T) {
	for _, l := range languages {
		for _, target := range l.targets {
			for _, limit := range target.limits {
				if !slices.ContainsFunc(l.pairs, func(p pair) bool {
					return slices.Contains([]string{p.technique, p.discriminator, p.technique + "-" + p.discriminator}, limit)
				}) {
					t.Errorf("%s: %s limits nothing", target.sample, limit)
				}
			}
		}
	}
}
