package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"assay/datasets/starter"
)

// States of the work tree that tests are run in. Each is the one before it and one
// patch more.
var states = []struct {
	name    string
	patches []string // files in /patches
}{
	{"base", nil},
	{"before", []string{"test.patch"}},
	{"after", []string{"test.patch", "code.patch"}},
}

// recordRuns is how often each state runs when lists are recorded: enough to see
// most of the flaky tests.
const recordRuns = 3

// verify runs the tests in the image and compares what comes out with what the
// recipe recorded, or records it. It returns the seconds of one run after the fix.
func (b *builder) verify(ctx context.Context, r starter.Recipe, p patches, commit, dir string) (float64, error) {
	fresh := starter.Recorded{
		PatchSHA256:     hexSum([]byte(p.code)),
		TestPatchSHA256: hexSum([]byte(p.test)),
		BaseCommit:      commit,
		Flaky:           r.Recorded.Flaky,
	}
	runs := 1
	if b.opts.record != "" {
		runs = recordRuns
	}
	b.say("run the tests in %d states, %d times each", len(states), runs)
	results := map[string][]starter.Outcomes{}
	var seconds float64
	for i := range runs {
		for _, state := range states {
			began := time.Now()
			outcomes, err := b.runTests(ctx, r, p, state.patches, filepath.Join(dir, fmt.Sprint(state.name, i)))
			if err != nil {
				return 0, fmt.Errorf("run the tests in state %q: %w", state.name, err)
			}
			seconds = time.Since(began).Seconds()
			results[state.name] = append(results[state.name], outcomes)
		}
	}
	if b.opts.record != "" {
		fresh.Flaky = append(fresh.Flaky, starter.Unstable(results["before"])...)
		fresh.Flaky = append(fresh.Flaky, starter.Unstable(results["after"])...)
	}
	fresh.Flaky = sortedSet(fresh.Flaky)
	fresh.Lists = starter.Compare(results["before"][0], results["after"][0], fresh.Flaky)
	if b.opts.record != "" {
		return seconds, record(b.opts.record, r.InstanceID, fresh)
	}
	return seconds, agree(r.Recorded, fresh, results["base"][0])
}

// agree fails, with what differs, unless a fresh build is what was recorded.
func agree(recorded, fresh starter.Recorded, base starter.Outcomes) error {
	var wrong strings.Builder
	for _, sum := range []struct{ name, recorded, fresh string }{
		{"patch_sha256", recorded.PatchSHA256, fresh.PatchSHA256},
		{"test_patch_sha256", recorded.TestPatchSHA256, fresh.TestPatchSHA256},
		{"base_commit", recorded.BaseCommit, fresh.BaseCommit},
	} {
		if sum.recorded != sum.fresh {
			fmt.Fprintf(&wrong, "- %s %s\n+ %s %s\n", sum.name, sum.recorded, sum.name, sum.fresh)
		}
	}
	wrong.WriteString(recorded.Diff(fresh.Lists))
	if len(recorded.FailToPass) == 0 {
		wrong.WriteString("fail_to_pass is empty: nothing tells a fix\n")
	}
	if len(base) == 0 {
		wrong.WriteString("no test is reported in the work tree as it is\n")
	}
	if wrong.Len() > 0 {
		return fmt.Errorf("a fresh run differs from what is recorded (-recorded +fresh):\n%s", wrong.String())
	}
	return nil
}

// record writes ID.tests.json into the recipes directory.
func record(dir, id string, fresh starter.Recorded) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(fresh); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, id+".tests.json"), text.Bytes())
}

// testScript applies the patches that it is given and runs the verifier. Its own
// failures are told from the verifier's by the file that holds the latter's status.
const testScript = `set -eu
cd /testbed
for patch in %s; do git apply --whitespace=nowarn "/patches/$patch"; done
status=0
bash -c "$VERIFIER" || status=$?
echo "$status" > /patches/status`

// runTests runs the verifier in a fresh container with patches applied, and reads
// its reports. That a report is missing or a test fails is no error of the run.
func (b *builder) runTests(ctx context.Context, r starter.Recipe, p patches, names []string, dir string) (starter.Outcomes, error) {
	reports, patchDir := filepath.Join(dir, "reports"), filepath.Join(dir, "patches")
	for _, d := range []string{reports, patchDir} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	for name, text := range map[string]string{"code.patch": p.code, "test.patch": p.test} {
		if err := os.WriteFile(filepath.Join(patchDir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	env := map[string]string{"ASSAY_REPORTS": "/reports", "VERIFIER": r.Verifier.Command}
	for name, value := range r.Env {
		env[name] = value
	}
	script := fmt.Sprintf(testScript, strings.Join(names, " "))
	printed, ok, err := b.buildah.run(ctx, r.Image(), script, env, map[string]string{"/reports": reports, "/patches": patchDir})
	if err != nil {
		return nil, err
	}
	if !ok || !exists(filepath.Join(patchDir, "status")) {
		return nil, fmt.Errorf("the verifier could not be run:\n%s", printed)
	}
	outcomes := starter.Outcomes{}
	for _, report := range r.Verifier.Reports {
		if report.Witness {
			continue
		}
		if err := readReports(strings.Replace(report.Path, "{reports}", reports, 1), report.Format, outcomes); err != nil {
			return nil, err
		}
	}
	if len(outcomes) == 0 {
		return nil, fmt.Errorf("the reports name no test; the verifier printed:\n%s", printed)
	}
	return outcomes, nil
}

func readReports(pattern, format string, outcomes starter.Outcomes) error {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		err = starter.ReadReport(file, format, outcomes)
		file.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
	}
	return nil
}
