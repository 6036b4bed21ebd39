package e2e_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/client/wire"
	"assay/e2e/harness"
)

// validation is what assay dataset validate --json prints, as far as it is held to.
type validation struct {
	Resumed    bool `json:"resumed"`
	RunsStored int  `json:"runs_stored"`
	RunsMade   int  `json:"runs_made"`
	Flaky      int  `json:"flaky_samples"`
	Samples    []struct {
		SampleID  string   `json:"sample_id"`
		Valid     bool     `json:"valid"`
		Reasons   []string `json:"reasons"`
		Empty     outcomes `json:"empty"`
		Reference outcomes `json:"reference"`
		Flakes    []struct {
			Test        string  `json:"test"`
			Runs        int     `json:"runs"`
			Passed      int     `json:"passed"`
			Failed      int     `json:"failed"`
			FlakeRate   float64 `json:"flake_rate"`
			Quarantined bool    `json:"quarantined"`
		} `json:"flaky_tests"`
	} `json:"samples"`
}

type outcomes struct{ Runs, Solved, Unsolved, Errors int }

// validate validates, and holds the exit status to whether all samples are valid.
func validate(t *testing.T, p harness.Program, valid bool, args ...string) validation {
	t.Helper()
	out, err := p.Run(t.Context(), append([]string{"dataset", "validate", "--json"}, args...)...)
	if (err == nil) != valid {
		t.Fatalf("%v\n%s", err, out)
	}
	var got validation
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// A validation that is killed in the middle leaves the runs that ended, and the same
// command makes the others.
func TestAKilledValidationGoesOn(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	args := []string{"starter", "--runs", "2", "--workers", "1"}

	first := p.Command(t.Context(), append([]string{"dataset", "validate"}, args...)...)
	stderr, err := first.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), semver+"  empty 1  unsolved") {
		t.Logf("it said %q", lines.Text())
	}
	if err := first.Process.Kill(); err != nil { // while the second run is under way
		t.Fatal(err)
	}
	if err := first.Wait(); err == nil {
		t.Fatal("it ended before it was killed")
	}

	got := validate(t, p, true, args...)
	if !got.Resumed || got.RunsStored < 1 || got.RunsMade < 1 || got.RunsStored+got.RunsMade != 4 {
		t.Errorf("%+v, want 4 runs in all, of which some were stored", got)
	}
	s := got.Samples[0]
	if len(got.Samples) != 1 || !s.Valid || s.Empty != (outcomes{Runs: 2, Unsolved: 2}) || s.Reference != (outcomes{Runs: 2, Solved: 2}) || len(s.Flakes) > 0 {
		t.Errorf("%+v", got.Samples)
	}
	if again := validate(t, p, true, args...); again.RunsMade != 0 || again.RunsStored != 4 {
		t.Errorf("once more: %+v", again)
	}
	if err := nothingLeft(p); err != nil {
		t.Error(err)
	}

	srv := start(t, p)
	for _, d := range must[[]wire.Dataset](t, newCaller(t, p, srv).call(t, "GET", "/datasets", nil), 200) {
		validated := d.ValidatedAt != nil && d.GoldPassRate != nil && *d.GoldPassRate == 1 && d.FlakySamples != nil && *d.FlakySamples == 0
		if validated != (d.Name == "starter") {
			t.Errorf("dataset %s: validated at %v", d.Name, d.ValidatedAt)
		}
	}
}

// smallDataset writes a dataset whose suites run in the image of the other tests, and returns
// its folder.
func smallDataset(t *testing.T, name, language, command, rows string) string {
	t.Helper()
	folder := t.TempDir()
	manifest := `schema: 1
name: ` + name + `
defaults:
  image: assay-starter/masterminds_semver-3.3.1:latest
  workdir: /testbed
  language: ` + language + `
  resources: {cpus: 1, memory_mb: 512, pids: 128, disk_mb: 256}
  verifier:
    exit_code: ignored
    timeout_seconds: 60
    reports: [{path: "{reports}/report.xml", format: junit-xml}]
    command: |` + command
	for name, text := range map[string]string{"dataset.yaml": manifest, "samples.jsonl": rows} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// A sample with a test that is a coin.
const (
	coinCommand = `
      grep -qx yes answer || wrong='<failure message="the answer is not yes"/>'
      [ $((RANDOM % 2)) = 0 ] || tails='<failure message="tails"/>'
      echo "<testsuite name='check'><testcase classname='check' name='answer'>$wrong</testcase>
        <testcase classname='check' name='coin'>$tails</testcase></testsuite>" > "$ASSAY_REPORTS/report.xml"
`
	coinSamples = `{"instance_id": "coin", "problem_statement": "Write yes into the file answer.", "created_at": "2024-05-01T12:00:00Z",` +
		`"patch": "diff --git a/answer b/answer\nnew file mode 100644\n--- /dev/null\n+++ b/answer\n@@ -0,0 +1,1 @@\n+yes\n",` +
		`"FAIL_TO_PASS": ["check::answer"], "PASS_TO_PASS": ["check::coin"]}`
)

// What flakes is found, and quarantined on the operator's word alone, in a new version
// that imports keep.
func TestACoinIsQuarantinedOnTheOperatorsWord(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	folder := smallDataset(t, "coin", "bash", coinCommand, coinSamples)
	run := func(want string, args ...string) {
		t.Helper()
		out, err := p.Run(t.Context(), append([]string{"dataset"}, args...)...)
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: want %q, got %v\n%s", strings.Join(args, " "), want, err, out)
		}
	}
	run("1 added", "import", folder)

	// All 24 runs of a tree see the same once in 8 million validations.
	const runs = "24"
	v := validate(t, p, false, "coin", "--runs", runs, "--workers", "4")
	flakes := v.Samples[0].Flakes
	if v.RunsMade != 48 || len(flakes) != 2 || v.Flaky != 1 {
		t.Fatalf("%+v", v)
	}
	for _, f := range flakes {
		if f.Test != "check::coin" || f.Runs != 24 || f.Passed+f.Failed != 24 || f.FlakeRate != float64(min(f.Passed, f.Failed))/24 || f.Quarantined {
			t.Errorf("%+v", f)
		}
	}
	run("nothing", "quarantine", "coin")
	run("coin: version 2 has 1 tests in quarantine: check::coin", "quarantine", "coin", "--from-validation")
	run("0 changed, 1 unchanged", "import", folder)
	run("coin: version 2", "quarantine", "coin")

	out, err := p.Run(t.Context(), "dataset", "list", "--json")
	if err != nil || strings.Contains(string(out), `"flaky_samples": 1`) {
		t.Errorf("the version before is still told of: %v\n%s", err, out)
	}
	run("version 3 has 0 tests in quarantine", "quarantine", "coin", "--sample", "coin", "--remove")
}
