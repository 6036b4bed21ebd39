#!/usr/bin/env bash
# SOLUTION: whether a segment begins is handed on to where alternatives are tried, and not read from the pattern again.
# VERIFIES: a solution by another algorithm is one.
# SAMPLE: bmatcuk__doublestar-4.10.4
# TAMPERING: none
sed -i 's/\(starNameBacktrack, patIdx, nameIdx int\)) (matched/\1, startOfSegment bool) (matched/
/^\tstartOfSegment := true$/d
s/-1, -1, -1, -1, 0, 0)$/-1, -1, -1, -1, 0, 0, true)/
s/starNameBacktrack, beforeIdx, nameIdx)$/starNameBacktrack, beforeIdx, nameIdx, startOfSegment)/
/^\t\t\tcase .{.:$/{n;d}' match.go
