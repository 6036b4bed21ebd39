package alteration

import (
	"cmp"
	"fmt"
	"slices"
)

// Apply makes edits in a source. They may be in any order; it is an error if two overlap,
// or if the source does not hold what one replaces. Errors tell nothing of an edit but its file.
func Apply(src []byte, edits ...Edit) ([]byte, error) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	out := make([]byte, 0, len(src)+16*len(edits))
	at := 0
	for _, e := range edits {
		switch {
		case e.Start < 0 || e.End < e.Start || e.End > len(src):
			return nil, fmt.Errorf("edit %s: it is too short for what is to be replaced", e.File)
		case e.Start < at:
			return nil, fmt.Errorf("edit %s: two edits overlap", e.File)
		case string(src[e.Start:e.End]) != e.Old:
			return nil, fmt.Errorf("edit %s: it does not hold what is to be replaced", e.File) // and errors are logged
		}
		out = append(out, src[at:e.Start]...)
		out = append(out, e.New...)
		at = e.End
	}
	return append(out, src[at:]...), nil
}

// Reverse returns the edits that undo edits, for the source that Apply made of them.
func Reverse(edits ...Edit) []Edit {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	shift := 0
	for i := range edits {
		e := &edits[i]
		e.Start += shift
		e.End = e.Start + len(e.New)
		shift += len(e.New) - len(e.Old)
		e.Old, e.New = e.New, e.Old
	}
	return edits
}
