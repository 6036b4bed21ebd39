package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/dataset"
)

var validationTests = []test{
	{"runs are read as they were stored, oldest first", testRuns},
	{"a dataset is summed up by its latest versions", testSummary},
	{"a validation tells whether the command for some tests may be used", testNarrow},
	{"a quarantine is a version that imports keep", testQuarantine},
	{"a quarantine of nothing is no version", testNoQuarantine},
}

func newRun(campaign, sampleID string, version int) *dataset.Run {
	return &dataset.Run{
		ID: assay.NewID(assay.PrefixRun), Campaign: campaign, Dataset: "d", SampleID: sampleID, SampleVersion: version,
		Grader: assay.GraderVersion, ImageDigest: "sha256:1", Tree: dataset.TreeReference, Number: 2,
		Outcome: dataset.OutcomeUnsolved, Reason: "it did not pass", Duration: 1500 * time.Millisecond, FinishedAt: kept, Tests: "pfsm",
	}
}

func testRuns(f fixture) {
	f.importSet("d", dataset.ImportResult{Added: 2}, fullSample("d", "one"), fullSample("d", "two"))
	if last, err := f.LastCampaign(f.ctx, "d"); err != nil || last != "" {
		f.Errorf("before the first run the last campaign is %q, %v", last, err)
	}
	first, again, failed := newRun("val_1", "one", 1), newRun("val_1", "one", 1), newRun("val_1", "one", 1)
	failed.Outcome, failed.Tests, failed.ImageDigest = dataset.Outcome(assay.CodeSandboxLost), "", ""
	failed.Reason = "it said \x00 and \xff" // as a sandbox may
	for _, r := range []*dataset.Run{first, newRun("val_1", "two", 1), again, newRun("val_2", "one", 1), failed} {
		f.must(f.AddValidationRun(f.ctx, r))
	}
	got, err := f.ValidationRuns(f.ctx, "val_1", "d", "one", 1)
	f.must(err)
	failed.Reason = "it said \uFFFD and \uFFFD"
	if diff := cmp.Diff([]*dataset.Run{first, again, failed}, got); diff != "" {
		f.Error(diff)
	}
	for _, none := range []struct {
		campaign, dataset, id string
		version               int
	}{{"val_3", "d", "one", 1}, {"val_1", "e", "one", 1}, {"val_1", "d", "three", 1}, {"val_1", "d", "one", 2}} {
		if got, err := f.ValidationRuns(f.ctx, none.campaign, none.dataset, none.id, none.version); err != nil || len(got) > 0 {
			f.Errorf("%+v: %d runs, %v", none, len(got), err)
		}
	}
	if err := f.AddValidationRun(f.ctx, newRun("val_1", "none", 1)); err == nil {
		f.Error("a run of no sample was stored")
	}
	if err := f.AddValidationRun(f.ctx, first); err == nil {
		f.Error("a run was stored twice")
	}
	if last, err := f.LastCampaign(f.ctx, "d"); err != nil || last != "val_2" {
		f.Errorf("the campaign of the newest run is %q, %v", last, err)
	}
}

func testSummary(f fixture) {
	one, two := fullSample("d", "one"), fullSample("d", "two")
	f.importSet("d", dataset.ImportResult{Added: 2}, one, two)
	f.importSet("e", dataset.ImportResult{Added: 1}, fullSample("e", "one"))
	conclude := func(id string, version, solved int, flaky bool, grader string, at time.Time) {
		f.Helper()
		f.must(f.SetConclusion(f.ctx, &dataset.Conclusion{
			Dataset: "d", SampleID: id, SampleVersion: version, Grader: grader, Campaign: "val_1",
			ReferenceRuns: 4, ReferenceSolved: solved, Flaky: flaky, FinishedAt: at,
		}))
	}
	is := func(when string, want assay.DatasetValidation) {
		f.Helper()
		all, err := f.Datasets(f.ctx)
		f.must(err)
		single, err := f.Dataset(f.ctx, "d")
		f.must(err)
		if diff := cmp.Diff([]assay.DatasetValidation{want, want, {}}, []assay.DatasetValidation{single.Validation, all[0].Validation, all[1].Validation}); diff != "" {
			f.Errorf("%s:\n%s", when, diff)
		}
	}
	is("before", assay.DatasetValidation{})
	conclude("one", 1, 4, false, assay.GraderVersion, *later(kept))
	is("one of two", assay.DatasetValidation{Samples: 1, At: *later(kept), ReferenceRuns: 4, ReferenceSolved: 4})
	conclude("two", 1, 3, true, assay.GraderVersion, kept)
	is("both", assay.DatasetValidation{Samples: 2, At: *later(kept), ReferenceRuns: 8, ReferenceSolved: 7, Flaky: 1})
	conclude("two", 1, 2, true, assay.GraderVersion, *later(*later(kept)))
	is("one again", assay.DatasetValidation{Samples: 2, At: *later(*later(kept)), ReferenceRuns: 8, ReferenceSolved: 6, Flaky: 1})
	conclude("one", 1, 0, true, "another", kept)
	is("by another grader", assay.DatasetValidation{Samples: 2, At: *later(*later(kept)), ReferenceRuns: 8, ReferenceSolved: 6, Flaky: 1})
	two.Patch = "another"
	f.importSet("d", dataset.ImportResult{Changed: 1, Unchanged: 1}, one, two)
	is("one has a new version", assay.DatasetValidation{Samples: 1, At: *later(kept), ReferenceRuns: 4, ReferenceSolved: 4})
}

