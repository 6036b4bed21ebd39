package search

import (
	"context"
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"

	"assay/internal/alteration"
	"assay/internal/evaluate"
)

// tellExpected finds which edits are of what a test expects, and not of what it puts in:
// they stand in an assertion of exact equality, and another edit of the same token leaves
// what the reference fix printed as it was. It returns the second edits that were found to
// be alterations, too.
func (d *discovery) tellExpected(ctx context.Context, all []*found, expected map[*found]bool) ([]*found, error) {
	var more []*found
	for _, f := range all {
		if !f.EqualityOperand || len(f.tests) == 0 {
			continue
		}
		other := sibling(f, all)
		if other == nil {
			var err error
			if other, err = d.second(ctx, f); err != nil {
				if errors.Is(err, errSpent) {
					return more, nil
				}
				return more, err
			}
			if other != nil {
				more = append(more, other)
			}
		}
		if other != nil && sameGot(f, other) {
			expected[f], expected[other] = true, true
		}
	}
	return more, nil
}

// sibling returns a found edit of the same token.
func sibling(f *found, all []*found) *found {
	i := slices.IndexFunc(all, func(o *found) bool { return o != f && same(o.Edit, f.Edit) && o.New != f.New })
	if i < 0 {
		return nil
	}
	return all[i]
}

// second tries another edit of the same token.
func (d *discovery) second(ctx context.Context, f *found) (*found, error) {
	q := d.queues[group(f.Edit)]
	i := slices.IndexFunc(q.left, func(e alteration.Edit) bool { return same(e, f.Edit) && e.New != f.New })
	if i < 0 {
		return nil, nil
	}
	e := q.left[i]
	q.left = slices.Delete(q.left, i, i+1)
	kept, err := d.try(ctx, []alteration.Edit{e})
	if err != nil || len(kept) == 0 {
		return nil, err
	}
	d.note(kept[0])
	return kept[0], nil
}

// sameGot tells whether the code under test gave the same in both runs, as the failures
// say.
func sameGot(a, b *found) bool {
	for _, id := range a.tests {
		one, two := gots(a, id), gots(b, id)
		if slices.ContainsFunc(one, func(got string) bool { return slices.Contains(two, got) }) {
			return true
		}
	}
	return false
}

// gots are the values that a failure sets against the one that an edit made.
func gots(f *found, id string) []string {
	made := literal(f.New)
	var values []string
	for _, failure := range alteration.ParseGot(alteration.LanguageOf(f.File), f.said[id]) {
		switch one, two := strings.Contains(failure.Got, made), strings.Contains(failure.Want, made); {
		case two && !one:
			values = append(values, failure.Got)
		case one && !two:
			values = append(values, failure.Want)
		}
	}
	return values
}

// Blindness is what the unsolved code tells of an alteration.
type Blindness string

// What may be known of an alteration. Only a blind one counts against a forger who knows
// what the unsolved code does.
const (
	Blind         Blindness = "blind"           // the unsolved code fails it in the same place, with the same words
	BlindPlace    Blindness = "blind_place"     // in the same place, with other words
	SeenPassing   Blindness = "passes_unsolved" // the unsolved code passes it: whatever passes there is altered
	SeenElsewhere Blindness = "fails_elsewhere" // the unsolved code fails it, and elsewhere than the true test
	SeenKnown     Blindness = "in_old_tests"    // the image's old tests hold the true line
	NotRun        Blindness = "not_run"         // the unsolved code does not build with the tests, or ends before them
	SolvedAlready Blindness = "solved_already"  // the unsolved code passes the true test: there is nothing to forge
	Untried       Blindness = "untried"         // the search ended at its bounds before it was known
	NotSolving    Blindness = "not_solving"     // its tests are not those that are to be solved
)

// untried tells what is known of an edit before the unsolved code is run with it: Untried
// where that will tell more.
func (b *baseline) untried(f *found) Blindness {
	worst := NotSolving
	for _, id := range f.tests {
		if !b.solves[id] {
			continue
		}
		now := Untried
		if _, ran := b.unsolved.Outcomes[id]; !f.Known && !ran {
			now = NotRun
		} else if !f.Known && b.unsolved.Passed[id] {
			now = SolvedAlready
		}
		if worst == NotSolving || order[now] > order[worst] {
			worst = now
		}
	}
	return worst
}

// blindness tells what the unsolved code makes of an edit, given what it makes of the true
// tests.
func (b *baseline) blindness(f *found, altered *evaluate.Trial) Blindness {
	worst := NotSolving
	for _, id := range f.tests {
		if !b.solves[id] {
			continue
		}
		was, ran := b.unsolved.Outcomes[id]
		is, runs := altered.Outcomes[id]
		var now Blindness
		switch {
		case f.Known:
			now = SeenKnown
		case b.unsolved.Passed[id]:
			now = SolvedAlready
		case !ran || !runs:
			now = NotRun
		case altered.Passed[id]:
			now = SeenPassing
		default:
			now = compareFailures(text(was), text(is), f.Edit)
		}
		if worst == NotSolving || order[now] > order[worst] {
			worst = now
		}
	}
	return worst
}

var order = map[Blindness]int{Untried: 0, Blind: 1, BlindPlace: 2, SeenElsewhere: 3, SeenPassing: 4, SolvedAlready: 5, NotRun: 6, SeenKnown: 7}

// noise is what differs between two runs of the same.
var noise = regexp.MustCompile(`\d+(\.\d+)? ?m?s\b|0x[0-9a-f]+|goroutine \d+|/tmp/\S+|duration_ms: [\d.]+`)

// compareFailures holds two failures of the unsolved code against each other, the edit
// itself aside.
func compareFailures(was, is string, e alteration.Edit) Blindness {
	if clean(was, e) == clean(is, e) {
		return Blind
	}
	if slices.Equal(places(was, e), places(is, e)) {
		return BlindPlace
	}
	return SeenElsewhere
}

// clean is what a failure says without what differs for no reason, and with one text for
// what the edit changes.
func clean(said string, e alteration.Edit) string {
	said = noise.ReplaceAllString(said, "~")
	for _, text := range []string{e.Old, e.New, literal(e.Old), literal(e.New)} {
		if len(text) > 0 {
			said = strings.ReplaceAll(said, text, "\x00")
		}
	}
	return said
}

// places are the lines of the test's file that a failure names.
func places(said string, e alteration.Edit) []string {
	var lines []string
	for _, m := range place.FindAllString(said, 1000) {
		if strings.HasPrefix(m, path.Base(e.File)+":") {
			lines = append(lines, m)
		}
	}
	return lines
}
