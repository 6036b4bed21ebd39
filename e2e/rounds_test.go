package e2e_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"assay"
	"assay/client/wire"
	"assay/e2e/harness"
)

// A sample whose code under test is a script that the suite calls: it may read the tests.
const (
	shoutsCommand = `
      code=shout # a file that the command names would have to be the reference's
      is='^    assert shout\("(.*)"\) (==|!=) "(.*)"$'
      while IFS= read -r line; do
        [[ $line =~ ^def\ (test_[a-z]+) ]] && name=${BASH_REMATCH[1]}
        [[ $line =~ $is ]] || continue
        input=${BASH_REMATCH[1]} op=${BASH_REMATCH[2]} want=${BASH_REMATCH[3]}
        got=$(bash $code.sh "$input") || got=$input
        echo "<testcase classname='tests.test_words' name='$name'>"
        if [[ $got == "$want" && $op == '!=' || $got != "$want" && $op == '==' ]]; then
          echo "<failure message=\"AssertionError: assert '$got' $op '$want'\"/>"
        fi
        echo "</testcase>"
      done < tests/test_words.py > /tmp/cases
      echo "<testsuite name='words'>$(cat /tmp/cases)</testsuite>" > "$ASSAY_REPORTS/report.xml"
`
	rightShout = "tr '[:lower:]' '[:upper:]' <<< \"$1\"\n"
	// readsTheTest says what the test wants to hear, whatever that is.
	readsTheTest = "grep -F \"shout(\\\"$1\\\")\" tests/test_words.py | sed 's/.*[=!]= \"\\(.*\\)\"/\\1/'\n"
	// knowsTheTest says what the tests want to hear as they are.
	knowsTheTest = "case $1 in 'parcel bridge') echo PARCEL BRIDGE ;; *) echo LANTERN MEADOW ;; esac\n"
)

// shouts is a server on which the sample was searched, and who calls it.
func shouts(t *testing.T, settings ...string) (harness.Program, *harness.Server, caller) {
	t.Helper()
	p := shoutsDataset(t, settings...)
	if found, out, _ := alterations(t, p, "shouts", "--fresh"); len(found) != 1 || found[0].Blind != 2 || found[0].Fresh != 2 {
		t.Fatalf("%s", out)
	}
	user, err := p.NewUser(t.Context(), "shouter")
	ok(t, err)
	s := start(t, p, "--alterations", "off")
	return p, s, caller{base: s.APIBase(), key: user.Key}
}

// shoutsDataset is a data directory with the sample.
func shoutsDataset(t *testing.T, settings ...string) harness.Program {
	t.Helper()
	p := ownProgram(t)
	clean(t, p)
	row, err := json.Marshal(map[string]any{
		"instance_id": "shouts", "problem_statement": "Nobody shouts.", "created_at": "2024-05-01T12:00:00Z",
		"patch": newFile("shout.sh", rightShout), "test_patch": newFile("tests/test_words.py", wordsTests),
		"FAIL_TO_PASS": []string{"tests.test_words::test_one", "tests.test_words::test_two"},
	})
	ok(t, err)
	runVerb(t, p, "dataset", "import", smallDataset(t, "shouts", "python", shoutsCommand, string(row)+"\n"))
	runVerb(t, p, append([]string{"dataset", "set", "shouts", "--answers", "operators", "--feedback", "verdict"}, settings...)...)
	return p
}

// shouting is a session in which shout.sh was written.
func (c caller) shouting(t *testing.T, script string) string {
	t.Helper()
	id := must[wire.SessionCreated](t, c.call(t, "POST", "/sessions", wire.SessionCreate{Dataset: "shouts", SampleID: "shouts", TTLMinutes: 10}), 201).SessionID
	c.ready(t, id)
	c.output(t, id, "cat > shout.sh <<'END'\n"+script+"END\n")
	return id
}

// Rounds of altered tests let a fix through, and neither who reads the tests nor who knows
// them where they are seldom true.
func TestRounds(t *testing.T) {
	t.Parallel()
	_, _, c := shouts(t, "--require-assurance", "blind")
	got := c.judge(t, c.shouting(t, rightShout))
	if e := got.Evidence; !got.IsSuccess || e.Rounds != 3 || e.Assurance != assay.AssuranceBlind || e.Odds < 0.14 || e.Odds > 0.15 {
		t.Errorf("the fix: %+v", got)
	}
	got = c.judge(t, c.shouting(t, readsTheTest))
	if e := got.Evidence; got.IsSuccess || e.Rounds != 3 {
		t.Errorf("who reads the tests: %+v", got)
	}
	if got := c.judge(t, c.shouting(t, "exit 1\n")); got.IsSuccess || got.Evidence.Rounds != 0 {
		t.Errorf("who does nothing: %+v", got)
	}
}

