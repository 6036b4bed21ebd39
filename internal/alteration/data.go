package alteration

import (
	"bytes"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"
)

// largestData is how large a file of test data may be. What is larger is hardly compared
// in full, and an edit in its midst changes nothing more than one in a smaller file.
const largestData = 1 << 20 // bytes

// snapshot begins an entry of a file of snapshots, by its test's name.
var snapshot = regexp.MustCompile("^exports\\[`(.*)`\\] = `")

// DataCandidates returns edits of one character each of a file that tests read: values of
// JSON but not its keys, and lines of any other text. Files that are no text, or are
// larger than 1 MiB, have none. The name of a snapshot, which is not edited, is the
// region of its edits.
func DataCandidates(name string, content []byte, o Options) []Edit {
	if len(content) > largestData || !utf8.Valid(content) || bytes.IndexByte(content, 0) >= 0 {
		return nil
	}
	o = o.withDefaults()
	f := File{Path: name, Source: content}
	s := &search{file: newFile(javascript, File{Path: name}), o: o, rng: random(o.Seed, name)}
	if path.Ext(name) == ".json" {
		s.file = newFile(javascript, f)
		s.jsonValues()
	} else {
		s.textLines(content)
	}
	NotIn(s.edits, content, o.Old)
	NotTold(s.edits, o.Issue)
	return spread(s.edits, o, s.rng)
}

// jsonValues adds edits of what is no key.
func (s *search) jsonValues() {
	s.purposes = map[int]purpose{}
	for i, tok := range s.toks {
		if s.op(i+1, ":") {
			continue
		}
		var variants []string
		switch {
		case tok.Kind == String:
			variants = s.strings(i)
		case tok.Kind == Number:
			variants = s.numbers(s.text(i))
		case tok.Kind == Keyword && s.text(i) != s.lang.Nulls[0]:
			variants = []string{s.constant(i)}
		}
		rank := rankExpected
		if tok.Kind == Keyword {
			rank = rankFlip
		}
		most := min(s.o.PerToken, 2)
		for _, text := range variants {
			e := Edit{Start: tok.Start, End: tok.End, New: text, Kind: DataEdit, Rank: rank}
			if most > 0 && text != "" && s.add(i, purpose{table: -1, row: s.first[i]}, e) {
				most--
			}
		}
	}
}

// textLines adds edits of lines that differ from those beside them.
func (s *search) textLines(content []byte) {
	region, at := "", 0
	lines := strings.SplitAfter(string(content), "\n")
	for n, line := range lines {
		text := strings.TrimRight(line, "\r\n")
		start := at
		at += len(line)
		if m := snapshot.FindStringSubmatch(text); m != nil {
			region = m[1]
			text = text[len(m[0]):]
			start += len(m[0])
		} else if s.lineRepeats(lines, n) {
			continue
		}
		if region != "" { // the end of a snapshot
			text = strings.TrimSuffix(text, "`;")
		}
		most := min(s.o.PerToken, 2)
		for _, v := range s.substitutions(text, s.fromTheMiddle(text, editable(text))) {
			if most == 0 {
				break
			}
			most--
			s.edits = append(s.edits, Edit{File: s.path, Start: start, End: start + len(text), Old: text, New: v, Kind: DataEdit,
				Line: n + 1, Region: region, Row: start})
		}
	}
}

// lineRepeats tells whether a line stands in its neighbourhood again.
func (s *search) lineRepeats(lines []string, n int) bool {
	for m := max(0, n-sight); m <= min(len(lines)-1, n+sight); m++ {
		if m != n && lines[m] == lines[n] {
			return true
		}
	}
	return false
}

var (
	dataName   = regexp.MustCompile(`(?i)\.(?:json|jsonl|txt|golden|snap|snapshot|out|output|expected|want|approved|stdout|stderr|ya?ml|csv|tsv|xml|html?|svg|css|md|rst|toml|ini|env|log|sql|diff|patch|tmpl)$`)
	dataFolder = regexp.MustCompile(`(?i)(?:^|/)(?:testdata|test_data|fixtures?|goldens?|__snapshots__|snapshots|expected|expectations)/`)
	manifest   = regexp.MustCompile(`(?i)^(?:package(?:-lock)?|tsconfig|composer|deno|jest\.config|\.mocharc|\.eslintrc|go)\.(?:json|mod|sum|lock|ya?ml)$|^(?:readme|changelog|license|contributing)\b|^(?:tox|pytest|setup)\.(?:ini|cfg|toml)$|^pyproject\.toml$`)
)

// IsData tells whether a file, by its name, may be data that tests read.
func IsData(name string) bool {
	return LanguageOf(name) == nil && !manifest.MatchString(path.Base(name)) && (dataName.MatchString(name) || dataFolder.MatchString(name))
}
