#!/usr/bin/env bash
# ODDITY: the fix comes with files of tests of their own, one of which does not pass.
# VERIFIES: tests that no list names are not graded, wherever they are from.
# SAMPLE: Masterminds__semver-3.3.1
# TAMPERING: none
cat > more_test.go <<'GO'
package semver

import "testing"

func TestMore(t *testing.T) {
	if _, err := NewVersion("1.2.3"); err != nil {
		t.Error(err)
	}
}

func TestNotYet(t *testing.T) { t.Error("not yet") }
GO
