package alteration

import (
	"regexp"
	"strings"
)

// Failure is what a failed assertion says that it compared, as it printed it.
type Failure struct {
	// Got and Want are the two sides. Where a runner does not say which side is which, Got
	// is the first: whoever knows the literal that was expected finds it in one of them.
	Got, Want string
	// Raw: the values are the texts themselves, without quotes and escapes.
	Raw bool
	// Line is the line of the output that says so, or the first of those that do.
	Line string
}

// The most that is read of an output, and taken for a value.
const (
	longestOutput = 1 << 20
	longestValue  = 64 << 10
	mostFailures  = 64
)

// ParseGot reads what the failures in a runner's output say that they got and wanted. It
// knows pytest and unittest; the ways in which tests in Go are mostly written, and
// testify; TAP, node's own assertions, mocha, chai and jest. Of outputs larger than 1 MiB
// it reads the end. Values that were cut ("...") are left out.
func ParseGot(l *Language, output string) []Failure {
	output = output[max(0, len(output)-longestOutput):]
	lines := strings.Split(strings.ReplaceAll(ansi.ReplaceAllString(output, ""), "\r\n", "\n"), "\n")
	g := &reading{lines: lines}
	for g.at = 0; g.at < len(lines) && len(g.found) < mostFailures; g.at++ {
		switch l {
		case python:
			g.python()
		case golang:
			g.golang()
		default:
			g.javascript()
		}
	}
	return g.found
}

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*[a-zA-Z]")

type reading struct {
	lines []string
	at    int
	found []Failure
	want  string // seen, while what was got is not
	got   string
}

func (g *reading) put(got, want string, raw bool) {
	got, want = strings.TrimSpace(got), strings.TrimSpace(want)
	if got == want || len(got) > longestValue || len(want) > longestValue || cut(got) || cut(want) {
		return
	}
	f := Failure{Got: got, Want: want, Raw: raw, Line: g.lines[g.at]}
	for _, other := range g.found {
		if other.Got == got && other.Want == want && other.Raw == raw {
			return
		}
	}
	g.found = append(g.found, f)
}

// cut tells whether a runner shortened a value.
func cut(s string) bool {
	return strings.Contains(s, "...") || strings.Contains(s, "…")
}

var pythonAssert = regexp.MustCompile(`^(?:E\s+)?(?:AssertionError: )?assert (.+)$`)
var pythonUnequal = regexp.MustCompile(`^(?:E\s+)?AssertionError: (.+)$`)

// python reads pytest's introspection and unittest's messages.
func (g *reading) python() {
	line := g.lines[g.at]
	if m := pythonAssert.FindStringSubmatch(line); m != nil {
		if got, want, ok := split(m[1], " == "); ok {
			g.put(got, want, false)
			if cut(got) || cut(want) {
				g.diff("E ", "+ ", "- ", strings.ContainsAny(got[:1], "'\""))
			}
		}
	} else if m := pythonUnequal.FindStringSubmatch(line); m != nil {
		if got, want, ok := split(m[1], " != "); ok {
			g.put(got, want, false)
		}
	}
}

// diff reads the lines of a difference that follow, if it is of one line on either side.
func (g *reading) diff(prefix, plus, minus string, raw bool) {
	const far = 16
	got, want := "", ""
	for n := g.at + 1; n < min(len(g.lines), g.at+far); n++ {
		line, ok := strings.CutPrefix(strings.TrimLeft(g.lines[n], " "), strings.TrimSpace(prefix))
		if !ok && prefix != "" {
			break
		}
		line = strings.TrimLeft(line, " ")
		switch {
		case strings.HasPrefix(line, plus):
			if got != "" {
				return
			}
			got = line[len(plus):]
		case strings.HasPrefix(line, minus):
			if want != "" {
				return
			}
			want = line[len(minus):]
		}
	}
	if got != "" && want != "" {
		g.put(got, want, raw)
	}
}

// split divides a comparison at its operator, outside of quotes and brackets. It is not
// divided if there are two.
func split(s, op string) (left, right string, ok bool) {
	depth, quote, at := 0, byte(0), -1
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			depth--
		case depth == 0 && strings.HasPrefix(s[i:], op):
			if at >= 0 {
				return "", "", false
			}
			at = i
		}
	}
	if at < 0 {
		return "", "", false
	}
	return s[:at], s[at+len(op):], true
}

