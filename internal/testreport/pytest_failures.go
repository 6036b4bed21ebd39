package testreport

import (
	"regexp"
	"strings"
)

// What failed how stands before the summary, in sections of their own: a block for each test,
// which begins with the test's name without its file ("____ TestA.test_b[1] ____"), and
// whose last line names the place (summary_failures and summary_errors in
// _pytest/terminal.py). It is for people, and for who compares failures: no outcome is read of it.

var (
	pytestFailing = regexp.MustCompile(`^=+ (?:FAILURES|ERRORS) =+$`)
	pytestTitle   = regexp.MustCompile(`^=+ .+ =+$`)
	pytestHeading = regexp.MustCompile(`^_{2,} (?:ERROR at (?:setup|teardown) of )?(.+) _{2,}$`)
)

// maxFailures bounds the blocks that are kept.
const maxFailures = 10_000

// pytestFailures collects the blocks by their headings.
type pytestFailures struct {
	limit  int // bytes of a block
	within bool
	block  *excerpt
	blocks map[string][]*excerpt
	kept   int
}

func (f *pytestFailures) line(line string) {
	switch {
	case pytestFailing.MatchString(line):
		f.within, f.block = true, nil
		return
	case pytestTitle.MatchString(line):
		f.within, f.block = false, nil
		return
	case !f.within:
		return
	}
	if m := pytestHeading.FindStringSubmatch(line); m != nil {
		if f.block = nil; f.kept < maxFailures {
			if f.blocks == nil {
				f.blocks = map[string][]*excerpt{}
			}
			f.block = &excerpt{limit: f.limit}
			f.blocks[m[1]] = append(f.blocks[m[1]], f.block)
			f.kept++
		}
		return
	}
	if f.block != nil {
		f.block.add(line + "\n")
	}
}

// of returns the block of a test; "" where there is none, or where several may be it.
func (f *pytestFailures) of(id string) string {
	file, name, ok := strings.Cut(id, "::")
	if !ok {
		return ""
	}
	found := ""
	blocks := f.blocks[strings.ReplaceAll(name, "::", ".")]
	for _, b := range blocks {
		text := strings.TrimSpace(b.String())
		if len(blocks) > 1 && !strings.Contains(text, file+":") {
			continue
		}
		if found != "" {
			return ""
		}
		found = text
	}
	return found
}
