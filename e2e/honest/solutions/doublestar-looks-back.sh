#!/usr/bin/env bash
# SOLUTION: the last rune before the place decides, also where a separator has several bytes.
# VERIFIES: a solution in other words is one.
# SAMPLE: bmatcuk__doublestar-4.10.4
# TAMPERING: none
cat > segment.go <<'GO'
package doublestar

import "unicode/utf8"

// beginsSegment tells whether a segment of the pattern begins behind the text before it.
func beginsSegment(before string, separator rune) bool {
	if before == "" {
		return true
	}
	last, _ := utf8.DecodeLastRuneInString(before)
	return last == separator
}
GO
sed -i 's/^\tstartOfSegment := true$/\tstartOfSegment := beginsSegment(pattern[:patIdx], separator)/' match.go
