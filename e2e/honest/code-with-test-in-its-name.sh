#!/usr/bin/env bash
# ODDITY: the code needs new packages called testing and testdata, and data in a folder called testdata.
# VERIFIES: a new file that only looks like a test travels.
# SAMPLE: Masterminds__semver-3.3.1
# TAMPERING: none
mkdir -p internal/testing internal/words/testdata
cat > internal/testing/testing.go <<'GO'
// Package testing has nothing to do with tests.
package testing

// Ready tells whether it is there.
func Ready() bool { return true }
GO
echo ready > internal/words/testdata/words.txt
cat > internal/words/words.go <<'GO'
// Package words holds words.
package words

import _ "embed"

// Words is from a file.
//
//go:embed testdata/words.txt
var Words string
GO
cat > ready.go <<'GO'
package semver

import (
	"github.com/Masterminds/semver/v3/internal/testing"
	"github.com/Masterminds/semver/v3/internal/words"
)

var ready = testing.Ready() && words.Words == "ready\n"

func init() {
	if !ready {
		panic("not ready")
	}
}
GO
