package search

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"

	"assay/internal/alteration"
	"assay/internal/evaluate"
)

// Blindness is what the unsolved code tells of an alteration.
type Blindness string

// What may be known of an alteration. Only a blind one counts against a forger who knows
// what the unsolved code does.
const (
	Blind         Blindness = "blind"           // the unsolved code fails it in the same place, with the same words
	BlindPlace    Blindness = "blind_place"     // in the same place, with other words
	SeenPassing   Blindness = "passes_unsolved" // the unsolved code passes it: whatever passes there is altered
	SeenElsewhere Blindness = "fails_elsewhere" // the unsolved code fails it, and elsewhere than the true test
	SeenKind      Blindness = "fails_otherwise" // the unsolved code fails it in the same place, in another way: another exception or comparison
	SeenTold      Blindness = "in_the_issue"    // in the same place, and the text of the issue says what it changes: who read that sees it
	FailsUntold   Blindness = "fails_untold"    // the unsolved code fails it, and the report does not say how: perhaps otherwise than the true test
	LooksAltered  Blindness = "looks_altered"   // who reads the test sees it
	DecidesNone   Blindness = "decides_nothing" // the unsolved code gets right what it touches: a forgery fails it without solving anything
	SeenKnown     Blindness = "in_old_tests"    // the image's old tests hold the true line
	NotRun        Blindness = "not_run"         // the unsolved code does not build with the tests, or ends before them
	SolvedAlready Blindness = "solved_already"  // the unsolved code passes the true test: there is nothing to forge
	Untried       Blindness = "untried"         // the search ended at its bounds before it was known
	NotSolving    Blindness = "not_solving"     // its tests are not those that are to be solved
)

// untried tells what is known of an edit before the unsolved code is run with it: Untried
// where that will tell more.
func (d *discovery) untried(f *found) Blindness {
	worst := NotSolving
	for _, id := range f.tests {
		if !d.solves[id] {
			continue
		}
		_, ran := d.unsolved.Outcomes[id]
		now := Untried
		switch {
		case f.Known:
			now = SeenKnown
		case f.Conspicuous != "":
			now = LooksAltered
		case !ran:
			now = NotRun
		case d.unsolved.Passed[id]:
			now = SolvedAlready
		case d.decidesNothing(f):
			now = DecidesNone
		}
		if worst == NotSolving || order[now] > order[worst] {
			worst = now
		}
	}
	return worst
}

// blindness tells what the unsolved code makes of an edit, given what it makes of the true
// tests. A test that fails with its subtests tells no more than they do.
func (d *discovery) blindness(f *found, altered *evaluate.Trial) Blindness {
	worst := NotSolving
	own := leaves(f.tests)
	for _, id := range f.tests {
		if !d.solves[id] {
			continue
		}
		now := Blind
		if slices.Contains(own, id) {
			now = d.blindnessIn(id, f, altered)
		} else if slices.ContainsFunc(own, func(leaf string) bool { return isBelow(leaf, id) && !d.solves[leaf] }) {
			now = SeenElsewhere // a subtest that is not to be solved is
		}
		if worst == NotSolving || order[now] > order[worst] {
			worst = now
		}
	}
	return worst
}

func (d *discovery) blindnessIn(id string, f *found, altered *evaluate.Trial) Blindness {
	was, ran := d.unsolved.Outcomes[id]
	is, runs := altered.Outcomes[id]
	switch {
	case f.Known:
		return SeenKnown
	case f.Conspicuous != "":
		return LooksAltered
	case d.unsolved.Passed[id]:
		return SolvedAlready
	case !ran || !runs:
		return NotRun
	case altered.Passed[id]:
		return SeenPassing
	}
	var source []byte
	if src := d.sources[f.File]; src != nil {
		source = src.After
	}
	b := compareFailures(text(was), text(is), f.Edit, source)
	if f.Told && (b == Blind || b == BlindPlace) {
		return SeenTold
	}
	return b
}

