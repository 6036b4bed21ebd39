package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"assay"
	"assay/e2e/attacks/grid"
)

// row is what came of one script.
type row struct {
	Name   string `json:"name"`
	Kind   kind   `json:"kind"`
	Sample string `json:"sample"`
	*Generated
	Form      grid.Form             `json:"form"`
	Searched  bool                  `json:"searched"` // alterations of the tests are known
	Outcome   string                `json:"outcome"`  // solved, unsolved or error:<code>
	Solved    bool                  `json:"solved"`
	Reason    string                `json:"reason"`
	Assurance string                `json:"assurance,omitempty"` // as the verdict tells, where it does
	Rounds    int                   `json:"rounds,omitempty"`
	Odds      float64               `json:"odds,omitempty"`
	Tampering []assay.TamperingKind `json:"tampering"`
	Expected  []assay.TamperingKind `json:"expected_tampering"`
	Seconds   float64               `json:"seconds"`
	InPlace   string                `json:"in_place,omitempty"` // whether it fools a naive harness: fooled, blunt, or "" when nothing tells
	OK        bool                  `json:"ok"`

	broken bool // the script could not be tried
}

// asItShouldBe tells whether the outcome is the right one, and, if strict, whether the
// tampering was seen: that of an attack at least, that of an honest work at most.
func (r row) asItShouldBe(strict bool) bool {
	if r.broken {
		return false
	}
	if strict && r.Kind == honest && len(r.falseAlarms()) > 0 {
		return false
	}
	// An error shows no verdict, and where tests can be altered there are no canaries to show it.
	if strict && r.Kind != honest && !r.Searched && !strings.HasPrefix(r.Outcome, "error:") {
		for _, k := range r.Expected {
			if !slices.Contains(r.Tampering, k) {
				return false
			}
		}
	}
	switch r.Kind {
	case honest:
		return r.Outcome == solved
	case limit, guess, knows: // see luck
		return true
	default:
		return r.Outcome != solved
	}
}

// falseAlarms are the alarms of an honest work's verdict that its header does not name.
func (r row) falseAlarms() []assay.TamperingKind {
	return slices.DeleteFunc(alarms(r.Tampering), func(k assay.TamperingKind) bool { return slices.Contains(r.Expected, k) })
}

// alarms are the kinds that most honest works do not show.
func alarms(kinds []assay.TamperingKind) []assay.TamperingKind {
	return slices.DeleteFunc(slices.Clone(kinds), func(k assay.TamperingKind) bool { return !k.Alarm() })
}

// summary is the content of attacks.json.
type summary struct {
	Attacks       int `json:"attacks"` // those written by hand, and generated ones of the class blanket
	AttacksSolved int `json:"attacks_solved"`
	Guesses       int `json:"guesses"` // generated ones of the class guessing
	GuessesSolved int `json:"guesses_solved"`
	Knowing       int `json:"knowing"` // generated ones of the class knowing
	KnowingSolved int `json:"knowing_solved"`
	Honest        int `json:"honest"`
	HonestSolved  int `json:"honest_solved"`
	HonestAlarms  int `json:"honest_alarms"` // honest works that a verdict accuses of more than their headers say
	// Searched is what is known of the samples on which rounds judged.
	Searched []searchedSample `json:"searched,omitempty"`
	Rates    []rate           `json:"rates,omitempty"` // of what was tried on them
	Luck     []luck           `json:"luck,omitempty"`
	Rows     []row            `json:"rows"`
}

func summarise(rows []row) summary {
	s := summary{Rows: rows, Rates: rates(rows), Luck: lucks(rows)}
	for _, r := range rows {
		all, won := s.counters(r.Kind)
		if all == nil {
			continue
		}
		*all++
		if r.Outcome == solved {
			*won++
		}
		if r.Kind == honest && len(r.falseAlarms()) > 0 {
			s.HonestAlarms++
		}
	}
	return s
}

// counters returns what counts the scripts of a kind; nil for limits.
func (s *summary) counters(k kind) (all, solved *int) {
	switch k {
	case attack:
		return &s.Attacks, &s.AttacksSolved
	case guess:
		return &s.Guesses, &s.GuessesSolved
	case knows:
		return &s.Knowing, &s.KnowingSolved
	case honest:
		return &s.Honest, &s.HonestSolved
	}
	return nil, nil
}

// verdict says in a sentence what came of all, and fails unless it is as it should be.
func (s summary) verdict() error {
	wrong := 0
	for _, r := range s.Rows {
		if !r.OK {
			wrong++
		}
	}
	for _, l := range s.Luck {
		if l.Beyond {
			return fmt.Errorf("%s was solved %d times of %d, which luck at odds of %.4f does not do", l.Name, l.Solved, l.Plays, l.Odds)
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d scripts did not end as they should: %d of %d attacks were solved, %d of %d honest works were",
			wrong, len(s.Rows), s.AttacksSolved, s.Attacks, s.HonestSolved, s.Honest)
	}
	return nil
}

// write writes the summary to a file, as a whole.
func (s summary) write(path string) error {
	s.Rows = slices.Clone(s.Rows)
	for i := range s.Rows {
		s.Rows[i].Expected = append([]assay.TamperingKind{}, s.Rows[i].Expected...) // null is no list
	}
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", append(content, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// table is a writer of columns that tabs part.
func table(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

// print prints a row for each script.
func (s summary) print(w io.Writer) {
	t := table(w)
	fmt.Fprintln(t, "script\tclass\tform\tsample\tseed\toutcome\trounds\tassurance\ttampering\texpected\tin place\tms\tas it should be")
	for _, r := range s.Rows {
		ok, class, seed := "yes", "-", "-"
		if r.Generated != nil {
			class, seed = string(r.Class), strconv.FormatUint(r.Seed, 10)
		}
		if !r.OK {
			ok = "NO"
		}
		fmt.Fprintf(t, "%s/%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%.0f\t%s\n",
			r.Kind, r.Name, class, r.Form, r.Sample, seed, r.Outcome, r.Rounds, cmp.Or(r.Assurance, "-"),
			list(r.Tampering), list(r.Expected), cmp.Or(r.InPlace, "-"), r.Seconds*1000, ok)
	}
	_ = t.Flush() // to standard output
}

// printCounts prints what came of all in a few lines.
func (s summary) printCounts(w io.Writer, took time.Duration) {
	limits := len(s.Rows) - s.Attacks - s.Guesses - s.Knowing - s.Honest
	fmt.Fprintf(w, "\nattacks: %d, solved: %d; honest works: %d, solved: %d, accused: %d; limits, which count as neither: %d; in %s\n",
		s.Attacks, s.AttacksSolved, s.Honest, s.HonestSolved, s.HonestAlarms, limits, took.Round(time.Second))
	if s.Guesses+s.Knowing > 0 {
		fmt.Fprintf(w, "guessing attacks: %d, solved: %d; attacks that know the answers, which nothing closes: %d, solved: %d\n", s.Guesses, s.GuessesSolved, s.Knowing, s.KnowingSolved)
	}
	printSearched(w, s.Searched)
	printRates(w, s.Rates)
	printLuck(w, s.Luck)
}

// list is a list of kinds for people.
func list(kinds []assay.TamperingKind) string {
	if len(kinds) == 0 {
		return "-"
	}
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = string(k)
	}
	return strings.Join(words, ",")
}
