package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay"
)

func TestRejudgeReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.jsonl")
	open := func() *rejudgeReport {
		r, err := openRejudgeReport(path)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := open()
	rows := []rejudged{
		{Verification: "ver_1", Holds: true},
		{Verification: "ver_2", Error: "the image is gone"},
		{Verification: "ver_3", Was: rejudgedVerdict{Solved: true}},
	}
	for _, row := range rows {
		if err := r.add(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(whole, `{"verification_id":"ver_4"`...), 0o600); err != nil { // it was killed
		t.Fatal(err)
	}
	r = open()
	if !r.has("ver_1") || r.has("ver_2") || !r.has("ver_3") || r.has("ver_4") {
		t.Errorf("it has %+v", r.rows)
	}
	rows[1] = rejudged{Verification: "ver_2", Holds: true}
	if err := r.add(rows[1]); err != nil {
		t.Fatal(err)
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	r = open()
	if diff := cmp.Diff(rows, r.rows); diff != "" {
		t.Error(diff)
	}
	var out bytes.Buffer
	err = r.print(stdio{out: &out}, false)
	if err == nil || !strings.Contains(err.Error(), "of 3 verdicts, 2 hold and 0 could not be judged again") || !strings.Contains(out.String(), "not solved, and was solved") {
		t.Errorf("%v\n%s", err, out.String())
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("another file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openRejudgeReport(path); err == nil {
		t.Error("another file is taken for a report")
	}
	if kept, err := os.ReadFile(path); err != nil || string(kept) != "another file\n" {
		t.Errorf("it is %q now", kept)
	}
}

func TestAStatementSaysThatItsRulesAreOfBefore(t *testing.T) {
	for grader, said := range map[string]bool{assay.GraderVersion: false, "2": true} {
		var out bytes.Buffer
		s := &assay.Statement{Verdict: assay.SignedVerdict{Verdict: assay.Verdict{Solved: true, Evidence: assay.Evidence{Grader: grader}}}}
		if err := showStatement(&out, s, "k"); err != nil || strings.Contains(out.String(), "assay verdict rejudge") != said {
			t.Errorf("by rules %s: %v\n%s", grader, err, out.String())
		}
	}
}

func TestWhatIsTakenBack(t *testing.T) {
	lost := rejudged{SameImage: true, Was: rejudgedVerdict{Solved: true}}
	for name, change := range map[string]func(*rejudged){
		"it holds":               func(r *rejudged) { r.Now.Solved = true },
		"another image":          func(r *rejudged) { r.SameImage = false },
		"it could not be judged": func(r *rejudged) { r.Error = "no patch" },
		"it was not solved ever": func(r *rejudged) { r.Was.Solved = false },
	} {
		if r := lost; !r.lost() {
			t.Fatal("what does not hold stays")
		} else if change(&r); r.lost() {
			t.Errorf("%s: it is taken back", name)
		}
	}
}
