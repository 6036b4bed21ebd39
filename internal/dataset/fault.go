package dataset

import (
	"fmt"
	"strings"
)

// Fault is one thing that is wrong in a dataset folder.
type Fault struct {
	File    string // relative to the folder
	Line    int    // from 1; 0 when the fault is in no line
	Column  int    // in bytes, from 1; 0 when it is not known
	Field   string // such as assay.verifier.reports[0].format; "" for the whole
	Message string
}

func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
		if f.Column > 0 {
			fmt.Fprintf(&b, ":%d", f.Column)
		}
	}
	b.WriteString(": ")
	if f.Field != "" {
		b.WriteString(f.Field + ": ")
	}
	b.WriteString(f.Message)
	return b.String()
}

// maxFaults bounds how many faults of a folder are kept; the rest is counted.
const maxFaults = 200

// FaultsError tells everything that is wrong in a dataset folder.
type FaultsError struct {
	Dir    string
	Faults []Fault // at most 200
	More   int     // faults beyond those
	Advice string  // what can be done, a sentence; "" for none
}

// Error lists the faults, one a line.
func (e *FaultsError) Error() string {
	var b strings.Builder
	n := len(e.Faults) + e.More
	noun := "faults"
	if n == 1 {
		noun = "fault"
	}
	fmt.Fprintf(&b, "read dataset %s: %d %s", e.Dir, n, noun)
	for _, f := range e.Faults {
		b.WriteString("\n  " + f.String())
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\n  and %d more", e.More)
	}
	if e.Advice != "" {
		b.WriteString("\n" + e.Advice)
	}
	return b.String()
}

func (e *FaultsError) add(f Fault) {
	if len(e.Faults) < maxFaults {
		e.Faults = append(e.Faults, f)
	} else {
		e.More++
	}
}

// orNil returns e as an error when it holds any fault.
func (e *FaultsError) orNil() error {
	if len(e.Faults) == 0 {
		return nil
	}
	return e
}
