package search

import (
	"strings"
	"testing"
)

// tableOf is a Go test that walks rows, of which the unsolved code gets "parcel" and "harbour"
// wrong. It ends at the first failing row, or tells all of them; it names rows, or does not.
func tableOf(fails, says string) *toy {
	return &toy{
		base: "shout = forgets\n", fix: "shout = upper\n",
		tests: map[string]string{"words/words_test.go": `package words

func TestEach(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{in: "bridge", want: "BRIDGE"},
		{in: "lantern", want: "LANTERN"},
		{in: "parcel", want: "PARCEL"},
		{in: "copse", want: "COPSE"},
		{in: "meadow", want: "MEADOW"},
		{in: "harbour", want: "HARBOUR"},
		{in: "thicket", want: "THICKET"},
		{in: "orchard", want: "ORCHARD"},
	} {
		if got := code.Shout(tc.in); got != tc.want {
			t.` + fails + `("` + says + `")
		}
	}
}
`},
		solves: []string{"example.org/words::TestEach"},
	}
}

// What the unsolved code gets right of a table controls nothing, though another row's failure
// comes before it.
func TestRowsThatDecide(t *testing.T) {
	for name, y := range map[string]*toy{
		"the first is told":           tableOf("Fatalf", "%q, want %q"),
		"all are told":                tableOf("Errorf", "%q, want %q"),
		"no row is named":             tableOf("Fatalf", "quiet"),
		"no row is named, all failed": tableOf("Errorf", "quiet"),
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(6) {
				l := newLab(t, y)
				r := l.search(t, Request{Seed: seed})
				l.hold(t, r)
				deciding := 0
				for _, a := range r.Alterations {
					wrong := strings.Contains("parcel PARCEL harbour HARBOUR", literal(a.Edit.Old))
					if wrong {
						deciding++
					}
					if wrong == (a.Blindness == DecidesNone) {
						t.Errorf("seed %d: %s is %s", seed, a.Edit.Old, a.Blindness)
					}
				}
				if deciding < wanted || r.Tests[0].Blind == 0 {
					t.Errorf("seed %d: %s", seed, told(r))
				}
			}
		})
	}
}

// What tells it costs few runs.
func TestTellingWhatDecidesCostsFewRuns(t *testing.T) {
	l := newLab(t, tableOf("Fatalf", "%q, want %q"))
	r := l.search(t, Request{Seed: 1})
	asked := 0
	for _, req := range l.asked[3:] {
		if text := string(req.Files["words/words_test.go"]); strings.Count(text, "{in:") < 8 {
			asked++
		}
	}
	if asked == 0 || asked > 6 {
		t.Errorf("%d of %d runs", asked, r.Runs)
	}
}

// Where enough fails with the same words, what fails with others is not kept.
func TestTheSameWordsArePreferred(t *testing.T) {
	for seed := range uint64(6) {
		r := search(t, single("turn = upper\n", "turn = reverse\n", `assert turn("parcel") == "lecrap"`), Request{Seed: seed})
		if len(r.of(`"lecrap"`)) < 2 {
			t.Errorf("seed %d: %s", seed, told(r))
		}
		for _, a := range r.Alterations {
			if a.Blindness != Blind {
				t.Errorf("seed %d: %+v", seed, a)
			}
		}
	}
}
