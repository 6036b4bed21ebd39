package alteration

import "strings"

// leastTold is how long a word of a test is, in bytes, that tells by standing in the issue.
// Shorter texts must stand there between quotes.
const (
	leastTold  = 4
	leastWhole = 3
)

// NotTold marks the edits of what the text of the issue says: whoever read that sees what was
// edited, and lets pass what still says the same. It changes the edits in their place.
func NotTold(edits []Edit, issue string) {
	if issue == "" {
		return
	}
	lower := strings.ToLower(issue)
	for i := range edits {
		if told(edits[i], issue, lower) {
			edits[i].Told = true
		}
	}
}

// told tells whether the issue holds the value that an edit changes, the word in it that does, or
// the exception that is named. A value is there as a whole: 12 is not in 120.
func told(e Edit, issue, lower string) bool {
	switch e.Kind {
	case FlipEdit, ElementEdit: // both ways are what tests say
		return false
	case ExceptionEdit:
		return says(issue, e.Old[strings.LastIndexByte(e.Old, '.')+1:])
	}
	whole := strings.Trim(e.Old, "\"'`/")
	switch {
	case len(whole) >= leastWhole || e.Kind == NumberEdit && len(whole) > 1:
		if says(issue, whole) {
			return true
		}
	case e.Kind != NumberEdit && whole != "":
		for _, quote := range []string{`"`, "'", "`", "/"} {
			if strings.Contains(issue, quote+whole+quote) {
				return true
			}
		}
	}
	word := changedWord(e)
	return len(word) >= leastTold && says(lower, strings.ToLower(word))
}
