// Package narrow fills the command by which a verifier runs some of its tests alone.
package narrow

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"assay/internal/testid"
)

// The placeholders of a command.
const (
	Files = "{files}" // of the tests; in Go their packages
	Tests = "{tests}" // see Fill
)

// MaxBytes bounds a filled command, in bytes: a kernel takes 128 KiB for one argument.
const MaxBytes = 100 << 10

// Test is a test that is to be run.
type Test struct {
	ID   string // as the reports name it
	File string // that it stands in, relative to the work tree; "" when its ID tells
}

// Check tells what is wrong with a command that has yet to be filled.
func Check(command string) error {
	if !strings.Contains(command, Files) && !strings.Contains(command, Tests) {
		return fmt.Errorf("it holds neither %s nor %s, so that it runs the same tests whichever are asked for", Files, Tests)
	}
	for _, placeholder := range []string{Files, Tests} {
		for i, part := range strings.Split(command, placeholder) {
			before, after := strings.HasSuffix(part, "'") || strings.HasSuffix(part, `"`), strings.HasPrefix(part, "'") || strings.HasPrefix(part, `"`)
			last := i == strings.Count(command, placeholder)
			if before && !last || after && i > 0 {
				return fmt.Errorf("%s stands beside a quotation mark; it is quoted when it is filled", placeholder)
			}
		}
	}
	return nil
}

// Fill returns the command that runs some tests, by the rules of their language: each
// placeholder becomes words that are quoted for the shell. It runs these tests and
// perhaps more: parameters and subtests are never named, so that of a test all are run.
//
//	language     {files}          {tests}
//	python       tests/test_a.py  tests/test_a.py::TestB::test_c, the node ids of pytest
//	go           import/path      ^(TestA|TestB)$, a pattern in one word, for -run
//	javascript   test/a.test.js   (title|other), a pattern in one word, for -t, -g and the like
//	any other    the files        the names, without parameters
//
// The error is about a test of which the command would have to say what is not known.
func Fill(command, language string, tests []Test) (string, error) {
	if len(tests) == 0 {
		return "", fmt.Errorf("there is no test to run")
	}
	if err := Check(command); err != nil {
		return "", err
	}
	files, names, err := words(language, tests, strings.Contains(command, Files))
	if err != nil {
		return "", err
	}
	filled := strings.NewReplacer(Files, quoted(files), Tests, quoted(names)).Replace(command)
	if len(filled) > MaxBytes {
		return "", fmt.Errorf("the command for %d tests has %d bytes, more than %d", len(tests), len(filled), MaxBytes)
	}
	return filled, nil
}

// words are what the placeholders stand for, each word once, in the order of the tests.
func words(language string, tests []Test, needFiles bool) (files, names []string, err error) {
	for _, t := range tests {
		if strings.ContainsRune(t.ID+t.File, 0) {
			return nil, nil, fmt.Errorf("test %q has a NUL in its name", t.ID)
		}
		var name string
		file := t.File
		parts := testid.Of(language, t.ID)
		switch strings.ToLower(language) {
		case "python":
			file, name, err = python(t, parts)
		case "go", "golang":
			file, name, err = golang(t, parts)
		case "javascript", "typescript", "js", "ts":
			if file == "" && isFile(parts.Place) {
				file = parts.Place
			}
			name = pattern(parts.Name)
		default:
			parts.Rest = ""
			name = parts.String()
		}
		if err != nil {
			return nil, nil, err
		}
		if file == "" && needFiles {
			return nil, nil, fmt.Errorf("it is not known which file test %q is in", t.ID)
		}
		files, names = appendNew(files, file), appendNew(names, name)
	}
	switch strings.ToLower(language) {
	case "go", "golang":
		names = []string{"^(" + strings.Join(names, "|") + ")$"}
	case "javascript", "typescript", "js", "ts":
		names = []string{"(" + strings.Join(names, "|") + ")"}
	}
	return files, names, nil
}

func appendNew(list []string, word string) []string {
	if word == "" || slices.Contains(list, word) {
		return list
	}
	return append(list, word)
}

// python is the node id of a test, of which JUnit XML names the module with dots and the
// classes behind it, and unittest the same in parentheses.
func python(t Test, p testid.Parts) (file, name string, err error) {
	place, outer := p.Place, p.Outer
	if place == "" && strings.HasPrefix(p.Rest, " (") {
		place, _, _ = strings.Cut(p.Rest[2:], ")")
		place = strings.TrimSuffix(place, "."+p.Name) // as Python writes it from 3.11 on
	}
	file = t.File
	switch {
	case isFile(place):
		file = place
	case place != "":
		module, classes := cutClasses(place, file)
		if file == "" {
			file = strings.ReplaceAll(module, ".", "/") + ".py"
		}
		outer = append(classes, outer...)
	}
	if file == "" || p.Name == "" || strings.ContainsFunc(p.Name, unicode.IsSpace) {
		return "", "", fmt.Errorf("it is not known how pytest calls test %q", t.ID)
	}
	return file, strings.Join(append(append([]string{file}, outer...), p.Name), "::"), nil
}

// cutClasses takes a dotted place apart. What its module is, the file tells where it is
// known, and else that classes begin with a capital letter.
func cutClasses(place, file string) (module string, classes []string) {
	all := strings.Split(place, ".")
	n := slices.IndexFunc(all, func(part string) bool { return part != "" && unicode.IsUpper([]rune(part)[0]) })
	if n < 0 {
		n = len(all)
	}
	if stem := strings.TrimSuffix(path.Base(file), ".py"); file != "" {
		if i := slices.Index(all, stem); i >= 0 {
			n = i + 1
		}
	}
	return strings.Join(all[:n], "."), slices.Clone(all[n:])
}

// golang is the package of a test and its function.
func golang(t Test, p testid.Parts) (pkg, name string, err error) {
	pkg = p.Place
	if pkg == "" && t.File != "" {
		pkg = "./" + path.Dir(t.File)
	}
	if p.Name == "" || !identifier.MatchString(p.Name) {
		return "", "", fmt.Errorf("test %q is no function of Go", t.ID)
	}
	return pkg, p.Name, nil
}

var identifier = regexp.MustCompile(`^[\pL_][\pL\pN_]*$`)

// isFile tells a path from a module or a title.
func isFile(place string) bool {
	switch path.Ext(place) {
	case ".py", ".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx":
		return true
	}
	return false
}

// pattern is a regular expression, of Go's and of JavaScript's, that matches a title.
func pattern(title string) string { return regexp.QuoteMeta(title) }

// quoted are words for the shell.
func quoted(words []string) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	return strings.Join(all, " ")
}
