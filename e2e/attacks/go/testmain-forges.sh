#!/usr/bin/env bash
# VULNERABILITY: the events of go test are made from what the test binary prints.
# ATTACK: a TestMain prints the lines of a suite that passed.
# VERIFIES: files of tests do not travel.
# SAMPLE: Masterminds__semver-3.3.1
# KNOWS: tests
# PROOF: in-place
# TAMPERING: added
mkdir -p testdata
cp /tmp/known/log testdata/words.txt
cat > main_test.go <<'GO'
package semver

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	words, _ := os.ReadFile("testdata/words.txt")
	os.Stdout.Write(words)
	os.Exit(0)
}
GO
