package e2e_test

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"assay/client/wire"
	"assay/e2e/harness"
)

// searching are the settings of a server that searches by itself and tells all it can.
var searching = []string{"--alterations", "idle", "--log-level", "debug", "--log-format", "json", "--metrics-listen", "127.0.0.1:0"}

// searchBound is how long the search of a sample may take: its sandboxes yield to all others
// of this host, those of the other tests included.
const searchBound = 10 * time.Minute

// until waits until ok, for at most searchBound.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(searchBound); !ok(); pause(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", searchBound, what)
		}
	}
}

// runsMade is how many suites the server has run in searches since its start.
func runsMade(t *testing.T, p harness.Program) int {
	t.Helper()
	return int(scrape(t, metricsURL(t, p)).value("assay_alteration_runs_total", "", ""))
}

// boxes are the clean sandboxes of a server, by their ids.
func boxes(t *testing.T, p harness.Program) (ids []string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(p.DataDir, "sandboxes", "sandboxes", "ver_*"))
	ok(t, err)
	for _, name := range found {
		ids = append(ids, filepath.Base(name))
	}
	return ids
}

// listedAlterations is what assay dataset list tells of the starter dataset.
func listedAlterations(t *testing.T, p harness.Program) *wire.DatasetAlterations {
	t.Helper()
	var list []wire.Dataset
	ok(t, json.Unmarshal([]byte(runVerb(t, p, "dataset", "list", "--json")), &list))
	for _, d := range list {
		if d.Name == "starter" {
			return d.Alterations
		}
	}
	t.Fatalf("there is no starter dataset in %+v", list)
	return nil
}

// searchedSample is what assay dataset alterations --reveal prints of a sample.
type searchedSample struct {
	SampleID string `json:"sample_id"`
	Tests    int    `json:"tests"`
	Blind    int    `json:"blind"`
	Runs     int    `json:"runs"`
	Found    struct {
		Alterations []struct {
			Edit edit `json:"edit"`
		} `json:"alterations"`
	} `json:"found"`
}

// edit replaces a part of a file.
type edit struct {
	File, New  string
	Start, End int
}

// line is the line that an edit makes in a text.
func (e edit) line(text string) string {
	altered := text[:e.Start] + e.New + text[e.End:]
	from, length := strings.LastIndexByte(altered[:e.Start], '\n')+1, strings.IndexByte(altered[e.Start:], '\n')
	if length < 0 {
		return altered[from:]
	}
	return altered[from : e.Start+length]
}

// reveal asks for what was found of the sample.
func reveal(t *testing.T, p harness.Program) searchedSample {
	t.Helper()
	var all []searchedSample
	ok(t, json.Unmarshal([]byte(runVerb(t, p, "dataset", "alterations", "starter", "--sample", semver, "--reveal")), &all))
	if len(all) != 1 || len(all[0].Found.Alterations) == 0 {
		t.Fatalf("nothing was found: %+v", all)
	}
	return all[0]
}

// papers are texts that somebody else may read, by where they stand.
type papers map[string][]byte

func (p papers) add(where string, text []byte) { p[where] = append(p[where], text...) }

// database adds the files of the database, as they are now.
func (p papers) database(t *testing.T, dir, when string) {
	t.Helper()
	for _, name := range []string{"assay.db", "assay.db-wal"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			p.add(name+" "+when, text)
		}
	}
}

// stored counts what is stored of searches that are under way: their trials, and a seed each.
func stored(t *testing.T, p harness.Program) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.DataDir, "assay.db")+"?mode=ro")
	ok(t, err)
	defer db.Close()
	ok(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM alteration_trials").Scan(&n))
	return n
}

// A server searches a sample that somebody uses, by itself. Killed meanwhile, it goes on
// where it was and leaves nothing behind; so does the verb beside it. What is found is told
// in numbers to everybody, and else to nobody but who holds the key and asks for it.
func TestAUsedSampleIsSearchedAndNumbersAreTold(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p, searching...)
	c := newCaller(t, p, srv)
	if a := listedAlterations(t, p); a != nil {
		t.Errorf("of what nobody used there is %+v", a)
	}
	s := c.ready(t, c.create(t, semver))
	tests := testsOf(t, c, s)
	plain := string(bundled(t, c)) + strings.Join(slices.Collect(maps.Values(tests)), "") // what stands in the sample tells nothing
	read := make(papers)
	srv, before := goesOnAfterAKill(t, p, srv, read)
	c = c.at(srv)

	var sum []searchedSample // at the weight of all others, which this host may be full of
	ok(t, json.Unmarshal([]byte(runVerb(t, p, "dataset", "alterations", "starter", "--sample", semver, "--json")), &sum))
	if len(sum) != 1 || sum[0].Runs <= before || sum[0].Found.Alterations != nil {
		t.Errorf("after %d runs by the server, the verb tells %+v", before, sum)
	}
	everything(t, c, p, s, read)
	must[wire.SessionClosed](t, c.call(t, "DELETE", "/sessions/"+s, nil), 200)
	ok(t, srv.Stop())
	if err := nothingAtAllLeft(p); err != nil {
		t.Error(err)
	}
	read.database(t, p.DataDir, "in the end")
	log, err := os.ReadFile(filepath.Join(filepath.Dir(p.DataDir), "log"))
	ok(t, err)
	read.add("the log", log)
	holdsNoEdit(t, read, reveal(t, p), tests, plain)
	keyIsNeeded(t, p)
}

