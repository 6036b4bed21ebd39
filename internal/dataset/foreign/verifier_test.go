package foreign

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay"
)

// bash runs a command as a verifier does, and returns its standard output.
func bash(t *testing.T, dir, command string, env ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-c", command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Logf("it ended with %v: %s", err, stderr.String())
	}
	return string(out)
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMarkersAreLinesOfTheOutput: what stands between begin and end of a report is the
// output of the tests, on both streams, and nothing of the rest.
func TestMarkersAreLinesOfTheOutput(t *testing.T) {
	for name, marker := range map[string]string{"traced": ": ", "echoed": "echo "} {
		t.Run(name, func(t *testing.T) {
			s := &assay.Sample{Task: newTask()}
			evalScript(s, "#!/bin/bash\nset -uxo pipefail\necho before\n"+
				marker+"'"+startMarker+"'\n(echo tests; echo faults >&2)\n"+marker+"'"+endMarker+"'\necho after\n", "parse_log_pytest")
			lines := strings.Split(bash(t, t.TempDir(), s.Task.Verifier.Command), "\n")
			report := s.Task.Verifier.Reports[0]
			begin, end := slices.Index(lines, report.Begin), slices.Index(lines, report.End)
			if begin < 0 || end < begin {
				t.Fatalf("%q and %q are no lines of %q", report.Begin, report.End, lines)
			}
			between := strings.Join(lines[begin+1:end], "\n")
			if !strings.Contains(between, "tests") || !strings.Contains(between, "faults") || strings.Contains(between, "before") || strings.Contains(between, "after") {
				t.Errorf("between them stands %q", between)
			}
		})
	}
}

