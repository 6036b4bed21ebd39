package foreign

import (
	"regexp"
	"slices"
	"strings"

	"assay"
)

// CommandFor derives from a verifier's command the one that runs some tests alone, where
// one line of it calls pytest, go test or jest in a way that is known; "" elsewhere. It is
// a guess, which a validation tries with the reference fix before it is used.
func CommandFor(v *assay.Verifier) string {
	lines := strings.Split(v.Command, "\n")
	found := -1
	narrowed := ""
	for i, line := range lines {
		text := narrowLine(line, v.Reports)
		if text == "" {
			if runner.MatchString(line) {
				return "" // it runs tests in a way that is not known
			}
			continue
		}
		if found >= 0 {
			return "" // which of them runs what is asked for is not known
		}
		found, narrowed = i, text
	}
	if found < 0 {
		return ""
	}
	lines[found] = narrowed
	return strings.Join(lines, "\n")
}

// runner is in lines that call a runner of tests.
var runner = regexp.MustCompile(`\b(pytest|py\.test|go +test|jest)\b`)

// plain is a line of words without quotes, variables, pipes or redirections, but for one
// behind it.
var plain = regexp.MustCompile(`^(\s*)([\w./=:@,+\s-]+?)(\s+(?:2?>|\|\|).*|\s*)$`)

// narrowLine adds the placeholders to a line; "" when it calls no runner, or not plainly.
func narrowLine(line string, reports []assay.ReportSpec) string {
	m := plain.FindStringSubmatch(line)
	if m == nil {
		return ""
	}
	words := strings.Fields(m[2])
	var narrowed []string
	switch {
	case len(words) > 0 && (words[0] == "pytest" || words[0] == "py.test"):
		narrowed = pytest(words, 1)
	case len(words) > 2 && strings.HasPrefix(words[0], "python") && words[1] == "-m" && words[2] == "pytest":
		narrowed = pytest(words, 3)
	case len(words) > 1 && words[0] == "go" && words[1] == "test":
		narrowed = goTest(words, reports)
	case len(words) > 0 && words[0] == "jest":
		narrowed = jest(words, 1)
	case len(words) > 1 && (words[0] == "npx" || words[0] == "yarn") && words[1] == "jest":
		narrowed = jest(words, 2)
	}
	if narrowed == nil {
		return ""
	}
	return m[1] + strings.Join(narrowed, " ") + m[3]
}

// pytestValues are options of pytest whose value is the next word.
var pytestValues = []string{"-p", "-n", "-c", "-o", "-W", "-r", "--tb", "--rootdir", "--maxfail", "--timeout", "--durations"}

// pytest puts the tests in the place of the files and directories that are named.
func pytest(words []string, from int) []string {
	kept := slices.Clone(words[:from])
	for i := from; i < len(words); i++ {
		switch w := words[i]; {
		case w == "-k" || w == "-m" || w == "--deselect" || w == "--ignore":
			return nil // it selects by itself
		case slices.Contains(pytestValues, w) && i+1 < len(words):
			kept = append(kept, w, words[i+1])
			i++
		case strings.HasPrefix(w, "-"):
			kept = append(kept, w)
		}
	}
	return append(kept, "{tests}")
}

// goTest adds a pattern. Packages are named where the reports tell them.
func goTest(words []string, reports []assay.ReportSpec) []string {
	json := slices.ContainsFunc(reports, func(r assay.ReportSpec) bool { return r.Format == "go-test-json" })
	kept := []string{"go", "test"}
	var packages []string
	for _, w := range words[2:] {
		switch {
		case strings.HasPrefix(w, "-run") || w == "-args" || w == "-skip" || strings.HasPrefix(w, "-skip="):
			return nil // it selects by itself
		case strings.HasPrefix(w, "."):
			packages = append(packages, w)
		default:
			kept = append(kept, w)
		}
	}
	if len(packages) == 0 {
		return nil
	}
	if json {
		packages = []string{"{files}"}
	}
	return append(append(kept, "-run={tests}"), packages...)
}

// jest adds a pattern of titles.
func jest(words []string, from int) []string {
	for _, w := range words[from:] {
		if w == "-t" || strings.HasPrefix(w, "--testNamePattern") {
			return nil
		}
	}
	return slices.Concat(words[:from], []string{"-t", "{tests}"}, words[from:])
}