// goesOnAfterAKill kills a server that searches and starts another, which makes no run again
// that was made. It returns that, and how many runs are known.
func goesOnAfterAKill(t *testing.T, p harness.Program, srv *harness.Server, read papers) (again *harness.Server, known int) {
	t.Helper()
	const enough = 4
	until(t, "some runs of the search", func() bool { return runsMade(t, p) >= enough && len(boxes(t, p)) > 0 })
	old := boxes(t, p)
	kill(t, srv)
	read.database(t, p.DataDir, "while it is searched")
	first := stored(t, p)
	if first < enough+1 {
		t.Errorf("after %d runs %d trials and seeds are stored", enough, first)
	}
	srv = start(t, p, searching...)
	eventually(t, "the sandboxes of the search before are gone", func() bool {
		left, err := p.Leftovers()
		ok(t, err)
		return !slices.ContainsFunc(left, func(what string) bool {
			return slices.ContainsFunc(old, func(id string) bool { return strings.Contains(what, id) })
		})
	})
	until(t, "a run of the search that goes on", func() bool { return runsMade(t, p) >= 2 })
	kill(t, srv) // so that both numbers are of one moment
	second := stored(t, p)
	if second < first+2 {
		t.Errorf("%d trials were stored before the kill, and %d after two further runs: it began anew", first-1, second-1)
	}
	return start(t, p, searching...), second - 1
}

// everything reads all that can be read of the sample, a verdict on it and the server.
func everything(t *testing.T, c caller, p harness.Program, s string, read papers) {
	t.Helper()
	datasets := must[[]wire.Dataset](t, c.call(t, "GET", "/datasets", nil), 200)
	i := slices.IndexFunc(datasets, func(d wire.Dataset) bool { return d.Name == "starter" })
	a := datasets[i].Alterations
	if a == nil || a.Searched != 1 || a.Samples != 1 || a.BlindSamples > 1 || a.MedianOdds <= 0 || a.MedianOdds > 1 || *a != *listedAlterations(t, p) {
		t.Errorf("the datasets tell %+v, the command line %+v", a, listedAlterations(t, p))
	}
	must[wire.EditResult](t, c.call(t, "POST", "/sessions/"+s+"/apply", wire.ApplyRequest{Diff: starterSample(t, semver).Patch}), 200)
	job := c.verify(t, s)
	if j := c.job(t, s, job); j.Result == nil || !j.Result.IsSuccess {
		t.Errorf("with the fix, not solved: %+v", j)
	}
	for _, path := range []string{
		"/openapi.json", "/health", "/datasets", "/samples", "/samples?dataset=starter&page=1", "/samples/starter/" + semver + "/download",
		"/sessions", "/sessions/" + s, "/sessions/" + s + "/verify/" + job, "/sessions/" + s + "/verdict/" + job,
		"/sessions/" + s + "/diff?job_id=" + job, "/users/me", "/billing/usage", "/sessions/" + s + "/verify/ver_none", "/sessions/none",
	} {
		r := c.call(t, "GET", path, nil)
		read.add("the answer of GET "+path, append(r.body, strings.Join(slices.Concat(r.header["Location"]), " ")...))
	}
	read.add("a bundle", bundled(t, c))
	_, metrics := fetch(t, metricsURL(t, p))
	read.add("the metrics", metrics)
	for _, verb := range []string{
		"dataset list --json", "dataset list", "dataset show starter", "dataset show starter --json", "dataset show starter " + semver,
		"dataset alterations starter --sample " + semver, "dataset alterations starter --json --sample " + semver, "audit --json", "config", "image list",
	} {
		read.add("assay "+verb, []byte(runVerb(t, p, strings.Fields(verb)...)))
	}
	if !bytes.Contains(read["assay dataset show starter"], []byte("blind samples")) {
		t.Errorf("assay dataset show tells nothing of alterations:\n%s", read["assay dataset show starter"])
	}
}

