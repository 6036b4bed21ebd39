package alteration

import (
	"bytes"
	"strings"
)

// Lines are lines of old tests, without the spaces around and between their words.
type Lines map[string]struct{}

// LinesOf reads the lines of sources.
func LinesOf(sources ...[]byte) Lines {
	lines := Lines{}
	lines.Add(sources...)
	return lines
}

// Add adds the lines of more sources.
func (l Lines) Add(sources ...[]byte) {
	for _, src := range sources {
		for line := range bytes.Lines(src) {
			if s := normal(line); s != "" {
				l[s] = struct{}{}
			}
		}
	}
}

// normal is a line as it is compared: a row that is no longer the last gains a comma.
func normal(line []byte) string {
	return strings.TrimRight(strings.Join(strings.Fields(string(line)), " "), ",;")
}

// NotIn marks the edits of a source that change nothing but lines which stand in the old
// tests: who kept those sees what was edited, unless what comes of it stands there as well.
// Both ways of a flip nearly always do, and tell nothing. It changes the edits in their place.
func NotIn(edits []Edit, src []byte, old Lines) {
	if len(old) == 0 {
		return
	}
	begins := []int{0}
	for i, b := range src {
		if b == '\n' {
			begins = append(begins, i+1)
		}
	}
	begins = append(begins, len(src))
	for i := range edits {
		e := &edits[i]
		// A long string may be edited twice: only what changes counts.
		from, to := changed(*e)
		first := lineAt(begins, from)
		e.Known = true
		for n := first; n < len(begins)-1 && (n == first || begins[n] < to); n++ {
			_, known := old[normal(src[begins[n]:begins[n+1]])]
			e.Known = e.Known && known
		}
		e.Known = e.Known && (e.Kind == FlipEdit || !old.hold(src, begins, *e, first, to))
	}
}

// hold tells whether all that an edit makes of the lines from one on, to that of an offset,
// are old lines.
func (l Lines) hold(src []byte, begins []int, e Edit, first, to int) bool {
	from := begins[first]
	start, fresh := e.Start, e.New
	if start < from { // the lines before are as they were
		start, fresh = from, e.New[from-e.Start:]
	}
	last := lineAt(begins, max(to-1, from))
	end := begins[min(last+1, len(begins)-1)]
	tail := ""
	if e.End < end {
		tail = string(src[e.End:end])
	} else if cut := e.End - end; cut < len(fresh) {
		fresh = fresh[:len(fresh)-cut]
	}
	text := string(src[from:start]) + fresh + tail
	for line := range strings.Lines(text) {
		if s := normal([]byte(line)); s != "" {
			if _, known := l[s]; !known {
				return false
			}
		}
	}
	return true
}

// changed returns the offsets of the bytes of a source that an edit changes.
func changed(e Edit) (from, to int) {
	from, to = firstChange(e), e.End
	for n := 1; to > from+1 && n <= len(e.New) && e.Old[len(e.Old)-n] == e.New[len(e.New)-n]; n++ {
		to--
	}
	return from, to
}

// lineAt returns the number of the line of an offset, from 0.
func lineAt(begins []int, offset int) int {
	lo, hi := 0, len(begins)
	for lo < hi {
		if mid := (lo + hi) / 2; begins[mid] <= offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return max(0, lo-1)
}
