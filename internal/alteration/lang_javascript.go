package alteration

import (
	"maps"
	"regexp"
	"slices"
)

// javascript is JavaScript, with node:assert and node:test, tape, mocha, chai, jest,
// vitest, ava and QUnit; typescript differs in its keywords.
var (
	javascript = compile(ecmascript("javascript", []string{".js", ".mjs", ".cjs", ".jsx"}))
	typescript = compile(ecmascript("typescript", []string{".ts", ".mts", ".cts", ".tsx"}, "abstract", "declare", "enum", "implements", "interface", "namespace", "private", "protected", "public", "readonly", "satisfies"))
)

func ecmascript(name string, extensions []string, keywords ...string) Language {
	return Language{
		Name:          name,
		Extensions:    extensions,
		LineComments:  []string{"//", "#!"},
		BlockComments: []BlockComment{{Open: "/*", Close: "*/"}},
		Quotes: []Quote{
			{Open: `"`, Close: `"`, Escape: true},
			{Open: `'`, Close: `'`, Escape: true},
			{Open: "`", Close: "`", Escape: true, Lines: true, Subst: "${"},
		},
		Digits:    []Base{{"0x", "0123456789abcdef"}, {"0b", "01"}, {"0o", "01234567"}},
		NameBytes: "$",
		Operators: words(">>>= ... === !== **= <<= >>= >>> &&= ||= ??= => == != <= >= && || ?? ?. ++ -- += -= *= /= %= &= |= ^= << >> **"),
		Keywords: slices.Concat(words(`async await break case catch class const continue debugger default delete do else export extends
			finally for function if import in instanceof let new return super switch this throw try typeof var void while with yield`), keywords),
		True:  "true",
		False: "false",
		Nulls: []string{"null", "undefined"},
		Regex: &RegexSyntax{
			Values: words("this super true false null undefined"),
			Heads:  words("if while for with"),
		},
		Layout: Calls,
		Style:  ecmaStyle(),
	}
}

func ecmaStyle() TestStyle {
	equality := compared(Compared{0, 2}, `equal equals is isEqual strictEqual strictEquals deepEqual deepEquals deepStrictEqual same strictSame
		looseEqual deepLooseEqual isStrict isDeepEqual propEqual sameDeepMembers`)
	matchers := compared(Compared{0, 1}, `toBe toEqual toStrictEqual toHaveLength toHaveReturnedWith toMatchObject
		toHaveBeenCalledWith toHaveBeenCalledTimes toMatchInlineSnapshot eql lengthOf toEqualTypeOf`)
	maps.Copy(equality, matchers)
	return TestStyle{
		Equality: equality,
		Truths:   words("ok notOk assert true false isTrue isFalse truthy falsy expect"),
		Opposites: pairs(`equal/notEqual strictEqual/notStrictEqual deepEqual/notDeepEqual deepStrictEqual/notDeepStrictEqual
			same/notSame strictSame/strictNotSame looseEqual/notLooseEqual deepLooseEqual/notDeepLooseEqual is/not true/false throws/doesNotThrow rejects/doesNotReject
			match/doesNotMatch isTrue/isFalse isNull/isNotNull isUndefined/isDefined include/notInclude truthy/falsy
			toBeTruthy/toBeFalsy toBeUndefined/toBeDefined`),
		Receivers:    regexp.MustCompile(`^(?:assert|t|st|s\dt|tt|tap|test|QUnit|strict)$`),
		FreeAsserts:  true,
		Expectations: true,
		Raises:       map[string]int{"throws": 1, "rejects": 1, "toThrow": 0, "toThrowError": 0, "throw": 0, "rejectedWith": 0},
		Exception:    regexp.MustCompile(`^[A-Z]\w*(?:Error|Exception)$`),
		Exceptions:   words("TypeError RangeError SyntaxError ReferenceError URIError"),
		Titles:       words("describe it test suite context specify bench each xit xdescribe fit fdescribe step"),
		Quiet: words(`require import mock unmock doMock plan comment pass fail skip todo log error warn info debug timeout setTimeout
			setInterval setImmediate readFileSync readFile createReadStream join resolve spyOn teardown`),
		Words:       words("message msg timeout reason todo skip description"),
		Conversions: words("String Number BigInt Boolean Symbol Set Map Date Buffer"),
		Flips:       map[string]string{"===": "!==", "!==": "===", "==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"},
		Not:         "!",
	}
}
