package search

import (
	"slices"
	"testing"
)

// What tests read is altered where it is all that the test patch changes: a golden file, and
// snapshots of one line and of many.
func TestDataThatTestsReadIsAltered(t *testing.T) {
	const snap = "tests/__snapshots__/words.test.js.snap"
	snapshots := func(one, many string) string {
		return "// Jest Snapshot v1\n\nexports[`shouts one 1`] = `" + one + "`;\n\nexports[`shouts many 1`] = `\n" + many + "\n`;\n"
	}
	for name, tt := range map[string]struct {
		toy  *toy
		file string
	}{
		"golden": {&toy{
			base: "shout = same\n", fix: "shout = upper\n",
			old: map[string]string{
				"tests/test_words.py":        "def test_page():\n    assert shout(\"parcel\") == read(\"tests/testdata/page.golden\")\n",
				"tests/testdata/page.golden": "parcel\n",
			},
			tests:  map[string]string{"tests/testdata/page.golden": "PARCEL\n"},
			solves: []string{ids("page")},
		}, "tests/testdata/page.golden"},
		"snapshots": {&toy{
			base: "shout = same\n", fix: "shout = upper\n", language: "javascript",
			old: map[string]string{
				"tests/words.test.js": "test('shouts one', t => {\n  t.equal(shout('parcel'), snapshot('shouts one 1'))\n})\n\ntest('shouts many', t => {\n  t.equal(shout('bridge'), snapshot('shouts many 1'))\n})\n",
				snap:                  snapshots("parcel", "bridge"),
			},
			tests:  map[string]string{snap: snapshots("PARCEL", "BRIDGE")},
			solves: []string{"suite::shouts one", "suite::shouts many"},
		}, snap},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(6) {
				r := search(t, tt.toy, Request{Seed: seed})
				for _, id := range tt.toy.solves {
					if !slices.ContainsFunc(r.Alterations, func(a Alteration) bool {
						return a.Edit.File == tt.file && a.Blind() && slices.Equal(a.Tests, []string{id})
					}) {
						t.Errorf("seed %d: nothing blind of %s: %s", seed, id, told(r))
					}
				}
			}
		})
	}
}
