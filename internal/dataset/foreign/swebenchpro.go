package foreign

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"assay"
)

// convertSWEBenchPro reads a row of SWE-bench Pro. The scripts that run its tests and
// read their log are not in the rows but in the folder run_scripts of the project's
// repository, which is to lie beside the file.
//
// https://github.com/scaleapi/SWE-bench_Pro-os
func convertSWEBenchPro(c *columns, o Options) *assay.Sample {
	s := sweSample(c, o)
	s.FailToPass, s.PassToPass = unique(c.pythonList("fail_to_pass")), unique(c.pythonList("pass_to_pass"))
	// Agents are told all three (helper_code/create_problem_statement.py).
	s.ProblemStatement = withSection(s.ProblemStatement, "Requirements:", c.text("requirements"))
	s.ProblemStatement = withSection(s.ProblemStatement, "New interfaces introduced:", c.text("interface"))
	t := &s.Task
	t.Image = "jefzda/sweap-images:" + proTag(c, s)
	t.Workdir = "/app"
	if t.Language == "" {
		t.Language = c.text("repo_language")
	}
	t.Verifier.User, t.Verifier.ExitCode = assay.UserRoot, assay.ExitIgnored
	t.Verifier.Reports = []assay.ReportSpec{{Path: assay.ReportsPlaceholder + "/tests.xml", Format: junitXML}}
	t.Verifier.Command = proCommand(c, s)
	return s
}

// withSection puts a section below a text, unless it is empty.
func withSection(text, title, section string) string {
	if section = strings.TrimSpace(section); section == "" {
		return text
	}
	return strings.TrimSpace(text) + "\n\n" + title + "\n" + section
}

// maxTag is how long the tag of an image may be.
const maxTag = 128

func proTag(c *columns, s *assay.Sample) string {
	tag := c.text("dockerhub_tag")
	if owner, repo, ok := strings.Cut(strings.ToLower(s.Repo), "/"); tag == "" && ok {
		tag = owner + "." + repo + "-" + strings.TrimPrefix(s.ID, "instance_")
	}
	return tag[:min(len(tag), maxTag)]
}

// proCommand returns what runs the tests of a row and writes what their parser found
// as JUnit XML; "" when the scripts are not there, so that the command is missed.
func proCommand(c *columns, s *assay.Sample) string {
	id := s.ID
	files := map[string][]byte{"results.py": []byte(proResults)}
	for _, name := range []string{"run_script.sh", "parser.py"} {
		text, err := readBounded(c.dir, path.Join("run_scripts", id, name))
		if errors.Is(err, fs.ErrNotExist) {
			c.noCommand = "run_scripts/" + id + "/" + name + " does not lie beside the rows"
			return ""
		}
		if err != nil {
			c.fault("instance_id", "read run_scripts/%s/%s: %v", id, name, err)
			return ""
		}
		files[name] = text
	}
	unpack, err := unpackTo("/workspace", files)
	if err != nil {
		c.cannotJudge("its scripts: %v", err)
		return ""
	}
	selected := strings.Join(c.pythonList("selected_test_files_to_run"), ",")
	before := strings.TrimSpace(c.text("before_repo_set_cmd"))
	before = before[strings.LastIndexByte(before, '\n')+1:] // the lines above reset the work tree
	lays := laidFor(s)
	lays.base = "" // it takes the tests from the fix's commit, as the test patch has them
	return unpack + c.withoutSteps(lays, before) + `
bash /workspace/run_script.sh ` + quoteShell(selected) + ` > /workspace/stdout.log 2> /workspace/stderr.log
cat /workspace/stdout.log
cat /workspace/stderr.log >&2
python /workspace/parser.py /workspace/stdout.log /workspace/stderr.log /workspace/output.json
python /workspace/results.py /workspace/output.json "$ASSAY_REPORTS/tests.xml"
`
}

// proResults writes the output of a parser of SWE-bench Pro as JUnit XML.
const proResults = `import json, sys
from xml.sax.saxutils import quoteattr
kinds = {"PASSED": "", "SKIPPED": "<skipped/>", "FAILED": "<failure/>", "ERROR": "<error/>"}
with open(sys.argv[1]) as f:
    tests = json.load(f)["tests"]
with open(sys.argv[2], "w", encoding="utf-8") as f:
    f.write('<testsuite name="tests" tests="%d">\n' % len(tests))
    for t in tests:
        f.write("<testcase name=%s>%s</testcase>\n" % (quoteattr(t["name"], {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"}), kinds[t["status"]]))
    f.write("</testsuite>\n")
`
