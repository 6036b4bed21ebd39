package steering

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// pathname is a path and its folded twin, by component.
type pathname struct {
	parts  []string
	folded []string
}

func split(name string) pathname {
	p := pathname{parts: strings.Split(name, "/")}
	p.folded = make([]string, len(p.parts))
	for i, part := range p.parts {
		p.folded[i] = fold(part)
	}
	return p
}

// fold returns what a component is on file systems that do not tell letters apart by
// case, normalise them, or do not see some of them. Two components with the same fold
// are twins.
func fold(part string) string {
	if isASCII(part) {
		return strings.ToLower(part)
	}
	visible := strings.Map(func(r rune) rune {
		if ignorable(r) {
			return -1
		}
		return r
	}, norm.NFKC.String(part))
	return norm.NFKC.String(cases.Fold().String(visible))
}

// ignorable tells whether HFS+ and its kin do not see a letter (git's
// is_hfs_dotgit), or nobody does.
func ignorable(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || unicode.Is(unicode.Variation_Selector, r)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// repository rules on the repository's own data, and on the names that some system
// takes for it: git guards against the same (path.c, verify_path).
func repository(p pathname) (Ruling, bool) {
	for i, folded := range p.folded {
		for plain := range strings.SplitSeq(folded, `\`) { // which is a separator elsewhere
			plain, _, _ = strings.Cut(plain, ":") // a stream of NTFS
			plain = strings.TrimRight(plain, ". ")
			if plain != ".git" && plain != "git~1" {
				continue
			}
			if p.parts[i] == ".git" {
				return Ruling{Fate: Restored, Why: ".git is the repository's own data"}, true
			}
			return Ruling{Fate: Restored, Kind: KindEscape, Why: p.parts[i] + " is a twin of .git, the repository's own data"}, true
		}
	}
	return Ruling{}, false
}
