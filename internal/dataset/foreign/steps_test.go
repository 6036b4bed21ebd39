package foreign

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay"
)

const (
	stepsBase  = "0123456789abcdef0123456789abcdef01234567"
	stepsOther = "fedcba9876543210fedcba9876543210fedcba98"
)

const stepsPatch = `diff --git a/tests/test_a.py b/tests/test_a.py
--- a/tests/test_a.py
+++ b/tests/test_a.py
@@ -1 +1,2 @@
 echo old
+echo new
diff --git a/tests/test b.py b/tests/test b.py
new file mode 100644
--- /dev/null
+++ b/tests/test b.py
@@ -0,0 +1 @@
+echo b
`

// stepsPart is the first of the two files of stepsPatch.
var stepsPart, _, _ = strings.Cut(stepsPatch, "diff --git a/tests/test b.py")

// ofEval is a script of SWE-bench, version 5, with what it does before the tests and
// behind them.
func ofEval(before, after string) string {
	return "#!/bin/bash\nset -uxo pipefail\ncd /testbed\n" + before + "python -m pip install -e . # again\n" +
		": '" + startMarker + "'\npytest -rA tests/test_a.py\n: '" + endMarker + "'\n" + after
}

func applied(how, patch string) string { return how + " <<'EOF_1'\n" + patch + "EOF_1\n" }

const (
	stepsTrust = "git config --global --add safe.directory /testbed\n"
	stepsPrint = "git status\ngit show\ngit -c core.fileMode=false diff " + stepsBase + "\n"
	stepsTo    = "git checkout " + stepsBase + " tests/test_a.py\n"
	stepsBoth  = "git checkout " + stepsBase + " tests/test_a.py && rm -f 'tests/test b.py'\n"
)