// decidesNothing tells whether the unsolved code gets right what an edit touches or, as the
// reference fix says where it fails, what that makes fail.
func (d *discovery) decidesNothing(f *found) bool {
	if d.sources.class(f.Edit) == idle {
		return true
	}
	named := false
	for _, id := range f.tests {
		if !d.solves[id] {
			continue
		}
		lines := linesNamed(f.said[id], f.File)
		for _, p := range d.sources[f.File].parts {
			if p.Row || !slices.ContainsFunc(lines, func(n int) bool { return p.First <= n && n <= p.Last }) {
				continue
			}
			if named = true; p.class != idle {
				return false
			}
		}
	}
	return named
}

var order = map[Blindness]int{
	Untried: 0, Blind: 1, BlindPlace: 2, SeenTold: 3, FailsUntold: 4, SeenKind: 5, SeenElsewhere: 6, SeenPassing: 7, DecidesNone: 8, SolvedAlready: 9, NotRun: 10, LooksAltered: 11, SeenKnown: 12,
}

// noise is what differs between two runs of the same.
var noise = regexp.MustCompile(`\d+(\.\d+)? ?m?s\b|0x[0-9a-f]+|goroutine \d+|/tmp/\S+|duration_ms: [\d.]+`)

// kinds are words that say in what way something failed: which exception, which comparison.
var kinds = regexp.MustCompile(`\b[A-Z]\w*(?:Error|Exception|Failure|Warning)\b|DID NOT RAISE|did not throw|(?m)^\s*panic:|operator: *\w+|(?:\bnot |\bun)?(?:strictly |loosely |deeply |deep-|\w*[Dd]eep|\w*[Ss]trict)*[Ee]qual\b`)

// compareFailures holds two failures of the unsolved code against each other, the edit
// itself aside. Where a failure says which exception is expected, or which way something is
// compared, that is no aside: who passes one kind of failure, that of the issue, tells them
// apart. The lines of the source that runners print with a failure are.
func compareFailures(was, is string, e alteration.Edit, source []byte) Blindness {
	aside := clean
	if e.Kind == alteration.ExceptionEdit || e.Kind == alteration.FlipEdit {
		was, is = unquoted(was, e, source, e.Old), unquoted(is, e, source, e.New)
		aside = func(said string, _ alteration.Edit) string { return noise.ReplaceAllString(said, "~") }
	}
	if was == "" && is == "" {
		return FailsUntold
	}
	was, is, before, now := aside(was, e), aside(is, e), places(was, e), places(is, e)
	switch {
	case was == is:
		return Blind
	case !slices.Equal(before, now):
		return SeenElsewhere
	case e.Kind == alteration.ExceptionEdit, !slices.Equal(kindsOf(was), kindsOf(is)):
		return SeenKind
	}
	return BlindPlace
}

// unquoted is what a failure says without the lines of the source that an edit stands in, given
// what it has in the edit's place. Lines of pytest that begin with E say what happened.
func unquoted(said string, e alteration.Edit, source []byte, text string) string {
	if e.Start > e.End || e.End > len(source) {
		return said
	}
	from, to := bytes.LastIndexByte(source[:e.Start], '\n')+1, len(source)
	if n := bytes.IndexByte(source[e.End:], '\n'); n >= 0 {
		to = e.End + n
	}
	quoted := strings.Split(string(source[from:e.Start])+text+string(source[e.End:to]), "\n")
	var b strings.Builder
	for line := range strings.Lines(said) {
		if bare := strings.TrimSpace(line); strings.HasPrefix(bare, "E ") || !slices.ContainsFunc(quoted, func(q string) bool { return strings.HasSuffix(bare, strings.TrimSpace(q)) }) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// kindsOf are the kinds of what failed, each once.
func kindsOf(said string) []string {
	return slices.Compact(slices.Sorted(slices.Values(kinds.FindAllString(said, -1))))
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
