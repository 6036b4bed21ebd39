package testreport

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what the parsers say into the .want files of the corpus")

// TestCorpus reads testdata/FORMAT/CASE.* and compares what was understood with
// CASE.want. A new case is a new file: run with -update, review what it wrote, and
// say in a line that begins with # where the report comes from.
func TestCorpus(t *testing.T) {
	for _, name := range corpus(t) {
		t.Run(strings.TrimPrefix(name, "testdata/"), func(t *testing.T) {
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			report, parseErr := Parse(formatOf(t, name), strings.NewReader(string(content)), Limits{})
			got := describe(report, parseErr)
			want := readWant(t, name)
			if *update {
				if err := os.WriteFile(wantFile(name), []byte(comments(want)+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.TrimPrefix(want, comments(want)), got); diff != "" {
				t.Errorf("understood differently (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCorpusSaysWhereItComesFrom(t *testing.T) {
	for _, name := range corpus(t) {
		if comments(readWant(t, name)) == "" {
			t.Errorf("%s does not begin with a line of provenance", wantFile(name))
		}
	}
}

func corpus(t testing.TB) []string {
	var cases []string
	for _, format := range Formats() {
		names, err := filepath.Glob("testdata/" + string(format) + "/*.*")
		if err != nil {
			t.Fatal(err)
		}
		before := len(cases)
		for _, name := range names {
			if filepath.Ext(name) != ".want" {
				cases = append(cases, name)
			}
		}
		if len(cases)-before < 3 {
			t.Fatalf("the corpus of %s has %d cases: is it whole?", format, len(cases)-before)
		}
	}
	return cases
}

func formatOf(t testing.TB, name string) Format {
	format, err := ParseFormat(filepath.Base(filepath.Dir(name)))
	if err != nil {
		t.Fatal(err)
	}
	return format
}

func wantFile(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) + ".want" }

func readWant(t *testing.T, name string) string {
	want, err := os.ReadFile(wantFile(name))
	if err != nil && (!*update || !errors.Is(err, os.ErrNotExist)) {
		t.Fatal(err)
	}
	return string(want)
}

// comments returns the lines at the beginning of s that begin with #.
func comments(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(line, "#") {
			break
		}
		b.WriteString(line)
	}
	return b.String()
}

// describe writes a report down, a fact a line.
func describe(r *Report, err error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "complete %v\n", r.Complete)
	if err != nil {
		fmt.Fprintf(&b, "error %s\n", plain(err.Error()))
	}
	if a := r.Announced; a != nil {
		fmt.Fprintf(&b, "announced tests=%d skipped=%d failed=%d errored=%d\n", a.Tests, a.Skipped, a.Failed, a.Errored)
	}
	if r.Reward != nil {
		fmt.Fprintf(&b, "reward %v\n", *r.Reward)
	}
	if r.Solved != nil {
		fmt.Fprintf(&b, "solved %v because %s\n", *r.Solved, plain(r.Reason))
	}
	if r.Noise > 0 {
		fmt.Fprintf(&b, "noise %d\n", r.Noise)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "problem %s\n", plain(p))
	}
	seen := map[string]bool{}
	for _, res := range r.Results {
		fmt.Fprintf(&b, "%s %s\n", res.Status, plain(res.ID))
		if res.Message != "" {
			fmt.Fprintf(&b, "    because %s\n", plain(res.Message))
		}
		if status, _ := r.Lookup(res.ID); status != res.Status && !seen[res.ID] {
			seen[res.ID] = true
			fmt.Fprintf(&b, "    in all %s\n", status)
		}
	}
	return b.String()
}

// plain quotes s if it would not be read back from its line as it is.
func plain(s string) string {
	quoted := strconv.QuoteToGraphic(s)
	if s == strings.TrimSpace(s) && !strings.HasPrefix(s, `"`) && quoted == `"`+strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), `"`, `\"`)+`"` {
		return s
	}
	return quoted
}
