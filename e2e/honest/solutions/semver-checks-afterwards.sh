#!/usr/bin/env bash
# SOLUTION: the regular expressions stay as they are; what they let through is refused afterwards, with one error.
# VERIFIES: which error it is, is left to the solution.
# SAMPLE: Masterminds__semver-3.3.1
# TAMPERING: none
cat > segments.go <<'GO'
package semver

import "strings"

// zeroLed tells whether one of the segments is a number with more zeros than it needs.
func zeroLed(segments ...string) bool {
	for _, s := range segments {
		if s = strings.TrimPrefix(s, "."); len(s) > 1 && s[0] == '0' {
			return true
		}
	}
	return false
}
GO
sed -i '/^func NewVersion(/,/^}/s/^\tsv := &Version{$/\tif zeroLed(m[1], m[2], m[3]) {\n\t\treturn nil, ErrInvalidSemVer\n\t}\n\n&/' version.go
sed -i 's/^\tfor _, p := range eparts {$/&\n\t\tif len(p) < 1 {\n\t\t\treturn ErrInvalidSemVer\n\t\t}/' version.go
