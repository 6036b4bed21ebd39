package foreign

import (
	"strings"

	"assay"
	"assay/internal/patch"
)

// codesetReports are where the verifiers of Codeset leave JUnit XML, by language, below
// the work tree (codeset_gym/test_collectors).
var codesetReports = map[string][]string{
	"python":     {"report.xml", "test_reports/*.xml"},
	"java":       {"target/surefire-reports/*.xml", "build/test-results/test/*.xml"},
	"javascript": {"test-results/junit.xml", "test-results/test-results.xml"},
	"go":         {"test-results.xml", "go-test-report.xml"},
	"rust":       {"target/junit.xml", "test-results.xml"},
	"c#":         {"TestResults/*.xml", "test-results.xml"},
	"cpp":        {"gtest_output.xml", "test-results.xml"},
}

// codesetLanguages are other names of the languages.
var codesetLanguages = map[string]string{
	"js": "javascript", "ts": "javascript", "typescript": "javascript", "golang": "go", "csharp": "c#", "c": "cpp", "c++": "cpp",
}

// convertCodeset reads a row of codeset-gym. Its images bring /verifier.sh, and the
// tests of the fix: there is no test_patch, or it is in the image already.
//
// https://github.com/codeset-ai/codeset-gym
func convertCodeset(c *columns, o Options) *assay.Sample {
	s := sweSample(c, o)
	s.NonCodePatch = c.text("non_code_patch")
	testPatch := s.TestPatch
	s.TestPatch = ""
	s.FailToPass, s.PassToPass, s.FailToFail = c.tests("FAIL_TO_PASS"), c.tests("PASS_TO_PASS"), c.tests("FAIL_TO_FAIL")
	t := &s.Task
	t.Image = "codeset-platform.{dataset}.{instance_id}:latest"
	t.Workdir = codesetWorkdir(c, s.ID)
	t.Grading = assay.GradingExact
	if t.Language == "" {
		if t.Language = c.text("language"); t.Language == "" {
			t.Language = "python" // as its command line takes it
		}
	}
	v := &t.Verifier
	v.User, v.ExitCode = assay.UserRoot, assay.ExitIgnored
	language := strings.ToLower(t.Language)
	if other := codesetLanguages[language]; other != "" {
		language = other
	}
	v.Protected = touched(c, "test_patch", testPatch)
	reports := codesetReports[language]
	if reports == nil {
		c.cannotJudge("it is not known where tests in %s leave their reports", t.Language)
	}
	v.Command = "rm -rf " + strings.Join(reports, " ") + "\n/verifier.sh\n"
	for _, path := range reports {
		v.Reports = append(v.Reports, assay.ReportSpec{Path: path, Format: junitXML})
	}
	return s
}

// touched returns the files that a patch touches, as patterns.
func touched(c *columns, column, text string) []string {
	if text == "" {
		return nil
	}
	set, err := patch.Parse(text)
	if err != nil {
		c.fault(column, "%v", err)
		return nil
	}
	var names []string
	for _, f := range set.Files {
		for _, name := range []string{f.Old, f.New} {
			if name != "" {
				names = append(names, anything.Replace(name))
			}
		}
	}
	return unique(names)
}

// anything puts a wildcard for a character that means something in a pattern.
var anything = strings.NewReplacer("*", "?", "[", "?", "]", "?", "{", "?", "}", "?", "!", "?", `\`, "?")

// codesetWorkdir is where the repository lies: below the root, by the name that stands
// in the id between the owner and the number.
func codesetWorkdir(c *columns, id string) string {
	_, rest, ok := strings.Cut(id, "__")
	name := rest
	if at := strings.LastIndexByte(rest, '-'); at > 0 {
		name = rest[:at]
	}
	if !ok || name == "" {
		c.fault("instance_id", "%q is not of the form owner__name-number", id)
	}
	return "/" + name
}