const (
	gotWord  = `(?:got|actual|was|received|have|found)`
	wantWord = `(?:want(?:ed)?|expect(?:ed)?|exp|should be)`
	means    = `\s*(?::|=|to be|is)?\s*`
	then     = `\s*[,;.:(]?\s*(?:but |and |instead of )?`
)

var (
	goGotWant = regexp.MustCompile(`(?i)\b` + gotWord + `\b` + means + `(.+?)` + then + `\b` + wantWord + `\b` + means + `(.+?)\)?$`)
	goWantGot = regexp.MustCompile(`(?i)\b` + wantWord + `\b` + means + `(.+?)` + then + `\b` + gotWord + `\b` + means + `(.+?)\)?$`)
	goShould  = regexp.MustCompile(`(?i)\bshould (?:be|equal|have been)\b:?\s+(.+?)(?:[,;:]\s*(?:but )?(?:` + gotWord + `\b` + means + `)?| but ` + gotWord + `\b` + means + `)([^\s,;:].*)$`)
	goIsWant  = regexp.MustCompile(`(?i)\s=\s(.+?)[,;]\s*` + wantWord + `\b` + means + `(.+)$`)
	goWant    = regexp.MustCompile(`(?i)^\s*` + wantWord + `\s*:\s*(.+)$`)
	goGot     = regexp.MustCompile(`(?i)^\s*` + gotWord + `\s*:\s*(.+)$`)
)

// golang reads the sentences that tests in Go mostly say, and testify's blocks.
func (g *reading) golang() {
	line := g.lines[g.at]
	const longest = 4096
	if len(line) > longest { // no sentence is
		return
	}
	if m := goWant.FindStringSubmatch(line); m != nil && !goWantGot.MatchString(line) {
		g.want = m[1]
		g.pair()
	} else if m := goGot.FindStringSubmatch(line); m != nil && !goGotWant.MatchString(line) {
		g.got = m[1]
		g.pair()
	} else if m := goIsWant.FindStringSubmatch(line); m != nil {
		g.put(m[1], m[2], false)
	} else if m := goGotWant.FindStringSubmatch(line); m != nil {
		g.put(m[1], m[2], false)
	} else if m := goWantGot.FindStringSubmatch(line); m != nil {
		g.put(m[2], m[1], false)
	} else if m := goShould.FindStringSubmatch(line); m != nil {
		g.put(m[2], m[1], false)
	}
}

// pair takes two values that stand on lines of their own.
func (g *reading) pair() {
	if g.got != "" && g.want != "" {
		g.put(g.got, g.want, false)
		g.got, g.want = "", ""
	}
}

var (
	jsValue   = regexp.MustCompile(`^\s*(actual|expected|Expected|Received)\s*:\s*(.*?),?$`)
	jsUnequal = regexp.MustCompile(`^\s*(.+?) !==? (.+?)\s*$`)
	chai      = regexp.MustCompile(`expected (.+) to (?:deeply |strictly )?(?:equal|eql|be) (.+?)$`)
)

// javascript reads TAP and the properties of assertion errors, differences, and the
// sentences of chai and node.
func (g *reading) javascript() {
	line := g.lines[g.at]
	switch m := jsValue.FindStringSubmatch(line); {
	case m != nil:
		value := m[2]
		if value == "|-" || value == "|" || value == ">-" {
			value = g.indented(indent(line))
		}
		if m[1] == "actual" || m[1] == "Received" {
			g.got = value
		} else {
			g.want = value
		}
		g.pair()
	case strings.Contains(line, "+ actual - expected"):
		g.diff("", "+ ", "- ", false)
	case strings.Contains(line, "+ expected - actual"): // mocha: the texts themselves
		g.diff("", "-", "+", true)
	case chai.MatchString(line):
		m := chai.FindStringSubmatch(line)
		g.put(m[1], m[2], false)
	case jsUnequal.MatchString(line):
		if got, want, ok := split(line, " !== "); ok {
			g.put(got, want, false)
		}
	}
}

// indented reads the lines that follow with more indentation than a line's, as one.
func (g *reading) indented(column int) string {
	var b strings.Builder
	for g.at+1 < len(g.lines) && indent(g.lines[g.at+1]) > column && b.Len() <= longestValue {
		g.at++
		b.WriteString(strings.TrimSpace(g.lines[g.at]))
		b.WriteByte(' ')
	}
	return strings.TrimSpace(b.String())
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
