package testreport

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxProblems    = 100
	maxProblemText = 2 << 10
)

// problem notes something that belongs to no test.
func (r *Report) problem(text string) {
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, clip(text, maxProblemText))
		return
	}
	r.unlisted++
	last := fmt.Sprintf("and %d more", r.unlisted)
	r.Problems = append(r.Problems[:maxProblems], last)
}

// clean makes s valid UTF-8 without NUL, which databases refuse.
func clean(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// clip cuts s to at most limit bytes, on a character's border.
func clip(s string, limit int) string {
	if len(s) <= limit {
		whole := clean(s)
		if len(whole) <= limit {
			return whole
		}
		s = whole
	} else {
		cut := limit
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = clean(s[:cut])
	}
	for len(s) > limit { // clean made it longer
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return strings.Clone(s)
}

// excerpt keeps the beginning and the end of a text, limit bytes of it at most.
type excerpt struct {
	head, tail []byte
	limit      int
	cut        bool
}

func (e *excerpt) add(s string) {
	half := e.limit / 2
	if room := half - len(e.head); room > 0 && len(e.tail) == 0 {
		n := min(room, len(s))
		e.head = append(e.head, s[:n]...)
		s = s[n:]
	}
	if len(s) > half {
		s, e.cut = s[len(s)-half:], true
	}
	e.tail = append(e.tail, s...)
	if len(e.tail) > 2*half { // trimmed now and then, not at every line
		e.tail = append(e.tail[:0], e.tail[len(e.tail)-half:]...)
		e.cut = true
	}
}

const cutMark = "\n[...]\n"

func (e *excerpt) String() string {
	half := e.limit / 2
	tail := e.tail
	if over := len(tail) - half; over > 0 {
		tail = tail[over:]
	} else if !e.cut {
		return clip(string(e.head)+string(tail), e.limit)
	}
	tail = tail[min(len(cutMark), len(tail)):] // makes room for the mark
	for len(tail) > 0 && !utf8.RuneStart(tail[0]) {
		tail = tail[1:]
	}
	return clip(clip(string(e.head), half)+cutMark+string(tail), e.limit)
}

// duration turns reported seconds into a duration; nonsense is 0.
func duration(seconds float64) time.Duration {
	const most = 365 * 24 * 3600
	if math.IsNaN(seconds) || seconds < 0 || seconds > most {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}