// TestToxHasNotTheLastWord: what tox writes below pytest's report does not reach it.
func TestToxHasNotTheLastWord(t *testing.T) {
	bin := t.TempDir()
	write(t, bin, map[string]string{"tox": `#!/bin/sh
printf '%s\n' 'py39: commands[0]> pytest -rA' 'PASSED a::b' '=== 1 passed in 0.01s ===' \
  '.pkg: _exit> python -c pass' '  py39: OK (3.2=setup[0.1]+cmd[3.1] seconds)' '  congratulations :) (3.3 seconds)'
`})
	if err := os.Chmod(filepath.Join(bin, "tox"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := &assay.Sample{Task: newTask()}
	evalScript(s, "set -uxo pipefail\n: '"+startMarker+"'\ntox --current-env -epy39 -v -- tests\n: '"+endMarker+"'\ngit status\n", "parse_log_sphinx")
	out := bash(t, bin, s.Task.Verifier.Command, "PATH="+bin+":"+os.Getenv("PATH"))
	report := s.Task.Verifier.Reports[0]
	_, out, _ = strings.Cut(out, report.Begin+"\n")
	out, _, ended := strings.Cut(out, report.End+"\n")
	if !ended || !strings.HasSuffix(out, "PASSED a::b\n=== 1 passed in 0.01s ===\n") {
		t.Errorf("the report is %q", out)
	}
}

func TestOnlyWhatPrintCommandsPrintIsTheReport(t *testing.T) {
	c := &columns{row: map[string]any{
		"instance_id": "a", "problem_statement": "p", "log_parser": "pytest",
		"rebuild_cmds": []any{"echo built"}, "test_cmds": []any{"echo tests | tee log", "echo faults >&2"}, "print_cmds": []any{"cat log"},
	}}
	s := convertSWEBenchLive(c, Options{})
	if got := bash(t, t.TempDir(), s.Task.Verifier.Command); got != "tests\n" {
		t.Errorf("the report is %q", got)
	}
}

func TestPackedFilesAreLaidAsTheyWere(t *testing.T) {
	files := map[string][]byte{"a.sh": []byte("#!/bin/sh\necho 'ran'\n"), "sub/b": {0, 1, 2, '\n', 0xff}, "END_OF_FILES": nil}
	dir := filepath.Join(t.TempDir(), "it's here")
	write(t, dir, map[string]string{"stale": "of the agent"})
	lines, err := unpackTo(dir, files)
	if err != nil {
		t.Fatal(err)
	}
	if out := bash(t, t.TempDir(), lines+quoteShell(dir)+"/a.sh"); out != "ran\n" {
		t.Errorf("the script said %q", out)
	}
	got := map[string][]byte{}
	err = filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, p)
		if err == nil {
			got[name], err = os.ReadFile(p)
		}
		if len(got[name]) == 0 {
			got[name] = nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(files, got); diff != "" {
		t.Errorf("files differ (-want +got):\n%s", diff)
	}
}

func TestTooLargeTestsCannotBeJudged(t *testing.T) {
	noise := make([]byte, maxCommand)
	for i, n := range noise {
		noise[i] = byte(i*i>>3) ^ byte(i*2654435761>>11) ^ n
	}
	dir := t.TempDir()
	write(t, dir, map[string]string{"tests/test.sh": "true", "tests/noise": string(noise), "task.toml": "[verifier]\n", "instruction.md": "do"})
	source, err := Open(dir, "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	err = source.Each(func(r *Record) error {
		if !strings.Contains(r.Unsupported, "packed") {
			t.Errorf("got %+v", r)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTasksThatCannotBeJudged(t *testing.T) {
	compose := "services:\n  main: {}\n  database: {}\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"steps":              {map[string]string{"task.toml": "[[steps]]\nname = 'a'\n"}, "several steps"},
		"an image of tests":  {map[string]string{"task.toml": "[verifier]\nenvironment_mode = 'separate'\n"}, "an image of its own"},
		"containers":         {map[string]string{"task.toml": "", "environment/docker-compose.yaml": compose}, "several containers"},
		"a secret":           {map[string]string{"task.toml": "[environment.env]\nKEY = '${KEY}'\n"}, "its sandbox needs ${KEY}"},
		"older containers":   {map[string]string{"task.yaml": "instruction: do", "docker-compose.yaml": compose}, "several containers"},
		"another log parser": {map[string]string{"task.yaml": "instruction: do\nparser_name: mlebench\n"}, `read by "mlebench"`},
		"the agent's shell":  {map[string]string{"task.yaml": "instruction: do\nrun_tests_in_same_shell: true\n"}, "shell that the agent used"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, map[string]string{"instruction.md": "do", "tests/test.sh": "true", "run-tests.sh": "true"})
			write(t, dir, c.files)
			if c.files["task.toml"] == "" && c.files["task.yaml"] == "" {
				write(t, dir, map[string]string{"task.toml": "[metadata]\n"})
			}
			source, err := Open(dir, "", Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer source.Close()
			err = source.Each(func(r *Record) error {
				if len(r.Faults) > 0 || !strings.Contains(r.Unsupported, c.want) {
					t.Errorf("got %+v, want %q", r, c.want)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestBrokenTasksAreFaults(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"no instruction": {map[string]string{"task.toml": "[metadata]\n", "tests/test.sh": "true"}, "instruction.md: "},
		"no tests":       {map[string]string{"task.toml": "[metadata]\n", "instruction.md": "do"}, "tests/test.sh: "},
		"no TOML":        {map[string]string{"task.toml": "[", "instruction.md": "do", "tests/test.sh": "true"}, "task.toml: "},
		"no size": {
			map[string]string{"task.toml": "[environment]\nmemory = 'much'\n", "instruction.md": "do", "tests/test.sh": "true"},
			`task.toml: environment.memory: "much" is not a size`,
		},
		"no variable": {
			map[string]string{"task.toml": "[verifier.env]\n'A;B' = '1'\n", "instruction.md": "do", "tests/test.sh": "true"},
			`"A;B" is no name of a variable`,
		},
		"no YAML":            {map[string]string{"task.yaml": "instruction: [", "run-tests.sh": "true"}, "task.yaml: "},
		"no older task":      {map[string]string{"task.yaml": "difficulty: easy", "run-tests.sh": "true"}, "task.yaml: instruction is empty"},
		"no script of tests": {map[string]string{"task.yaml": "instruction: do"}, "run-tests.sh: "},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, c.files)
			source, err := Open(dir, "", Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer source.Close()
			err = source.Each(func(r *Record) error {
				var all []string
				for _, f := range r.Faults {
					all = append(all, f.Column+": "+f.Message)
				}
				if !strings.Contains(strings.Join(all, "\n"), c.want) {
					t.Errorf("got %q, want %q", all, c.want)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestHarborTestsAreRun runs the verifier of a task, with /tests and /logs elsewhere.
func TestHarborTestsAreRun(t *testing.T) {
	root := t.TempDir()
	c := &columns{}
	s := convertHarbor(os.DirFS("testdata/harbor/fix-permissions"), "fix-permissions", c, Options{})
	if len(c.faults) > 0 {
		t.Fatal(c.faults)
	}
	elsewhere := strings.NewReplacer("/tests", root+"/tests", "/logs", root+"/logs")
	// The script that is packed names /tests itself.
	command := elsewhere.Replace(s.Task.Verifier.Command)
	command = strings.Replace(command, "bash "+root, "sed -i 's#/tests#"+root+"/tests#; s#/logs#"+root+"/logs#' "+root+"/tests/test.sh\nbash "+root, 1)
	bash(t, root, command)
	got, err := os.ReadFile(filepath.Join(root, "logs/verifier/reward.txt"))
	if err != nil || string(got) != "1\n" {
		t.Errorf("the reward is %q, %v", got, err)
	}
}

func TestTerminalBenchRewards(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"all passed":     {"echo 'PASSED a::b'", "1\n"},
		"one failed":     {"echo 'PASSED a::b'; echo 'FAILED a::c - x'", "0\n"},
		"an error":       {"echo 'PASSED a::b'; echo 'ERROR a.py'", "0\n"},
		"nothing ran":    {"true", "0\n"},
		"it failed late": {"echo 'PASSED a::b'; exit 3", "0\n"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			write(t, root, map[string]string{"tests/run-tests.sh": c.script + "\n"})
			bash(t, root, strings.ReplaceAll(runTests, "/tests", root+"/tests"), assay.EnvReports+"="+root)
			got, err := os.ReadFile(filepath.Join(root, "reward.txt"))
			if err != nil || string(got) != c.want {
				t.Errorf("the reward is %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestR2ENamesAreThoseOfTheDataset(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{"run_tests.sh": `printf '%s\n' 'PASSED r2e_tests/test_1.py::TestWeb::test_a[x::y]' ` +
		`$'\e[31mFAILED\e[0m r2e_tests/test_1.py::test_b - E: a::b' 'ERROR r2e_tests/test_2.py' '= 1 passed ='` + "\n"})
	source, err := Open("testdata/r2e-gym", "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	err = source.Each(func(r *Record) error {
		got := bash(t, root, r.Sample.Task.Verifier.Command)
		want := "PASSED TestWeb.test_a[x.y]\nFAILED test_b - E: a.b\nERROR r2e_tests/test_2.py\n= 1 passed =\n"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the log differs (-want +got):\n%s", diff)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDuplicateTestsHaveTheWorstOutcome(t *testing.T) {
	result := func(name, outcome string) any {
		return map[string]any{"classname": "C", "name": name, "results": []any{map[string]any{"result": outcome}}}
	}
	job := func(tests ...any) any { return []any{map[string]any{"build_tool": "maven", "tests": tests}} }
	c := &columns{row: map[string]any{"actions_runs": []any{
		job(result("ignored", "Passed")),
		job(result("twice", "Passed"), result("twice", "Failure"), result("same", "Passed"), result("gone", "Passed")),
		job(result("twice", "Passed"), result("twice", "Skipped"), result("same", "Passed"), result("off", "Skipped"), result("bad", "Error"), result("bad", "Passed"), result("new", "Passed")),
	}}}
	before, after, tool := gitbugRuns(c)
	if len(c.faults) > 0 || tool != "maven" {
		t.Fatal(c.faults, tool)
	}
	failToPass, passToPass, failToFail := compareRuns(before, after)
	for _, l := range []struct{ want, got []string }{
		{[]string{"C::new", "C::twice"}, failToPass},
		{[]string{"C::same"}, passToPass},
		{[]string{"C::bad"}, failToFail},
	} {
		if diff := cmp.Diff(l.want, l.got); diff != "" {
			t.Errorf("lists differ (-want +got):\n%s", diff)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"512M": 512, "4G": 4096, "4GiB": 4096, "1.5gb": 1536, "100K": 1, "1T": 1 << 20} {
		if got, err := megabytes(text); err != nil || got != want {
			t.Errorf("%s: got %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "4", "G", "-1G", "NaNG", "many", "1e300T"} {
		if got, err := megabytes(text); err == nil {
			t.Errorf("%q is taken for %d MiB", text, got)
		}
	}
}
