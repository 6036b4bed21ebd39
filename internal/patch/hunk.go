package patch

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
)

// maxSearch bounds the lines that are compared to find the hunks of one file that
// do not stand where they say.
const maxSearch = 100_000_000

// applyHunks applies text hunks in order. The library's own applier knows exact
// positions only, while patches are written against files that have moved on.
func applyHunks(hunks []*gitdiff.TextFragment, content []byte) ([]byte, error) {
	if len(hunks) == 0 {
		return content, nil
	}
	t := &text{lines: splitLines(content), searchable: maxSearch}
	for i, hunk := range hunks {
		if err := t.apply(hunk); err != nil {
			return nil, fmt.Errorf("hunk %d of %d, for line %d: %w", i+1, len(hunks), hunk.OldPosition, err)
		}
	}
	if err := t.write(t.lines[t.next:]...); err != nil {
		return nil, fmt.Errorf("after hunk %d of %d: %w", len(hunks), len(hunks), err)
	}
	return t.out.Bytes(), nil
}

// text is a file on its way from old to new.
type text struct {
	lines      []string // before
	next       int      // the first of them that is not done
	out        bytes.Buffer
	searchable int // lines
}

func (t *text) apply(hunk *gitdiff.TextFragment) error {
	old := oldLines(hunk)
	at, err := t.find(hunk, old)
	if err != nil {
		return err
	}
	if err := t.write(t.lines[t.next:at]...); err != nil {
		return err
	}
	for _, line := range hunk.Lines {
		if line.New() {
			if err := t.write(line.Line); err != nil {
				return err
			}
		}
	}
	t.next = at + len(old)
	return nil
}

// write appends lines. Only the last line of a file may lack its newline.
func (t *text) write(lines ...string) error {
	for _, line := range lines {
		if done := t.out.Bytes(); len(done) > 0 && done[len(done)-1] != '\n' {
			return errors.New("a line without a newline would come before another line")
		}
		if t.out.Len()+len(line) > MaxFile {
			return fmt.Errorf("the file would have more than %d bytes", MaxFile)
		}
		t.out.WriteString(line)
	}
	return nil
}

// find returns the index of the line that a hunk starts at. The rules are those of
// find_pos and apply_one_fragment in git's apply.c, except that git takes the
// nearest of several places that match, and here none is taken.
func (t *text) find(hunk *gitdiff.TextFragment, old []string) (int, error) {
	last := len(t.lines) - len(old)
	if last < t.next {
		return 0, fmt.Errorf("it needs %d lines, and %d are left in the file", len(old), len(t.lines)-t.next)
	}
	atBegin, atEnd := hunk.OldPosition <= 1, hunk.TrailingContext == 0
	want := int(min(max(hunk.OldPosition-1, 0), int64(last)))
	switch {
	case atBegin:
		want = 0
	case atEnd:
		want = last
	}
	exact := want >= t.next && (!atEnd || want == last) && matches(old, t.lines[want:])
	switch {
	case exact:
		return want, nil
	case atBegin || atEnd:
		return 0, mismatch(old, t.lines, want)
	}
	return t.search(old, want)
}

// search returns the only place where the lines of a hunk are found, with the
// algorithm of Knuth, Morris and Pratt.
func (t *text) search(old []string, want int) (int, error) {
	t.searchable -= len(t.lines) - t.next + len(old)
	if t.searchable < 0 {
		return 0, errors.New("too many hunks do not stand where they say")
	}
	fallback, found, matched := fallbacks(old), -1, 0
	for at := t.next; at < len(t.lines); at++ {
		for matched > 0 && (matched == len(old) || t.lines[at] != old[matched]) {
			matched = fallback[matched-1]
		}
		if t.lines[at] == old[matched] {
			matched++
		}
		if matched < len(old) {
			continue
		}
		start := at - len(old) + 1
		if found >= 0 {
			return 0, fmt.Errorf("it does not match there, but at lines %d and %d: which of them is meant is not clear", found+1, start+1)
		}
		found = start
	}
	if found < 0 {
		return 0, mismatch(old, t.lines, want)
	}
	return found, nil
}

// fallbacks returns for each prefix of lines the length of the longest prefix that
// is also its end.
func fallbacks(lines []string) []int {
	table := make([]int, len(lines))
	for i, n := 1, 0; i < len(lines); i++ {
		for n > 0 && lines[i] != lines[n] {
			n = table[n-1]
		}
		if lines[i] == lines[n] {
			n++
		}
		table[i] = n
	}
	return table
}

// mismatch says where a hunk and the file differ first.
func mismatch(old, lines []string, want int) error {
	for i, line := range old {
		if want+i >= len(lines) {
			return fmt.Errorf("it does not match: the file has %d lines", len(lines))
		}
		if lines[want+i] != line {
			return fmt.Errorf("it does not match: line %d is %q, the patch has %q", want+i+1, clipLine(lines[want+i]), clipLine(line))
		}
	}
	return fmt.Errorf("it does not match: it must stand at the beginning or the end of the file, which has %d lines", len(lines))
}

func clipLine(s string) string {
	const most = 120
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

func matches(old, lines []string) bool {
	return len(lines) >= len(old) && slices.Equal(old, lines[:len(old)])
}

func oldLines(hunk *gitdiff.TextFragment) []string {
	old := make([]string, 0, len(hunk.Lines))
	for _, line := range hunk.Lines {
		if line.Old() {
			old = append(old, line.Line)
		}
	}
	return old
}

// splitLines cuts a text after each newline.
func splitLines(content []byte) []string {
	lines := make([]string, 0, bytes.Count(content, []byte{'\n'})+1)
	for line := range strings.Lines(string(content)) {
		lines = append(lines, line)
	}
	return lines
}
