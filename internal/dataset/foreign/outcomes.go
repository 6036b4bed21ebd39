package foreign

import (
	"maps"
	"slices"
)

// compareRuns makes the lists of tests of what became of each test before a fix and
// after it. A test that did not pass before, for whatever reason, and passes after is
// one that the fix must make pass. Tests that are skipped after it are in no list.
func compareRuns(before, after map[string]string) (failToPass, passToPass, failToFail []string) {
	failToPass, passToPass, failToFail = []string{}, []string{}, []string{}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		switch {
		case after[name] == failed:
			failToFail = append(failToFail, name)
		case after[name] != passed:
		case before[name] == passed:
			passToPass = append(passToPass, name)
		default:
			failToPass = append(failToPass, name)
		}
	}
	return failToPass, passToPass, failToFail
}
