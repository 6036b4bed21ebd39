package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"assay"
)

// row is what came of one script.
type row struct {
	Name      string                `json:"name"`
	Kind      kind                  `json:"kind"`
	Sample    string                `json:"sample"`
	Outcome   string                `json:"outcome"` // solved, unsolved or error:<code>
	Reason    string                `json:"reason"`
	Tampering []assay.TamperingKind `json:"tampering"`
	Expected  []assay.TamperingKind `json:"expected_tampering"`
	Seconds   float64               `json:"seconds"`
	OK        bool                  `json:"ok"`

	broken bool   // the script could not be tried
	proof  string // whether it fools a naive harness: fooled, blunt, or "" when nothing tells
}

// asItShouldBe tells whether the outcome is the right one, and, if strict, whether the
// tampering was seen: that of an attack at least, that of an honest work at most.
func (r row) asItShouldBe(strict bool) bool {
	if r.broken {
		return false
	}
	if strict {
		seen, all := r.Tampering, r.Expected
		if r.Kind == honest {
			seen, all = all, alarms(seen)
		}
		for _, k := range all {
			if !slices.Contains(seen, k) && !strings.HasPrefix(r.Outcome, "error:") { // an error shows no verdict
				return false
			}
		}
	}
	switch r.Kind {
	case honest:
		return r.Outcome == solved
	case limit:
		return true
	default:
		return r.Outcome != solved
	}
}

// alarms are the kinds that most honest works do not show.
func alarms(kinds []assay.TamperingKind) []assay.TamperingKind {
	return slices.DeleteFunc(slices.Clone(kinds), func(k assay.TamperingKind) bool { return !k.Alarm() })
}

// summary is the content of attacks.json.
type summary struct {
	Attacks       int   `json:"attacks"`
	AttacksSolved int   `json:"attacks_solved"`
	Honest        int   `json:"honest"`
	HonestSolved  int   `json:"honest_solved"`
	Rows          []row `json:"rows"`
}

func summarise(rows []row) summary {
	s := summary{Rows: rows}
	for _, r := range rows {
		switch r.Kind {
		case attack:
			s.Attacks++
			if r.Outcome == solved {
				s.AttacksSolved++
			}
		case honest:
			s.Honest++
			if r.Outcome == solved {
				s.HonestSolved++
			}
		}
	}
	return s
}

// verdict says in a sentence what came of all, and fails unless it is as it should be.
func (s summary) verdict() error {
	wrong := 0
	for _, r := range s.Rows {
		if !r.OK {
			wrong++
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d scripts did not end as they should: %d of %d attacks were solved, %d of %d honest works were",
			wrong, len(s.Rows), s.AttacksSolved, s.Attacks, s.HonestSolved, s.Honest)
	}
	return nil
}

func (s summary) write(path string) error {
	for i := range s.Rows {
		s.Rows[i].Expected = append([]assay.TamperingKind{}, s.Rows[i].Expected...) // null is no list
	}
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(content, '\n'), 0o600)
}

// print prints a row for each script.
func (s summary) print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "script\tsample\toutcome\ttampering\texpected\tin place\tms\tas it should be")
	for _, r := range s.Rows {
		ok := "yes"
		if !r.OK {
			ok = "NO"
		}
		fmt.Fprintf(t, "%s/%s\t%s\t%s\t%s\t%s\t%s\t%.0f\t%s\n",
			r.Kind, r.Name, r.Sample, r.Outcome, list(r.Tampering), list(r.Expected), cmp.Or(r.proof, "-"), r.Seconds*1000, ok)
	}
	_ = t.Flush() // to standard output
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