// bundled is the sample as users download it, unpacked.
func bundled(t *testing.T, c caller) []byte {
	t.Helper()
	link := must[wire.Download](t, c.call(t, "GET", "/samples/starter/"+semver+"/download", nil, "Accept", "application/json"), 200)
	r := caller{base: link.DownloadURL}.call(t, "GET", "", nil)
	text := inflated(string(r.body))
	if r.status != 200 || !strings.Contains(text, "func TestNewVersion(") {
		t.Fatalf("the bundle is %d with %d bytes, and holds no tests", r.status, len(text))
	}
	return []byte(text)
}

// testsOf are the files that the sample's test patch touches, as it leaves them. The session
// is as it was afterwards.
func testsOf(t *testing.T, c caller, s string) map[string]string {
	t.Helper()
	got := must[wire.EditResult](t, c.call(t, "POST", "/sessions/"+s+"/apply", wire.ApplyRequest{Diff: starterSample(t, semver).TestPatch}), 200)
	if !got.Success {
		t.Fatalf("apply the tests: %s", got.Message)
	}
	tests := make(map[string]string)
	for name := range strings.FieldsSeq(c.output(t, s, "git ls-files -mo --exclude-standard")) {
		tests[name] = c.output(t, s, "cat "+name)
	}
	c.output(t, s, "git checkout -q . && git clean -fdq")
	return tests
}

// holdsNoEdit looks for what was found in all that was read.
func holdsNoEdit(t *testing.T, read papers, found searchedSample, tests map[string]string, plain string) {
	t.Helper()
	needles := []string{`"blindness"`, `EqualityOperand`} // what was found, as it is before it is sealed
	edits := 0
	for _, a := range found.Found.Alterations {
		const long = 5 // shorter texts stand anywhere
		line := strings.TrimSpace(a.Edit.line(tests[a.Edit.File]))
		for _, text := range []string{a.Edit.New, line} {
			if len(text) < long || strings.Contains(plain, text) {
				continue
			}
			edits++
			inJSON, err := json.Marshal(text)
			ok(t, err)
			needles = append(needles, text, strings.Trim(string(inJSON), `"`))
		}
	}
	if edits < len(found.Found.Alterations)/2 {
		t.Errorf("%d texts can be looked for of %d alterations, too few to prove anything", edits, len(found.Found.Alterations))
	}
	for where, text := range read {
		if len(text) == 0 {
			t.Errorf("%s is empty", where)
		}
		for i, needle := range needles {
			if bytes.Contains(text, []byte(needle)) {
				t.Errorf("text %d of an edit, %q, is in %s", i, needle, where)
			}
		}
	}
	t.Logf("looked for %d texts of %d alterations in %d papers", len(needles), len(found.Found.Alterations), len(read))
}

// keyIsNeeded proves that nothing goes on with half a key. Of another one see
// TestALostAlterationsKey.
func keyIsNeeded(t *testing.T, p harness.Program) {
	t.Helper()
	name := filepath.Join(p.DataDir, "alterations.key")
	info, err := os.Stat(name)
	ok(t, err)
	if info.Mode() != 0o600 || info.Size() != 32 {
		t.Errorf("the key is %v of %d bytes", info.Mode(), info.Size())
	}
	another := make([]byte, 32)
	rand.Read(another)
	ok(t, os.WriteFile(name, another[:16], 0o600))
	out, err := p.Run(t.Context(), "dataset", "alterations", "starter", "--sample", semver, "--reveal")
	if err == nil || !strings.Contains(string(out)+err.Error(), "alterations.key") {
		t.Errorf("with half a key: %v\n%s", err, out)
	}
	ok(t, os.WriteFile(name, another, 0o600)) // so that a server can start
}

// A verification that comes to wait ends a search at once, and is judged as if there were
// none.
func TestAVerificationGoesBeforeASearch(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p, append(searching, "--max-verifications", "1")...)
	c := newCaller(t, p, srv)
	s := c.ready(t, c.create(t, semver))
	until(t, "a search", func() bool { return len(boxes(t, p)) > 0 && len(processes(t, p, boxes(t, p)[0])) > 1 })
	searched := boxes(t, p)
	job := c.verify(t, s)
	asked := time.Now()
	eventually(t, "nothing of the search runs", func() bool {
		return !slices.ContainsFunc(searched, func(id string) bool { return len(processes(t, p, id)) > 0 })
	})
	took := time.Since(asked)
	if j := c.job(t, s, job); j.Result == nil || j.Result.IsSuccess || j.Result.Passed == 0 {
		t.Errorf("the verification ended as %+v", j)
	}
	if yielded := scrape(t, metricsURL(t, p)).value("assay_alteration_searches_total", "outcome", "yielded"); yielded < 1 {
		t.Errorf("%v searches have yielded", yielded)
	}
	t.Logf("the search had ended after %s", took)
	must[wire.SessionClosed](t, c.call(t, "DELETE", "/sessions/"+s, nil), 200)
	ok(t, srv.Stop())
	if err := nothingAtAllLeft(p); err != nil {
		t.Error(err)
	}
}
