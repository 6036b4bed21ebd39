package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/client/wire"
)

func TestWhatAVerificationTakesBesideItsSuiteAddsUp(t *testing.T) {
	var all judgements
	j := judgement{Job: &wire.Job{Result: &wire.JobResult{}}, accepted: 5 * time.Millisecond, whole: 1200 * time.Millisecond}
	j.Result.Evidence.Durations = wire.Durations{CreateSeconds: 0.0625, LaySeconds: 0.03125, SuiteSeconds: 1, GradeSeconds: 0.00625}
	all.add(j)
	got := []float64{all.accepted[0], all.whole[0], all.beside[0], all.create[0], all.lay[0], all.grade[0], all.rest[0]}
	if diff := cmp.Diff([]float64{5, 1200, 200, 62.5, 31.25, 6.25, 100}, got); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyWhatWasJudgedAsItIsIsMeasured(t *testing.T) {
	judged := func(solved bool) *wire.Job { return &wire.Job{Result: &wire.JobResult{IsSuccess: solved}} }
	for _, solved := range []bool{true, false} {
		for what, job := range map[string]*wire.Job{"not judged": {Error: &wire.Failure{}}, "not ended": {}, "judged otherwise": judged(!solved)} {
			if err := (judgement{Job: job}).mustBe(solved); err == nil {
				t.Errorf("a verification that was %s is measured", what)
			}
		}
		if err := (judgement{Job: judged(solved)}).mustBe(solved); err != nil {
			t.Error(err)
		}
	}
}

func TestTheWideLayerIsTheSameEachTime(t *testing.T) {
	first, err := wideLayer()
	if err != nil {
		t.Fatal(err)
	}
	again, err := wideLayer()
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("it differs from itself, or %v: its image would be unpacked at each run", err)
	}
	files, dirs := 0, 0
	for r := tar.NewReader(bytes.NewReader(first)); ; {
		hdr, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if hdr.Typeflag == tar.TypeDir {
			dirs++
		} else {
			files++
		}
	}
	if files != wideFiles || dirs != wideDirs+1 {
		t.Errorf("%d files in %d directories, want %d in %d", files, dirs, wideFiles, wideDirs+1)
	}
}

// Whole and narrow differ in the command that runs some tests alone, and in nothing else.
func TestTheSearchedRowIsTheVerifiedSample(t *testing.T) {
	rows := `{"instance_id": "other"}
{"instance_id": "` + verifySample + `", "patch": "p", "assay": {"image": "i", "verifier": {"command": "c", "command_for": "c {tests}"}}}
`
	for narrow, want := range map[bool]string{true: "c {tests}", false: ""} {
		row, err := searchedRow(rows, narrow)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(row, &got); err != nil {
			t.Fatal(err)
		}
		verifier := map[string]any{"command": "c", "command_for": want}
		if diff := cmp.Diff(map[string]any{"instance_id": verifySample, "patch": "p", "assay": map[string]any{"image": "i", "verifier": verifier}}, got); diff != "" {
			t.Error(diff)
		}
	}
	if _, err := searchedRow(`{"instance_id": "other"}`, true); err == nil {
		t.Error("a sample that is not there was found")
	}
}
