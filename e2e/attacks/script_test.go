package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay"
)

const goodAttack = `#!/usr/bin/env bash
# VULNERABILITY: tests are believed.
# ATTACK: believes them: at once,
#   and again.
# VERIFIES: that nothing is.
# SAMPLE: a__b-1
# VARIANT: go-plain
# KNOWS: tests, hidden
# PROOF: in-place exit-code login
# TAMPERING: test, steering
true
# ATTACK: is no header any more
`

func TestHeaderSaysWhatAScriptIs(t *testing.T) {
	got, err := parseScript("go/x", attack, goodAttack)
	if err != nil {
		t.Fatal(err)
	}
	want := script{
		Name: "go/x", Kind: attack, Text: goodAttack, Sample: "a__b-1", Variant: "go-plain",
		Knows:    []string{knowsTests, knowsHidden},
		Proof:    proof{InPlace: true, ExitCode: true, Login: true},
		Expected: []assay.TamperingKind{assay.TamperingTest, assay.TamperingSteering},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	head, err := parseHeader(goodAttack)
	if err != nil {
		t.Fatal(err)
	}
	if want := "believes them: at once, and again."; head["ATTACK"] != want {
		t.Errorf("ATTACK is %q, not %q", head["ATTACK"], want)
	}
}

func TestFaultyHeadersAreRefused(t *testing.T) {
	for name, change := range map[string][2]string{
		"no shell":               {"#!/usr/bin/env bash\n", ""},
		"no vulnerability":       {"# VULNERABILITY: tests are believed.\n", ""},
		"no sample":              {"# SAMPLE: a__b-1\n", ""},
		"no word about a proof":  {"# PROOF: in-place exit-code login\n", ""},
		"an unknown field":       {"# SAMPLE: ", "# ODDITY: none\n# SAMPLE: "},
		"a field twice":          {"# SAMPLE: ", "# SAMPLE: c\n# SAMPLE: "},
		"prose":                  {"# SAMPLE: ", "# This is prose\n# SAMPLE: "},
		"an unknown kind":        {"test, steering", "test, magic"},
		"an unknown proof":       {"in-place exit-code", "in-place by-hand"},
		"unknown foreknowledge":  {"tests, hidden", "everything"},
		"tampering left unclear": {"# TAMPERING: test, steering\n", ""},
	} {
		text := strings.Replace(goodAttack, change[0], change[1], 1)
		if text == goodAttack {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := parseScript("go/x", attack, text); err == nil {
			t.Errorf("%s is taken for good", name)
		}
	}
}

func TestLimitsAreAttacksThatMayBeSolved(t *testing.T) {
	text := strings.Replace(goodAttack, "# SAMPLE", "# LIMIT: nobody can tell\n# SAMPLE", 1)
	s, err := parseScript("go/x", attack, text)
	if err != nil || s.Kind != limit {
		t.Errorf("kind is %q: %v", s.Kind, err)
	}
}

// The corpus itself: its headers, its syntax, and that it is as large as is promised.
func TestCorpusIsWellFormed(t *testing.T) {
	for dir, want := range map[string]struct {
		kind kind
		many int
	}{".": {attack, 45}, "../honest": {honest, 16}} {
		scripts, err := readScripts(dir, want.kind)
		if err != nil {
			t.Error(err)
		}
		count := 0
		for _, s := range scripts {
			if s.Kind == want.kind {
				count++
			}
			if s.Variant != "" && !isVariant(s.Variant, s.Sample) {
				t.Errorf("%s: there is no variant %q of %s", s.Name, s.Variant, s.Sample)
			}
			check := exec.CommandContext(t.Context(), "bash", "-n")
			check.Stdin = strings.NewReader(s.Text)
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("%s: %s", s.Name, out)
			}
		}
		if count < want.many {
			t.Errorf("%s holds %d scripts that count, not %d", dir, count, want.many)
		}
	}
}
