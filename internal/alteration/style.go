package alteration

import (
	"regexp"
	"strings"
)

// TestStyle is how the tests of a language say what they expect.
type TestStyle struct {
	// Equality are the assertions of exact equality: which of their arguments are
	// compared. What comes after those is a message.
	Equality map[string]Compared
	// Truths are assertions that take one condition, and perhaps a message.
	Truths []string
	// Opposites are names of assertions, with the one that demands the contrary.
	Opposites map[string]string
	// Receivers are objects on which Opposites are defined, as a pattern of names; the
	// parameters of a test's function are such, too. An opposite that does not exist
	// fails for everybody, and says so.
	Receivers *regexp.Regexp
	// FreeAsserts: assertions may be called without an object.
	FreeAsserts bool
	// Leads are names of arguments that come before what is compared (require.Equal(t, ...)).
	Leads []string
	// Expectations: matchers are negated by a word before them (expect(x).not.toBe(y)).
	Expectations bool

	// Raises are calls that name the exception which they expect, and which argument does.
	Raises map[string]int
	// Exception is the form of exceptions' names.
	Exception *regexp.Regexp
	// Exceptions are those that are always there, unrelated with each other.
	Exceptions []string

	// Titles are calls whose arguments are the names of tests, all of their strings outside
	// of functions.
	Titles []string
	// Quiet are calls whose arguments are words for people, names of files to load, or
	// times: an edit there changes no outcome, or changes it for no reason of the test's.
	Quiet []string
	// Words are arguments by name that are such.
	Words []string
	// Conversions are calls that give back what they are given, in another type.
	Conversions []string

	// Flips are operators, each with what is put in its place.
	Flips map[string]string
	// Not is the negation, with the space after it.
	Not string
}

// Compared says which arguments an assertion compares.
type Compared struct{ First, Count int }

// expected is the form of names of what is expected: want, wantErr, expected5, exp, out, shouldMatch.
var expected = regexp.MustCompile(`^(?:[wW]ant|[eE]xpect|[sS]hould|[dD]esired|[cC]orrect)|^(?:[eE]xp|[oO]ut|[oO]utput|[rR]esult|[aA]nswer|[rR]es)\d*$|(?:Want|Expected|Exp|_want|_expected|_exp|_out)\d*$`)

// asserter is the form of names of a test's own assertions, whose last argument is what is
// expected: cache.wantKeys(t, []int{1, 2}), checkStrEq(t, got, want).
var asserter = regexp.MustCompile(`^want[A-Z]|^(?:assert|check|expect|verify|require|must)[A-Z_]\w*(?:Eq|Equal|Equals|Same|_eq|_equal)$`)

// outcome is the form of names of columns that depend on others, whether or not they are
// compared exactly.
var outcome = regexp.MustCompile(`^(?:[eE]rr|[oO]k|[vV]alid|[mM]atch|[fF]ail|[pP]ass|is[A-Z_]|[iI]nvalid)|(?:Err|Error|OK|_err|_ok)$`)

// title is the form of names of columns that name a row, or describe it.
var title = regexp.MustCompile(`(?i)^(?:name|desc|description|title|summary|msg|message|reason|note|comment|testname|test_name|scenario)$|(?:Desc|Title|Msg)$`)

func words(s string) []string { return strings.Fields(s) }

// pairs reads "a/b c/d" as opposites of each other.
func pairs(s string) map[string]string {
	m := map[string]string{}
	for _, pair := range words(s) {
		a, b, _ := strings.Cut(pair, "/")
		m[a] = b
		if _, ok := m[b]; !ok {
			m[b] = a
		}
	}
	return m
}

// compared gives assertions the same arguments.
func compared(c Compared, names ...string) map[string]Compared {
	m := map[string]Compared{}
	for _, list := range names {
		for _, name := range words(list) {
			m[name] = c
		}
	}
	return m
}
