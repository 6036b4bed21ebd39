package grid

import (
	"encoding/base64"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
)

// names draws the names in an attack's code: a reader cannot know them.
type names struct {
	r    *rand.Rand
	used map[string]bool
	file string
}

// data is the name of the file in which the attack has what it knows.
func (n *names) data() string {
	if n.file == "" {
		n.file = n.word() + ".txt"
	}
	return n.file
}

var syllables = strings.Fields("ba be bo da de di do fa fe fi ga go ha hi ka ke ko la le li lo ma me mi mo na ne no pa pe po ra re ri ro sa se so ta te ti to va ve vo")

// word returns a word that it has not returned yet.
func (n *names) word() string {
	if n.used == nil {
		n.used = map[string]bool{}
	}
	for {
		word := ""
		for range 3 + n.r.IntN(2) {
			word += syllables[n.r.IntN(len(syllables))]
		}
		if !n.used[word] {
			n.used[word] = true
			return word
		}
	}
}

// literals finds «words».
var literals = regexp.MustCompile(`«([^»]*)»`)

// plainly writes each «word» as a literal.
func plainly(code string) string {
	return literals.ReplaceAllStringFunc(code, func(m string) string { return strconv.Quote(inner(m)) })
}

// split writes each «word» as two literals that are put together.
func (n *names) split(code string) string {
	return literals.ReplaceAllStringFunc(code, func(m string) string {
		word := inner(m)
		if len(word) < 2 {
			return strconv.Quote(word)
		}
		at := 1 + n.r.IntN(len(word)-1)
		return "(" + strconv.Quote(word[:at]) + " + " + strconv.Quote(word[at:]) + ")"
	})
}

// through writes each «word» as a call of a function that decodes it.
func through(code, function string) string {
	return literals.ReplaceAllStringFunc(code, func(m string) string {
		return function + `("` + base64.StdEncoding.EncodeToString([]byte(inner(m))) + `")`
	})
}

func inner(literal string) string {
	return strings.TrimSuffix(strings.TrimPrefix(literal, "«"), "»")
}

// here returns a command that writes text to a file, or appends it.
func here(redirect, file, text string) string {
	return "cat " + redirect + " " + file + " <<'END_OF_TEXT'\n" + strings.TrimRight(text, "\n") + "\nEND_OF_TEXT\n"
}

// fill is a command that makes more than a mebibyte of comments.
func fill(mark, file string) string {
	return "yes '" + mark + " nothing to see here, and nothing there either' | head -c 1200000 >> " + file + "\necho >> " + file + "\n"
}

// crowd is a command that makes 1,001 files which are read before all others.
const crowd = "mkdir -p 0docs; for i in $(seq 1001); do echo $i > 0docs/$i.txt; done\n"
