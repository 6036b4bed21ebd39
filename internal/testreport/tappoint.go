package testreport

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// tapPoint is a test point of TAP as it is written.
type tapPoint struct {
	bad         bool
	number      string // "" if it has none
	description string
	directive   string // "skip" or "todo", or ""
	reason      string // of the directive
	time        time.Duration
	opens       bool // a document of subtests follows, up to "}"
}

var (
	tapStart     = regexp.MustCompile(`^(not )?ok(?: +(\d+))?(?:\s+(.*))?$`)
	tapDirective = regexp.MustCompile(`(?i)^#\s*(skip|todo)\S*\s*(.*)$`)
	tapTime      = regexp.MustCompile(`^#\s*time=([0-9.]+)ms`)
	// tapUnescape undoes what writers of TAP 14 do to a description.
	tapUnescape = strings.NewReplacer(`\#`, `#`, `\\`, `\`)
)

func parseTAPPoint(text string) (tapPoint, bool) {
	m := tapStart.FindStringSubmatch(text)
	if m == nil {
		return tapPoint{}, false
	}
	p := tapPoint{bad: m[1] != "", number: m[2]}
	rest := m[3]
	if before, opens := strings.CutSuffix(rest, "{"); opens && (before == "" || strings.HasSuffix(before, " ")) {
		p.opens, rest = true, strings.TrimSpace(before)
	}
	rest = p.takeDirectives(rest)
	if rest == "-" {
		rest = ""
	}
	p.description = strings.TrimSpace(tapUnescape.Replace(strings.TrimPrefix(rest, "- ")))
	return p, true
}

// takeDirectives cuts off what stands after a "#" that is not escaped, if it is
// something that TAP knows. tape leaves a "#" in a description as it is.
func (p *tapPoint) takeDirectives(s string) string {
	for from := 0; ; {
		i := strings.IndexByte(s[from:], '#')
		if i < 0 {
			return s
		}
		if i += from; i > 0 && s[i-1] == '\\' {
			from = i + 1
			continue
		}
		if m := tapDirective.FindStringSubmatch(s[i:]); m != nil {
			p.directive, p.reason = strings.ToLower(m[1]), m[2]
			return strings.TrimSpace(s[:i])
		}
		if m := tapTime.FindStringSubmatch(s[i:]); m != nil {
			ms, _ := strconv.ParseFloat(m[1], 64) // nonsense is 0
			p.time = duration(ms / 1000)
			s, from = strings.TrimSpace(s[:i]+s[i+len(m[0]):]), i
		} else {
			from = i + 1
		}
		from = min(from, len(s))
	}
}

// result is what the point says. A test that is to do, or was skipped, did not pass,
// whatever came of it.
func (p tapPoint) result() Result {
	res := Result{ID: p.description, Status: Passed, Duration: p.time, Message: p.reason}
	switch {
	case p.directive != "":
		res.Status = Skipped
	case p.bad:
		res.Status = Failed
	}
	return res
}

// tapMessage finds the message in a diagnostic block, which is YAML, roughly.
func tapMessage(block string) string {
	next := false
	for line := range strings.Lines(block) {
		line = strings.TrimSpace(line)
		for _, key := range []string{"message:", "error:"} {
			value, found := strings.CutPrefix(line, key)
			if value = strings.Trim(strings.TrimSpace(value), `'"`); !found || value == "" {
				continue
			}
			if next = strings.HasPrefix(value, "|") || strings.HasPrefix(value, ">"); !next {
				return value
			}
			line = ""
		}
		if next && line != "" {
			return line
		}
	}
	return firstLine(block)
}
