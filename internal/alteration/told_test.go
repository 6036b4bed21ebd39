package alteration_test

import (
	"testing"

	"assay/internal/alteration"
)

// Who has read the issue lets pass what still says the same: an edit of that tells nobody from a
// solver.
func TestWhatTheIssueSaysIsTold(t *testing.T) {
	const issue = "`unsign` raises ValueError instead of BadTimeSignature for b\"value.TgPVoaGhoQ\" (Malformed timestamp), e.g. with `.` and 9223372036854775809.\nThe iss \"urn:expected\" passes."
	for name, tt := range map[string]struct {
		e    alteration.Edit
		told bool
	}{
		"a value":                  {alteration.Edit{Kind: alteration.StringEdit, Old: `"urn:expected"`, New: `"urn:expcted"`}, true},
		"a value that is a part":   {alteration.Edit{Kind: alteration.StringEdit, Old: `"expect"`, New: `"expect:"`}, false},
		"a word of a longer value": {alteration.Edit{Kind: alteration.StringEdit, Old: `"it was malformed, sorry"`, New: `"it was malfermed, sorry"`}, true},
		"another word of it":       {alteration.Edit{Kind: alteration.StringEdit, Old: `"it was malformed, sorry"`, New: `"it was malformed, sarry"`}, false},
		"a character in quotes":    {alteration.Edit{Kind: alteration.StringEdit, Old: `"."`, New: `"-"`}, true},
		"another character":        {alteration.Edit{Kind: alteration.StringEdit, Old: `"a"`, New: `"e"`}, false},
		"a number":                 {alteration.Edit{Kind: alteration.NumberEdit, Old: "9223372036854775809", New: "9223372036854775808"}, true},
		"a part of a number":       {alteration.Edit{Kind: alteration.NumberEdit, Old: "922", New: "923"}, false},
		"an exception":             {alteration.Edit{Kind: alteration.ExceptionEdit, Old: "errors.BadTimeSignature", New: "errors.BadData"}, true},
		"another exception":        {alteration.Edit{Kind: alteration.ExceptionEdit, Old: "BadPayload", New: "BadData"}, false},
		"a comparison":             {alteration.Edit{Kind: alteration.FlipEdit, Old: "ValueError", New: "KeyError"}, false},
	} {
		edits := []alteration.Edit{tt.e}
		alteration.NotTold(edits, issue)
		if edits[0].Told != tt.told {
			t.Errorf("%s: told %t, want %t", name, edits[0].Told, tt.told)
		}
		if alteration.NotTold(edits[:1:1], ""); edits[0].Told != tt.told {
			t.Errorf("%s: no issue changes it", name)
		}
	}
}

// A row that is no longer the last of its table is an old line all the same.
func TestARowThatGainsACommaIsKnown(t *testing.T) {
	src := []byte("const bad = [\n  /(.*){1,32000}[bc]/,\n  /(new)+/\n]\ntest('t', () => { bad.forEach((b) => assert.strictEqual(safe(b), false)) })\n")
	known := false
	for _, e := range alteration.Candidates(alteration.File{Path: "a.test.js", Source: src}, alteration.Options{Old: alteration.LinesOf([]byte("const bad = [\n  /(.*){1,32000}[bc]/\n]\n"))}) {
		if e.Line == 2 {
			known = true
			if !e.Known {
				t.Errorf("%s became %s: the line is not known", e.Old, e.New)
			}
		}
	}
	if !known {
		t.Error("the row was not edited")
	}
}
