package alteration

import "regexp"

// golang is Go, with the testing package, testify, gotest.tools, quicktest and their like.
var golang = compile(Language{
	Name:          "go",
	Extensions:    []string{".go"},
	LineComments:  []string{"//"},
	BlockComments: []BlockComment{{Open: "/*", Close: "*/"}},
	Quotes: []Quote{
		{Open: `"`, Close: `"`, Escape: true},
		{Open: "`", Close: "`", Raw: true, Lines: true},
		{Open: "'", Close: "'", Escape: true, Char: true},
	},
	Digits:    []Base{{"0x", "0123456789abcdef"}, {"0b", "01"}, {"0o", "01234567"}},
	Operators: words("&^= <<= >>= ... && || <- ++ -- == != <= >= := += -= *= /= %= &= |= ^= << >> &^"),
	Keywords: words(`break case chan const continue default defer else fallthrough for func go goto
		if import interface map package range return select struct switch type var`),
	True:  "true",
	False: "false",
	Nulls: []string{"nil"},

	Layout: Braces,
	Style: TestStyle{
		Equality: compared(Compared{0, 2}, "Equal Equalf EqualValues EqualValuesf Exactly Exactlyf DeepEqual JSONEq YAMLEq ElementsMatch Same EqualFold Diff Equals Is"),
		Truths:   words("True False Truef Falsef Assert Check"),
		Opposites: pairs(`Equal/NotEqual Equalf/NotEqualf EqualValues/NotEqualValues True/False Truef/Falsef Nil/NotNil Nilf/NotNilf
			NoError/Error NoErrorf/Errorf Contains/NotContains Empty/NotEmpty Zero/NotZero Same/NotSame ErrorIs/NotErrorIs
			Regexp/NotRegexp Subset/NotSubset Panics/NotPanics Greater/LessOrEqual GreaterOrEqual/Less`),
		Receivers:   regexp.MustCompile(`^(?:assert|require|must|is|a|r|s|c|ts|suite|assertions)$`),
		Leads:       words("t tb b"),
		Raises:      map[string]int{"Is": 1, "ErrorIs": 1},
		Exception:   regexp.MustCompile(`^Err[A-Z]\w*$|^EOF$|^ErrUnexpectedEOF$`),
		Titles:      words("Run"),
		Quiet:       words("Error Errorf Fatal Fatalf Log Logf Skip Skipf Print Printf Println Fprintf Fprintln Fprint panic Panic Panicf Sleep WithTimeout WithDeadline After AfterFunc Tick NewTimer NewTicker Open OpenFile ReadFile MustRegister Setenv Join Skipf"),
		Conversions: words("byte rune string int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 uintptr float32 float64 bool any complex64 complex128"),
		Flips:       map[string]string{"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"},
		Not:         "!",
	},
})
