package e2e_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to look into a database behind the program's back

	"assay/e2e/harness"
)

// searched is what assay dataset alterations --json prints of a sample.
type searched struct {
	SampleID string `json:"sample_id"`
	Error    string `json:"error"`
	Tests    int    `json:"tests"`
	Altered  int    `json:"altered"`
	Blind    int    `json:"blind"`
	Fresh    int    `json:"fresh"`
	Draws    int    `json:"draws"`
	Odds     struct {
		Three float64 `json:"3"`
	} `json:"odds"`
	Runs        int  `json:"runs"`
	Spent       bool `json:"spent"`
	Stored      bool `json:"stored"`
	FreshSought bool `json:"fresh_searched"`
	Alterations int  `json:"alterations"`
	Found       *struct {
		Alterations []struct {
			Edit      struct{ Old, New string }
			Tests     []string `json:"tests"`
			Blindness string   `json:"blindness"`
			Seen      int      `json:"seen"`
		} `json:"alterations"`
	} `json:"found"`
}

// alterations searches, and returns what was told on either stream.
func alterations(t *testing.T, p harness.Program, args ...string) (found []searched, stdout, stderr string) {
	t.Helper()
	var out, said bytes.Buffer
	cmd := p.Command(t.Context(), append([]string{"dataset", "alterations", "--json"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	if err := json.Unmarshal(out.Bytes(), &found); err != nil {
		t.Fatal(err)
	}
	return found, out.String(), said.String()
}

// A sample whose suite costs nothing: bash reads what looks like Python.
const (
	wordsCommand = `
      is='^    assert shout\("(.*)"\) (==|!=) "(.*)"$'
      while IFS= read -r line; do
        [[ $line =~ ^def\ (test_[a-z]+) ]] && name=${BASH_REMATCH[1]}
        [[ $line =~ $is ]] || continue
        got=${BASH_REMATCH[1]} op=${BASH_REMATCH[2]} want=${BASH_REMATCH[3]}
        ! grep -qx loud words.txt || got=${got^^}
        echo "<testcase classname='tests.test_words' name='$name'>"
        if [[ $got == "$want" && $op == '!=' || $got != "$want" && $op == '==' ]]; then
          echo "<failure message=\"AssertionError: assert '$got' $op '$want'\"/>"
        fi
        echo "</testcase>"
      done < tests/test_words.py > /tmp/cases
      echo "<testsuite name='words'>$(cat /tmp/cases)</testsuite>" > "$ASSAY_REPORTS/report.xml"
`
	wordsTests = `def test_one():
    assert shout("parcel bridge") == "PARCEL BRIDGE"


def test_two():
    assert shout("lantern meadow") == "LANTERN MEADOW"
`
)

// newFile is a patch that makes a file.
func newFile(name, text string) string {
	patch := fmt.Sprintf("diff --git a/%[1]s b/%[1]s\nnew file mode 100644\n--- /dev/null\n+++ b/%[1]s\n@@ -0,0 +1,%[2]d @@\n", name, strings.Count(text, "\n"))
	for line := range strings.Lines(text) {
		patch += "+" + line
	}
	return patch
}

// wordsProgram is ownProgram with that dataset.
func wordsProgram(t *testing.T) harness.Program {
	t.Helper()
	p := ownProgram(t)
	row, err := json.Marshal(map[string]any{
		"instance_id": "words", "problem_statement": "Words are not loud.", "created_at": "2024-05-01T12:00:00Z",
		"patch": newFile("words.txt", "loud\n"), "test_patch": newFile("tests/test_words.py", wordsTests),
		"FAIL_TO_PASS": []string{"tests.test_words::test_one", "tests.test_words::test_two"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(t.Context(), "dataset", "import", smallDataset(t, "words", "python", wordsCommand, string(row)+"\n")); err != nil {
		t.Fatal(err)
	}
	return p
}

// Blind alterations are found, stored where nobody reads them, and told only to who asks
// for them.
func TestAlterations(t *testing.T) {
	t.Parallel()
	p := wordsProgram(t)
	found, out, said := alterations(t, p, "words", "--fresh")
	if len(found) != 1 {
		t.Fatalf("%s", out)
	}
	first := found[0]
	if first.SampleID != "words" || first.Tests != 2 || first.Blind != 2 || first.Altered != 2 || first.Fresh != 2 || first.Draws != 2 ||
		first.Odds.Three > 0.15 || first.Runs > 150 || first.Alterations < 2 || first.Found != nil {
		t.Errorf("%s", out)
	}
	if !strings.Contains(said, "words  2 of 2 tests altered, 2 blind") {
		t.Errorf("it said %q", said)
	}

	again, _, said := alterations(t, p, "words", "--reveal")
	if !strings.Contains(said, "words  was searched before") || again[0].Runs != first.Runs || again[0].Found == nil {
		t.Fatalf("it said %q, and %+v", said, again)
	}
	database, err := os.ReadFile(filepath.Join(p.DataDir, "assay.db-wal"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	main, err := os.ReadFile(filepath.Join(p.DataDir, "assay.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range again[0].Found.Alterations {
		if a.Seen < 2 || len(a.Tests) == 0 || a.Blindness == "" {
			t.Errorf("%+v", a)
		}
		if edit := strings.Trim(a.Edit.New, `"`); len(edit) > 4 && (strings.Contains(out, edit) || bytes.Contains(append(database, main...), []byte(edit))) {
			t.Errorf("%q was told or stored", a.Edit.New)
		}
	}
	key, err := os.Stat(filepath.Join(p.DataDir, "alterations.key"))
	if err != nil || key.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v, %v", key, err)
	}
	if err := nothingLeft(p); err != nil {
		t.Error(err)
	}
}

// trials are what is kept of searches that are under way, by their names.
func trials(t *testing.T, p harness.Program) map[string]string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.DataDir, "assay.db")+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), "SELECT trial, sealed FROM alteration_trials")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	kept := make(map[string]string)
	for rows.Next() {
		var name string
		var sealed []byte
		if err := rows.Scan(&name, &sealed); err != nil {
			t.Fatal(err)
		}
		kept[name] = string(sealed)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return kept
}

// killAfter searches until so many trials are kept, and kills the search.
func killAfter(t *testing.T, p harness.Program, most int) map[string]string {
	t.Helper()
	cmd := p.Command(t.Context(), "dataset", "alterations", "words")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); len(trials(t, p)) < most && time.Now().Before(deadline); {
		pause(20 * time.Millisecond)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("it ended before it was killed")
	}
	kept := trials(t, p)
	if len(kept) < most {
		t.Fatalf("%d trials are kept", len(kept))
	}
	return kept
}

// A search that is killed, and killed again, goes on with the trials that it made.
func TestAKilledSearchGoesOn(t *testing.T) {
	t.Parallel()
	p := wordsProgram(t)
	first := killAfter(t, p, 4) // and the seed among them
	second := killAfter(t, p, len(first)+3)
	for name, sealed := range first {
		if second[name] != sealed {
			t.Errorf("trial %s was made again", name)
		}
	}
	found, out, said := alterations(t, p, "words")
	if len(found) != 1 || found[0].Error != "" || found[0].Blind != 2 || found[0].Draws != 2 || found[0].Runs < len(second)-1 {
		t.Errorf("%s", out)
	}
	if strings.Contains(said, "before") {
		t.Errorf("it said %q", said)
	}
	if left := trials(t, p); len(left) > 0 {
		t.Errorf("trials of a search that has ended: %q", slices.Collect(maps.Keys(left)))
	}
	if _, _, said := alterations(t, p, "words"); !strings.Contains(said, "words  was searched before") {
		t.Errorf("it said %q", said)
	}

	// A sample that is not there ends no other's search.
	text, err := p.Run(t.Context(), "dataset", "alterations", "words", "--json", "--sample", "gone,words")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(err.Error(), "1 of 2 samples could not be searched") {
		t.Errorf("with a sample that is not there: %v", err)
	}
	var both []searched
	if err := json.Unmarshal(text, &both); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(both, func(a, b searched) int { return strings.Compare(a.SampleID, b.SampleID) })
	if len(both) != 2 || !strings.Contains(both[0].Error, "gone") || both[1].Error != "" || both[1].Blind != 2 {
		t.Errorf("with a sample that is not there: %s", text)
	}
	if err := nothingLeft(p); err != nil {
		t.Error(err)
	}
}

// A search that ended at its bounds is told as such, goes on with larger ones, and looks for
// fresh truths when that is asked for later.
func TestASpentSearchGoesOn(t *testing.T) {
	t.Parallel()
	p := wordsProgram(t)
	few, out, said := alterations(t, p, "words", "--max-runs", "8")
	if !few[0].Spent || few[0].Stored || few[0].Runs > 8 || !strings.Contains(said, "ended at its bounds") {
		t.Fatalf("it said %q: %s", said, out)
	}
	first := trials(t, p)
	again, _, said := alterations(t, p, "words", "--max-runs", "8")
	if !again[0].Stored || !again[0].Spent || !strings.Contains(said, "a larger --max-runs") {
		t.Errorf("the same again: it said %q: %+v", said, again)
	}
	text, err := p.Run(t.Context(), "dataset", "alterations", "words", "--max-runs", "8")
	if err != nil || !regexp.MustCompile(`(?m)SPENT\s*\nwords .* yes\s*$`).Match(text) {
		t.Errorf("%v: the table is\n%s", err, text)
	}
	if kept := trials(t, p); !maps.Equal(first, kept) {
		t.Errorf("%d trials are kept, then %d", len(first), len(kept))
	}
	all, out, said := alterations(t, p, "words")
	if all[0].Stored || all[0].Spent || all[0].Blind != 2 || all[0].Blind < few[0].Blind || all[0].FreshSought {
		t.Errorf("with more runs: it said %q: %s", said, out)
	}
	fresh, out, said := alterations(t, p, "words", "--fresh")
	if fresh[0].Stored || !fresh[0].FreshSought || fresh[0].Fresh != 2 || fresh[0].Blind != 2 {
		t.Errorf("with fresh truths: it said %q: %s", said, out)
	}
	if !strings.Contains(said, "words  run 25 of at most 150") {
		t.Errorf("it said %q", said)
	}
	if poorer, _, _ := alterations(t, p, "words", "--max-runs", "4"); !poorer[0].Stored || poorer[0].Blind != 2 {
		t.Errorf("with fewer runs: %+v", poorer)
	}
	if left := trials(t, p); len(left) > 0 {
		t.Errorf("%d trials of a search that has ended", len(left))
	}
}

// An interrupt says what is kept, and what is kept is not made again.
func TestAnInterruptedSearchSaysWhatIsKept(t *testing.T) {
	t.Parallel()
	p := wordsProgram(t)
	var out, said bytes.Buffer
	cmd := p.Command(t.Context(), "dataset", "alterations", "words", "--json")
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); len(trials(t, p)) < 4 && time.Now().Before(deadline); {
		pause(20 * time.Millisecond)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("it ended with %v", err)
	}
	kept := trials(t, p)
	want := fmt.Sprintf("assay: interrupted: 0 of 1 samples are done and stored, and the %d runs of those under way are kept; the same command goes on there\n", len(kept)-1)
	if !strings.HasSuffix(said.String(), "\n"+want) || out.Len() > 0 {
		t.Errorf("it said %q, want %q, and printed %q", said.String(), want, out.String())
	}
	found, _, _ := alterations(t, p, "words")
	if found[0].Blind != 2 || found[0].Stored {
		t.Errorf("then: %+v", found)
	}
	if err := nothingLeft(p); err != nil {
		t.Error(err)
	}
}

// Without its key, what is stored is searched again, and nothing else is in the way.
func TestALostAlterationsKey(t *testing.T) {
	t.Parallel()
	p := wordsProgram(t)
	alterations(t, p, "words")
	if err := os.Remove(filepath.Join(p.DataDir, "alterations.key")); err != nil {
		t.Fatal(err)
	}
	found, out, said := alterations(t, p, "words")
	if found[0].Stored || found[0].Blind != 2 || strings.Count(said, "alterations.key") < 1 || strings.Count(said, "level=WARN") != 1 {
		t.Errorf("it said %q: %s", said, out)
	}
	if again, _, said := alterations(t, p, "words"); !again[0].Stored || strings.Contains(said, "alterations.key") {
		t.Errorf("it said %q: %+v", said, again)
	}
}