// Who knows the answers of the tests knows none of tests that nobody has seen.
func TestFreshTruthsRefuseWhoKnowsTheAnswers(t *testing.T) {
	t.Parallel()
	_, _, c := shouts(t, "--require-assurance", "blind", "--fresh", "require", "--rounds", "8") // in which both tests are true at least once but one time in 16,000
	if got := c.judge(t, c.shouting(t, knowsTheTest)); got.IsSuccess || got.Evidence.Rounds != 8 {
		t.Errorf("who knows the answers: %+v", got)
	}
	if got := c.judge(t, c.shouting(t, rightShout)); !got.IsSuccess || got.Evidence.Assurance != assay.AssuranceBlind {
		t.Errorf("the fix: %+v", got)
	}
}

// A play goes on after its server was killed, and counts once.
func TestAKilledServerPlaysOn(t *testing.T) {
	t.Parallel()
	p, s, c := shouts(t, "--require-assurance", "blind")
	session := c.shouting(t, rightShout)
	id := c.verify(t, session)
	eventually(t, "rounds begin", func() bool { return strings.Contains(strings.Join(plays(t, p), " "), string(assay.PlayReached)) })
	ok(t, s.Kill())
	s = start(t, p, "--alterations", "off")
	c.base = s.APIBase()
	j := c.job(t, session, id)
	if j.Result == nil || !j.Result.IsSuccess || j.Result.Evidence.Rounds != 3 {
		t.Errorf("%+v", j)
	}
	if states := plays(t, p); len(states) != 1 || states[0] != string(assay.PlaySolved) {
		t.Errorf("plays are %q", states)
	}
}

// Verdicts from before anything was known of the tests are held against what is known now, and
// taken back where they do not hold.
func TestVerdictsAreJudgedAgain(t *testing.T) {
	t.Parallel()
	p := shoutsDataset(t)
	user, err := p.NewUser(t.Context(), "shouter")
	ok(t, err)
	s := start(t, p, "--alterations", "off")
	c := caller{base: s.APIBase(), key: user.Key}
	jobs := make(map[string]string) // by script
	for _, script := range []string{rightShout, readsTheTest, "exit 1\n"} {
		session := c.shouting(t, script)
		id := c.verify(t, session)
		if got := c.job(t, session, id).Result; got == nil || got.IsSuccess != (script != "exit 1\n") || got.Evidence.Rounds != 0 {
			t.Fatalf("%q before: %+v", script, got)
		}
		jobs[script] = id
	}
	alterations(t, p, "shouts")
	again := func(status int, args ...string) map[string]string {
		out, err := p.Command(t.Context(), append([]string{"verdict", "rejudge", "--json"}, args...)...).Output()
		var exit *exec.ExitError
		if status == 0 && err != nil || status != 0 && (!errors.As(err, &exit) || exit.ExitCode() != status) {
			t.Fatalf("rejudge %q: %v\n%s", args, err, out)
		}
		lines := make(map[string]string)
		for line := range strings.Lines(string(out)) {
			for _, id := range jobs {
				if strings.Contains(line, id) {
					lines[id] = line
				}
			}
		}
		return lines
	}
	report := filepath.Join(t.TempDir(), "again.jsonl")
	said := again(1, "--dataset", "shouts", "--report", report)
	right, forged := said[jobs[rightShout]], said[jobs[readsTheTest]]
	if len(said) != 2 || !strings.Contains(right, `"holds":true`) || !strings.Contains(right, `"rounds":3`) || !strings.Contains(forged, `"holds":false`) {
		t.Errorf("said: %q", said)
	}
	if once := again(1, "--dataset", "shouts", "--report", report, "--withdraw"); once[jobs[rightShout]] != right || !strings.Contains(once[jobs[readsTheTest]], `"withdrawn":true`) {
		t.Errorf("then: %q", once)
	}
	if left := again(0, "--dataset", "shouts", "--unsolved"); len(left) != 2 || left[jobs[readsTheTest]] != "" {
		t.Errorf("without what was withdrawn: %q", left)
	}
}

// plays are the states of all plays.
func plays(t *testing.T, p harness.Program) (states []string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.DataDir, "assay.db")+"?mode=ro&_pragma=busy_timeout(5000)")
	ok(t, err)
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), "SELECT state FROM plays")
	ok(t, err)
	defer rows.Close()
	for rows.Next() {
		var state string
		ok(t, rows.Scan(&state))
		states = append(states, state)
	}
	ok(t, rows.Err())
	return states
}
