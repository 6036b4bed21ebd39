package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"assay"
)

// kind is what a script is, and so what must come of it.
type kind string

const (
	attack kind = "attack" // must not be solved
	honest kind = "honest" // must be solved
	// limit is an attack of which nothing but the code under test can tell what it is, so
	// that it may be solved; docs/verdicts.md says so. Its tampering must be seen.
	limit kind = "limit"
	// guess and knows are generated attacks, of the classes guessing and knowing.
	guess kind = "guess"
	knows kind = "knows"
)

// script is one script of the corpus. README.md says what its header holds.
type script struct {
	Name     string // folder/file, without .sh
	Kind     kind
	Text     string
	Sample   string
	Variant  string // how its sample is judged otherwise than it says itself; "" when it is not
	Searched bool   // alterations of its sample's tests are known, so that rounds judge it
	NewUser  bool   // it is tried as a user that has tried nothing yet
	Solution bool   // it solves its task itself, and is not given the reference fix
	Knows    []string
	Proof    proof
	From     *Generated            // of one that was generated
	Expected []assay.TamperingKind // that its verdict must show, and, of an honest one, may
}

// The things that an attack may know beforehand.
const (
	knowsTests  = "tests"  // the names of the expected tests, as whoever read the public dataset does
	knowsHidden = "hidden" // the tests that judge lie in the session from its beginning
	knowsSource = "source" // the files of tests as they are when they judge, apart from the work tree
)

// tamperingKinds are the kinds that a header may name.
var tamperingKinds = []assay.TamperingKind{
	assay.TamperingAdded, assay.TamperingTest, assay.TamperingSteering, assay.TamperingReport, assay.TamperingEscape,
	assay.TamperingCode, assay.TamperingHistory, assay.TamperingForgery,
}

// fields are the fields that a header of a kind must hold, and may hold.
var fields = map[kind]struct{ must, may []string }{
	attack: {[]string{"VULNERABILITY", "ATTACK", "VERIFIES", "SAMPLE", "TAMPERING", "PROOF"}, []string{"VARIANT", "KNOWS", "LIMIT"}},
	honest: {[]string{"VERIFIES", "SAMPLE", "TAMPERING"}, []string{"ODDITY", "SOLUTION", "VARIANT"}},
}

// readScripts reads all scripts below dir, by name. An error tells of every header that is wrong.
func readScripts(dir string, k kind) (all []script, err error) {
	var wrong []error
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".sh" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, strings.TrimSuffix(path, ".sh"))
		if err != nil {
			return err
		}
		s, err := parseScript(name, k, string(text))
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", path, err))
		}
		all = append(all, s)
		return nil
	})
	return all, errors.Join(append(wrong, err)...)
}

// parseScript reads a script and its header.
func parseScript(name string, k kind, text string) (script, error) {
	s := script{Name: name, Kind: k, Text: text}
	head, err := parseHeader(text)
	if err != nil {
		return s, err
	}
	allowed := fields[k]
	var wrong []error
	for _, field := range allowed.must {
		if head[field] == "" {
			wrong = append(wrong, fmt.Errorf("the header has no %s", field))
		}
	}
	for field := range head {
		if !slices.Contains(allowed.must, field) && !slices.Contains(allowed.may, field) {
			wrong = append(wrong, fmt.Errorf("%s is no field of the header", field))
		}
	}
	if k == honest && (head["ODDITY"] == "") == (head["SOLUTION"] == "") {
		wrong = append(wrong, errors.New("the header has neither ODDITY nor SOLUTION, or both"))
	}
	s.Sample, s.Variant, s.Solution = head["SAMPLE"], head["VARIANT"], head["SOLUTION"] != ""
	if head["LIMIT"] != "" {
		s.Kind = limit
	}
	s.Expected, err = tampering(head["TAMPERING"])
	wrong = append(wrong, err)
	s.Proof, err = parseProof(head["PROOF"])
	wrong = append(wrong, err)
	for _, known := range words(head["KNOWS"]) {
		if known != knowsTests && known != knowsHidden && known != knowsSource {
			wrong = append(wrong, fmt.Errorf("KNOWS is of %s, %s and %s, not %q", knowsTests, knowsHidden, knowsSource, known))
		}
		s.Knows = append(s.Knows, known)
	}
	return s, errors.Join(wrong...)
}

// parseHeader reads the comment at the head of a script: fields, "# NAME: text", whose
// text goes on in lines that begin with "#   ". It ends with the first line that is no comment.
func parseHeader(text string) (map[string]string, error) {
	rest, ok := strings.CutPrefix(text, "#!/usr/bin/env bash\n")
	if !ok {
		return nil, errors.New("the first line is not #!/usr/bin/env bash")
	}
	head, last := map[string]string{}, ""
	for line := range strings.Lines(rest) {
		comment, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "#")
		if !ok {
			break
		}
		name, value, isField := strings.Cut(strings.TrimPrefix(comment, " "), ": ")
		switch {
		case strings.HasPrefix(comment, "   ") && last != "":
			head[last] += " " + strings.TrimSpace(comment)
		case strings.HasPrefix(comment, " shellcheck "):
		case !isField || strings.ToUpper(name) != name:
			return nil, fmt.Errorf("%q is no field of a header", line)
		case head[name] != "":
			return nil, fmt.Errorf("the header has two %s", name)
		default:
			head[name], last = strings.TrimSpace(value), name
		}
	}
	return head, nil
}

// tampering reads a list of kinds, or "none".
func tampering(text string) ([]assay.TamperingKind, error) {
	if text == "none" {
		return nil, nil
	}
	var kinds []assay.TamperingKind
	for _, word := range words(text) {
		k := assay.TamperingKind(word)
		if !slices.Contains(tamperingKinds, k) {
			return nil, fmt.Errorf("TAMPERING is none, or of %q, not %q", tamperingKinds, word)
		}
		kinds = append(kinds, k)
	}
	return kinds, nil
}

// words splits a list at its commas.
func words(text string) (list []string) {
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" {
			list = append(list, word)
		}
	}
	return list
}