func testNarrow(f fixture) {
	one := fullSample("d", "one")
	f.importSet("d", dataset.ImportResult{Added: 1}, one)
	is := func(version int, want bool) {
		f.Helper()
		got, err := f.Narrow(f.ctx, "d", "one", version)
		f.must(err)
		if got != want {
			f.Errorf("the command for some tests of version %d may be used: %v, want %v", version, got, want)
		}
	}
	is(1, false)
	c := dataset.Conclusion{Dataset: "d", SampleID: "one", SampleVersion: 1, Grader: "another", Campaign: "val_1", FinishedAt: kept, Narrow: true}
	f.must(f.SetConclusion(f.ctx, &c))
	is(1, false) // by the rules of another
	for _, narrow := range []bool{true, false, true} {
		c.Grader, c.Narrow = assay.GraderVersion, narrow
		f.must(f.SetConclusion(f.ctx, &c))
		is(1, narrow)
	}
	is(2, false)
}

func testQuarantine(f fixture) {
	one, timeless := fullSample("d", "one"), fullSample("d", "timeless")
	timeless.CreatedAt = time.Time{} // gets that of the import
	f.importSet("d", dataset.ImportResult{Added: 2}, one, timeless)
	for _, s := range []*assay.Sample{one, timeless} {
		got, err := f.SetQuarantine(f.ctx, "d", s.ID, []string{"TestA", "TestC"})
		f.must(err)
		if diff := cmp.Diff([]string{"TestA", "TestC"}, got.Task.Verifier.Quarantined); diff != "" || got.Version != 2 || !got.Latest {
			f.Errorf("version %d, latest %v, quarantine %s", got.Version, got.Latest, diff)
		}
	}
	all, err := f.Quarantines(f.ctx, "d")
	f.must(err)
	if diff := cmp.Diff(map[string][]string{"one": {"TestA", "TestC"}, "timeless": {"TestA", "TestC"}}, all); diff != "" {
		f.Error(diff)
	}
	f.importSet("d", dataset.ImportResult{Unchanged: 2}, one, timeless)
	if old, err := f.Sample(f.ctx, "d", "one", 1); err != nil || len(old.Task.Verifier.Quarantined) != 0 {
		f.Errorf("the version before is %+v, %v", old, err)
	}

	// It outlasts a new row, and a sample that was away.
	changed := *one
	changed.Patch = "another"
	f.importSet("d", dataset.ImportResult{Changed: 1, Removed: 1}, &changed)
	f.importSet("d", dataset.ImportResult{Added: 1, Unchanged: 1}, &changed, timeless)
	for id, version := range map[string]int{"one": 3, "timeless": 2} {
		if got, err := f.Sample(f.ctx, "d", id, 0); err != nil || got.Version != version || len(got.Task.Verifier.Quarantined) != 2 {
			f.Errorf("%s is %+v, %v; want version %d", id, got, err, version)
		}
	}
	for _, s := range []*assay.Sample{&changed, timeless} {
		got, err := f.SetQuarantine(f.ctx, "d", s.ID, nil)
		f.must(err)
		if len(got.Task.Verifier.Quarantined) != 0 || got.VersionDescription != "first" {
			f.Errorf("after its release: %+v", got)
		}
	}
	f.importSet("d", dataset.ImportResult{Unchanged: 2}, &changed, timeless)
	if all, err := f.Quarantines(f.ctx, "d"); err != nil || len(all) != 0 {
		f.Errorf("after the release: %v, %v", all, err)
	}
}

func testNoQuarantine(f fixture) {
	one := fullSample("d", "one")
	f.importSet("d", dataset.ImportResult{Added: 1}, one)
	for _, tests := range [][]string{nil, {"TestUnknown"}} {
		if got, err := f.SetQuarantine(f.ctx, "d", "one", tests); err != nil || got.Version != 1 {
			f.Errorf("%v: %+v, %v", tests, got, err)
		}
	}
	_, err := f.SetQuarantine(f.ctx, "d", "one", one.FailToPass)
	f.code(err, assay.CodeInvalid)
	_, err = f.SetQuarantine(f.ctx, "d", "none", nil)
	f.code(err, assay.CodeSampleNotFound)
	if got, err := f.Sample(f.ctx, "d", "one", 0); err != nil || got.Version != 1 {
		f.Errorf("what was refused left %+v, %v", got, err)
	}
}