func TestStepsOfTheCleanRoomAreTakenOut(t *testing.T) {
	lay := applied("git apply -v -", stepsPatch)
	for name, c := range map[string]struct {
		before, after         string // of the row's script
		keptBefore, keptAfter string // of that, what is left
		taken                 StepsTaken
	}{
		"all of them": {
			stepsTrust + "cd /testbed\n" + stepsPrint + stepsTo + lay, stepsTo, "cd /testbed\n", "",
			StepsTaken{stepTrust: 1, stepPrint: 3, stepReset: 2, stepLay: 1},
		},
		"new tests, too": {stepsBoth + lay, stepsBoth, "", "", StepsTaken{stepReset: 2, stepLay: 1}},
		"only new tests": {"rm -f tests/test\\ b.py\n" + lay, "rm -f \"tests/test b.py\"\n", "", "", StepsTaken{stepReset: 2, stepLay: 1}},
		"no newline at the end": {
			lay, strings.TrimSuffix(stepsTo, "\n"), "", "", StepsTaken{stepReset: 1, stepLay: 1},
		},
		"other ways to write them": {
			"  git 'checkout' " + stepsBase + " -- \\\n    tests/test_a.py \\\n    \"tests/test b.py\"   # back\n" +
				applied("git apply", stepsPatch) + "git status;\n" + applied("git apply --verbose", stepsPatch), "", "", "",
			StepsTaken{stepReset: 1, stepLay: 2, stepPrint: 1},
		},
		"other delimiters": {
			"git apply -v - <<\"END OF IT\"\n" + stepsPatch + "END OF IT\ngit apply - <<\\STOP\n" + stepsPatch + "STOP\ngit apply <<x\n" + stepsPatch + "x\n",
			"", "", "", StepsTaken{stepLay: 3},
		},
		"a part of the test patch":           {applied("git apply -v -", stepsPart), "", "", "", StepsTaken{stepLay: 1}},
		"the test patch less its last lines": {applied("git apply -v -", strings.TrimRight(stepsPatch, "\n")+"\n\n\n"), "", "", "", StepsTaken{stepLay: 1}},
		"no patch":                           {stepsTo + "cp -a /assets/. /testbed/\n", stepsTo, "cp -a /assets/. /testbed/\n", "", StepsTaken{stepReset: 2}},
		"a patch beside it": {
			stepsTo + lay + "git apply fix-the-build.patch\ngit checkout " + stepsOther + " setup.py\n", stepsTo,
			"git apply fix-the-build.patch\ngit checkout " + stepsOther + " setup.py\n", "", StepsTaken{stepReset: 2, stepLay: 1},
		},
		"elsewhere in between": {
			"cd build\nmake\ncd ..\n" + stepsTo + lay + "(cd docs && make)\n", stepsTo, "cd build\nmake\ncd ..\n(cd docs && make)\n", "", StepsTaken{stepReset: 2, stepLay: 1},
		},
		"git is used further on": {
			stepsTrust + stepsPrint + "git submodule update --init\n", "", stepsTrust + "git submodule update --init\n", "", StepsTaken{stepPrint: 3},
		},
	} {
		t.Run(name, func(t *testing.T) {
			rest, taken, kept := laid{"/testbed", stepsBase, stepsPatch}.strip(ofEval(c.before, c.after))
			if diff := cmp.Diff(ofEval(c.keptBefore, c.keptAfter), rest); diff != "" {
				t.Errorf("the script differs (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.taken, taken); diff != "" || kept {
				t.Errorf("taken (-want +got), kept %v:\n%s", kept, diff)
			}
		})
	}
}

// TestWhatResemblesAStepStays: each of these scripts comes through byte for byte.
func TestWhatResemblesAStepStays(t *testing.T) {
	for name, before := range map[string]string{
		"a pipe":                             "git diff " + stepsBase + " | tee changes\ngit status | cat\n",
		"a file":                             "git diff " + stepsBase + " > changes\ngit show 2>/dev/null\n",
		"a value":                            "changes=$(git diff " + stepsBase + ")\n",
		"a condition":                        "if ! git diff --quiet HEAD -- package.json; then npm install; fi\ngit status && make\n! git status\n",
		"inside":                             "if true; then\ngit status\nfi\nfor i in 1 2; do\n  git show\ndone\nf() {\ngit status\n}\n{\ngit status\n}\n(\ngit status\n)\n",
		"in the background":                  "git status &\n",
		"beside others":                      "git status; make\nmake; git status\n",
		"whose end is read":                  "git status\necho $?\ngit show\n[ ${PIPESTATUS[0]} = 0 ]\n",
		"with settings":                      "GIT_PAGER=less git show\n",
		"of other things":                    "git status --porcelain\ngit show HEAD:a\ngit diff\ngit diff HEAD\ngit diff " + stepsOther + "\ngit -C /other status\n",
		"of another directory":               "git config --global --add safe.directory /other\ngit config safe.directory /testbed\n",
		"another commit":                     "git checkout " + stepsOther + " tests/test_a.py\n",
		"another branch":                     "git checkout main\ngit checkout -b tests\ngit checkout " + stepsBase + "\n",
		"other files":                        "git checkout " + stepsBase + " setup.py\nrm -f build.log\n",
		"tests and other files":              "git checkout " + stepsBase + " tests/test_a.py tests/conftest.py\n",
		"a pattern":                          "git checkout " + stepsBase + " tests/test_[ab].py\ngit checkout " + stepsBase + " {tests/test_a.py,}\n",
		"a variable":                         "git checkout $BASE tests/test_a.py\ngit checkout " + stepsBase + " \"$TESTS\"\nrm -f $TESTS\n",
		"not only tests, if the first fails": "git checkout " + stepsBase + " tests/test_a.py || rm -f tests/test_a.py\n",
		"another directory":                  "cd tests\n" + stepsTo + applied("git apply -v -", stepsPatch),
		"a directory that is not known":      "cd $SOMEWHERE\n" + stepsTo + applied("git apply -v -", stepsPatch),
		"a file of a patch":                  "git apply -v fix.patch\ngit apply -v - < fix.patch\ngit apply -v - <<< \"$PATCH\"\n",
		"another patch":                      applied("git apply -v -", strings.ReplaceAll(stepsPatch, "new", "other")),
		"another patch beside it":            applied("git apply -v -", stepsPatch+strings.ReplaceAll(stepsPart, "test_a", "test_c")),
		"the patch taken back":               applied("git apply -v -R", stepsPatch),
		"no patch at all":                    applied("git apply -v -", ""),
		"a document that the shell changes":  "git apply -v - <<EOF_1\n" + strings.ReplaceAll(stepsPatch, "new", "$new") + "EOF_1\n",
		"a document with tabs taken off":     "git apply -v - <<-'EOF_1'\n" + stepsPatch + "EOF_1\n",
		"in a document":                      "cat > steps <<'EOF_1'\ngit status\n" + stepsTo + "EOF_1\n",
		"in quotes":                          "bash -c '\ngit status\n'\n",
		"in a comment":                       "# git status \\\n# git show\n",
		"behind a continuation":              "echo \\\ngit status\n",
		"with carriage returns":              "git status\r\ngit show \\\r\n\n",
		"in a document of another end":       "cat <<'EOF'\nEOF\r\ngit status\nEOF\n",
		"where git is another":               "git() { :; }\ngit status\n",
		"where it may be":                    "alias git=hub\ngit status\n",
		"where it may be read":               "exec > log\n" + stepsPrint,
		"no bash":                            "git status\nif (\n",
	} {
		t.Run(name, func(t *testing.T) {
			script := ofEval(before, "")
			rest, taken, kept := laid{"/testbed", stepsBase, stepsPatch}.strip(script)
			if diff := cmp.Diff(script, rest); diff != "" || len(taken) > 0 || kept {
				t.Errorf("took %v, kept %v (-want +got):\n%s", taken, kept, diff)
			}
		})
	}
	between := strings.Replace(ofEval("", ""), "pytest", "git status\npytest", 1)
	if rest, _, _ := (laid{"/testbed", stepsBase, stepsPatch}).strip(between); rest != between {
		t.Errorf("took from the output of the tests:\n%s", rest)
	}
}

// TestScriptsThatUndoWhatLiesLayItThemselves: where something that stays may change the
// tests before a script lays them, it lays them still.
func TestScriptsThatUndoWhatLiesLayItThemselves(t *testing.T) {
	for _, undoes := range []string{
		"git checkout " + stepsBase + " tests/test_a.py tests/conftest.py", "git checkout -- .", "git reset --hard", "git stash", "git clean -fd", "git checkout main",
		"git checkout " + stepsOther + " tests", "git checkout " + stepsOther + " '*.py'", "git checkout " + stepsOther + " $TESTS", "git restore tests/test_a.py",
		"sudo git -C /testbed checkout -f " + stepsOther, "if true; then git reset --hard; fi", "(git stash)", "rm -rf tests", "mv /other/test_a.py tests",
		"echo > tests/test_a.py", "sed -i s/a/b/ /testbed/tests/test_a.py", "cp -a /assets/. .", "patch -p1 < fix.patch",
		"eval 'git checkout " + stepsOther + " tests/test_a.py'", "bash -c 'git stash'", "sudo sh -ec \"rm -f tests/test_a.py\"", "find tests -name '*.py' -delete", "find . -newer /stamp -exec rm {} +",
	} {
		t.Run(undoes, func(t *testing.T) {
			script := ofEval(stepsPrint+stepsBoth+undoes+"\n"+applied("git apply -v -", stepsPatch), stepsBoth)
			rest, taken, kept := laid{"/testbed", stepsBase, stepsPatch}.strip(script)
			if diff := cmp.Diff(strings.Replace(script, stepsPrint, "", 1), rest); diff != "" || !kept {
				t.Errorf("took %v, kept %v (-want +got):\n%s", taken, kept, diff)
			}
		})
	}
	for _, harmless := range []string{
		"git checkout " + stepsOther + " setup.py", "git submodule update --init", "git log", "rm -rf build", "cp a b", "make tests", "git clean -fd build", "pip install .",
		"eval \"$(conda shell.bash hook)\"", "bash -c 'make build'", "bash ci/build.sh -c release", "find . -name '*.pyc' -delete", "find . -name '*.so'",
	} {
		t.Run(harmless, func(t *testing.T) {
			script := ofEval(harmless+"\n"+stepsBoth+applied("git apply -v -", stepsPatch), stepsBoth)
			if rest, _, kept := (laid{"/testbed", stepsBase, stepsPatch}).strip(script); rest != ofEval(harmless+"\n", "") || kept {
				t.Errorf("kept %v:\n%s", kept, rest)
			}
		})
	}
}

// TestAStepWhoseEndIsReadIsTold: it stays, and fails in a tree where the tests lie.
func TestAStepWhoseEndIsReadIsTold(t *testing.T) {
	script := ofEval(applied("git apply -v -", stepsPatch)+"laid=$?\n", "")
	if rest, taken, kept := (laid{"/testbed", stepsBase, stepsPatch}).strip(script); rest != script || !kept {
		t.Errorf("took %v, kept %v:\n%s", taken, kept, rest)
	}
}

// TestAnUnknownPatchIsLaidOnWhatItExpects: a patch that is not known for the test patch
// stays, and so do the steps that make the tests what it is for.
func TestAnUnknownPatchIsLaidOnWhatItExpects(t *testing.T) {
	for _, how := range []string{"git apply -v test.patch", "patch -p1 < test.patch", "git am test.patch", "if true; then git apply test.patch; fi"} {
		script := ofEval(stepsBoth+how+"\n", stepsBoth)
		if rest, _, kept := (laid{"/testbed", stepsBase, stepsPatch}).strip(script); rest != script || !kept {
			t.Errorf("%s: kept %v:\n%s", how, kept, rest)
		}
	}
}

// TestStrippedScriptsSeeTheSameTests runs a script in a repository at its base, and what
// is left of it where a clean room has laid the tests.
func TestStrippedScriptsSeeTheSameTests(t *testing.T) {
	repository := func(t *testing.T) (dir, base string) {
		dir = t.TempDir()
		write(t, dir, map[string]string{"tests/test_a.py": "echo old\n", "code.py": "code\n"})
		git := "git -c user.name=a -c user.email=a@example.com -c init.defaultBranch=main "
		base = strings.TrimSpace(bash(t, dir, "{ git init -q . && git add -A && "+git+"commit -qm base; } >&2; git rev-parse HEAD", "HOME="+dir))
		return dir, base
	}
	script := func(dir, base string) string {
		return strings.NewReplacer("/testbed", dir, stepsBase, base, "python -m pip install -e . # again", "true", "pytest -rA tests/test_a.py", "cat tests/test*").
			Replace(ofEval(stepsTrust+stepsPrint+stepsBoth+applied("git apply -v -", stepsPatch), stepsBoth))
	}
	tests := func(t *testing.T, dir, command string) string {
		out := bash(t, dir, "exec 2>&1\n"+command, "HOME="+t.TempDir())
		_, out, _ = strings.Cut(out, "+ : '"+startMarker+"'\n")
		out, _, ended := strings.Cut(out, "+ : '"+endMarker+"'\n")
		if !ended {
			t.Fatalf("it did not come to its end: %s", out)
		}
		return out
	}
	dir, base := repository(t)
	want := tests(t, dir, script(dir, base))

	dir, base = repository(t)
	lay := exec.CommandContext(t.Context(), "git", "apply", "-")
	lay.Dir, lay.Stdin = dir, strings.NewReader(stepsPatch)
	if out, err := lay.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	rest, taken, _ := laid{dir, base, stepsPatch}.strip(script(dir, base))
	if diff := cmp.Diff(StepsTaken{stepTrust: 1, stepPrint: 3, stepReset: 2, stepLay: 1}, taken); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
	got := tests(t, dir, rest)
	if diff := cmp.Diff(want, got); diff != "" || !strings.Contains(got, "echo new\n") || !strings.Contains(got, "echo b\n") {
		t.Errorf("tests differ (-want +got):\n%s", diff)
	}
	left, err := os.ReadFile(filepath.Join(dir, "tests/test_a.py"))
	if err != nil || string(left) != "echo old\necho new\n" {
		t.Errorf("what was laid became %q, %v", left, err)
	}
}

// TestDeepScriptsAreRead: the parser calls itself for what is nested, and its depth is
// bounded by the length of a command.
func TestDeepScriptsAreRead(t *testing.T) {
	for _, c := range []struct {
		open   string
		length int
	}{{"( ", maxCommand}, {"((", maxCommand}, {`"$(`, maxCommand}, {"{ ", maxCommand}, {"((", 64 * maxCommand}} {
		script := strings.Repeat(c.open, c.length/len(c.open))
		if rest, taken, _ := (laid{"/testbed", stepsBase, stepsPatch}).strip(script); rest != script || taken != nil {
			t.Errorf("%d bytes of %q: took %v", c.length, c.open, taken)
		}
	}
}

func TestTestsOfSWEBenchProAreLaidAlready(t *testing.T) {
	for before, want := range map[string]string{
		"git checkout " + stepsOther + " -- tests/test_a.py 'tests/test b.py'": "",
		"git checkout " + stepsOther + " -- tests/test_a.py other":             "git checkout " + stepsOther + " -- tests/test_a.py other",
		"git checkout main -- tests/test_a.py":                                 "git checkout main -- tests/test_a.py",
	} {
		if rest, _, _ := (laid{"/app", "", stepsPatch}).strip(before); rest != want {
			t.Errorf("%s: left %q", before, rest)
		}
	}
}

// TestStepsOfOtherRowsAreTakenOut: SWE-bench-Live and SWE-rebench bring lists of commands.
func TestStepsOfOtherRowsAreTakenOut(t *testing.T) {
	lay := strings.TrimSuffix(stepsTo+applied("git apply -v -", stepsPatch), "\n")
	row := func(more map[string]any) *columns {
		all := map[string]any{"instance_id": "a", "problem_statement": "p", "repo": "a/b", "base_commit": stepsBase, "test_patch": stepsPatch, "image_name": "i"}
		maps.Copy(all, more)
		return &columns{row: all}
	}
	live := row(map[string]any{"log_parser": "pytest", "rebuild_cmds": []any{"make", lay}, "test_cmds": []any{"pytest -rA"}})
	rebench := row(map[string]any{"install_config": map[string]any{"log_parser": "parse_log_pytest", "test_cmd": []any{"make", lay, "pytest -rA"}}})
	for _, c := range []struct {
		row    *columns
		sample *assay.Sample
	}{{live, convertSWEBenchLive(live, Options{})}, {rebench, convertSWERebench(rebench, Options{})}} {
		if got, want := c.sample.Task.Verifier.Command, "exec 2>&1\nmake\npytest -rA\n"; got != want {
			t.Errorf("got %q", got)
		}
		if diff := cmp.Diff(StepsTaken{stepReset: 1, stepLay: 1}, c.row.steps); diff != "" || len(c.row.faults) > 0 {
			t.Errorf("taken (-want +got), %v:\n%s", c.row.faults, diff)
		}
	}
}

// FuzzSteps checks what holds of every script: lines are taken out and nothing else is
// done to it, once is enough, and one without a word of a step is what it was.
func FuzzSteps(f *testing.F) {
	lay := applied("git apply -v -", stepsPatch)
	f.Add(ofEval(stepsTrust+stepsPrint+stepsBoth+lay, stepsBoth))
	f.Add(ofEval(stepsTo+"git stash\n"+lay, stepsTo))
	f.Add("git status;\ngit show # x\necho $?\ncat <<A <<'B'\ngit status\nA\nB\ngit status")
	f.Add("cd tests\ngit status\nif x; then\n\ngit show\nfi\n")
	f.Fuzz(func(t *testing.T, script string) {
		l := laid{"/testbed", stepsBase, stepsPatch}
		rest, taken, _ := l.strip(script)
		if again, more, _ := l.strip(rest); again != rest {
			t.Errorf("taken again: %v of %q", more, rest)
		}
		lines, n := slices.Collect(strings.Lines(script)), 0
		for line := range strings.Lines(rest) {
			for n < len(lines) && lines[n] != line {
				n++
			}
			if n++; n > len(lines) {
				t.Fatalf("%q is no line of %q", line, script)
			}
		}
		if (rest == script) != (len(taken) == 0) || !strings.Contains(script, "git") && !strings.Contains(script, "rm") && rest != script {
			t.Errorf("took %v of %q and left %q", taken, script, rest)
		}
	})
}
