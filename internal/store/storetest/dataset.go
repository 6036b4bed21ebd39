package storetest

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/dataset"
	"assay/internal/session"
)

var datasetTests = []test{
	{"a sample is read as it was stored", testSample},
	{"an import again changes nothing", testImportAgain},
	{"a changed sample is a new version", testVersions},
	{"a sample is removed and comes back", testRemoved},
	{"sessions keep the version they were made from", testSessionKeepsVersion},
	{"an import is whole or nothing", testImportWhole},
	{"who reads the answers is a dataset's setting, which all of its samples have at once", testAnswers},
	{"an operator's word on answers outlasts imports, a folder's does not", testAnswersOfImports},
	{"how a dataset is judged is settled field by field, an operator over the last import", testJudging},
	{"a search is for a part of the id, ignoring case", testSearch},
	{"pages hold each sample once, in order", testSamplePages},
	{"a reader that stops is obeyed", testSamplesStop},
	{"imports and readers do not stand in each other's way", testSamplesWhileImporting},
	{"50,000 samples are streamed in little memory", testManySamples},
}

func fullSample(dataset, id string) *assay.Sample {
	return &assay.Sample{
		Dataset: dataset, ID: id, VersionDescription: "first", Description: "a task", CreatedAt: kept,
		Repo: "r/r", BaseCommit: "abc", EnvironmentSetupCommit: "def", ProblemStatement: "it is broken\n", HintsText: "look",
		Patch: "--- a\n+++ b\n", NonCodePatch: "n", TestPatch: "t",
		FailToPass: []string{"TestA", "Test \"B\""}, PassToPass: []string{"TestC"}, FailToFail: []string{},
		Task: assay.Task{
			Image: "i/{instance_id}", Workdir: "/src", Language: "go", Env: map[string]string{"A": "1"}, Network: "none",
			Resources: assay.Resources{CPUs: 1.5, MemoryMB: 512}, Grading: assay.GradingSWEBench,
			Verifier: assay.Verifier{Kind: assay.VerifierTestSuite, Command: "go test", TimeoutSeconds: 60, Reports: []assay.ReportSpec{{Path: "-", Format: "go-test-json"}}},
		},
		Answers: assay.AnswersUsers, // as it is read; stores do not take it from here
	}
}

// importSet imports samples as the dataset and checks what it did.
func (f fixture) importSet(name string, want dataset.ImportResult, samples ...*assay.Sample) {
	f.Helper()
	got, err := f.ImportDataset(f.ctx, &assay.Dataset{Name: name, Description: "about " + name, CreatedAt: kept}, samples)
	f.must(err)
	if got != want {
		f.Errorf("import did %+v, want %+v", got, want)
	}
}

// list returns the ids that a query selects.
func (f fixture) list(q dataset.Query) []string {
	f.Helper()
	var ids []string
	f.must(f.Samples(f.ctx, q, func(s *assay.Sample) error {
		ids = append(ids, s.Dataset+"/"+s.ID)
		return nil
	}))
	return ids
}

func testSample(f fixture) {
	want := fullSample("d", "one")
	f.importSet("d", dataset.ImportResult{Added: 1}, want)
	want.Version, want.Latest = 1, true

	for _, version := range []int{0, 1} {
		got, err := f.Sample(f.ctx, "d", "one", version)
		f.must(err)
		if diff := cmp.Diff(want, got); diff != "" {
			f.Error(diff)
		}
	}
	f.must(f.Samples(f.ctx, dataset.Query{}, func(got *assay.Sample) error {
		if diff := cmp.Diff(want, got); diff != "" {
			f.Error(diff)
		}
		return nil
	}))
	d, err := f.Dataset(f.ctx, "d")
	f.must(err)
	if diff := cmp.Diff(&assay.Dataset{Name: "d", Description: "about d", SampleCount: 1, CreatedAt: kept, Answers: assay.AnswersUsers}, d); diff != "" {
		f.Error(diff)
	}

	_, err = f.Sample(f.ctx, "none", "one", 0)
	f.code(err, assay.CodeDatasetNotFound)
	_, err = f.Sample(f.ctx, "d", "none", 0)
	f.code(err, assay.CodeSampleNotFound)
	_, err = f.Sample(f.ctx, "d", "one", 2)
	f.code(err, assay.CodeSampleNotFound)
	_, err = f.Dataset(f.ctx, "none")
	f.code(err, assay.CodeDatasetNotFound)
}

func testImportAgain(f fixture) {
	one, two := fullSample("d", "one"), fullSample("d", "two")
	two.FailToFail = nil // is the same as an empty list
	f.importSet("d", dataset.ImportResult{Added: 2}, one, two)
	two.FailToFail = []string{}
	f.importSet("d", dataset.ImportResult{Unchanged: 2}, two, one)
	all, err := f.Datasets(f.ctx)
	f.must(err)
	if len(all) != 1 || all[0].SampleCount != 2 {
		f.Errorf("got %+v, want one dataset with 2 samples", all)
	}
}

func testVersions(f fixture) {
	changes := []func(*assay.Sample){
		func(s *assay.Sample) { s.Patch += "\n" },
		func(s *assay.Sample) { s.FailToPass = s.FailToPass[:1] },
		func(s *assay.Sample) { s.Task.Verifier.TimeoutSeconds++ },
		func(s *assay.Sample) { s.Description = "" },
	}
	sample := fullSample("d", "one")
	same := fullSample("d", "same")
	f.importSet("d", dataset.ImportResult{Added: 2}, sample, same)
	for i, change := range changes {
		old := *sample
		change(sample)
		f.importSet("d", dataset.ImportResult{Changed: 1, Unchanged: 1}, sample, same)

		want := *sample
		want.Version, want.Latest = i+2, true
		got, err := f.Sample(f.ctx, "d", "one", 0)
		f.must(err)
		if diff := cmp.Diff(&want, got); diff != "" {
			f.Error(diff)
		}
		old.Version, old.Latest = i+1, false
		got, err = f.Sample(f.ctx, "d", "one", i+1)
		f.must(err)
		if diff := cmp.Diff(&old, got); diff != "" {
			f.Error(diff)
		}
	}
	if got := f.list(dataset.Query{}); len(got) != 2 {
		f.Errorf("listed %v, want each sample once", got)
	}
}

func testRemoved(f fixture) {
	one, two := fullSample("d", "one"), fullSample("d", "two")
	f.importSet("d", dataset.ImportResult{Added: 2}, one, two)
	f.importSet("d", dataset.ImportResult{Unchanged: 1, Removed: 1}, two)
	_, err := f.Sample(f.ctx, "d", "one", 0)
	f.code(err, assay.CodeSampleNotFound)
	if got, err := f.Sample(f.ctx, "d", "one", 1); err != nil || got.Latest {
		f.Errorf("version 1 of a removed sample: %+v, %v", got, err)
	}
	f.importSet("d", dataset.ImportResult{Unchanged: 1}, two)

	f.importSet("d", dataset.ImportResult{Added: 1, Unchanged: 1}, one, two)
	if got, err := f.Sample(f.ctx, "d", "one", 0); err != nil || got.Version != 1 {
		f.Errorf("a sample that came back: %+v, %v; want version 1", got, err)
	}
	f.importSet("d", dataset.ImportResult{Unchanged: 1, Removed: 1}, two)
	one.Patch = "another"
	f.importSet("d", dataset.ImportResult{Added: 1, Unchanged: 1}, one, two)
	if got, err := f.Sample(f.ctx, "d", "one", 0); err != nil || got.Version != 2 {
		f.Errorf("a sample that came back changed: %+v, %v; want version 2", got, err)
	}
}

func testSessionKeepsVersion(f fixture) {
	u := f.user()
	sample := fullSample("d", "one")
	f.importSet("d", dataset.ImportResult{Added: 1}, sample)
	s, _, err := f.InsertSession(f.ctx, newSession(u.ID, "d", "one"), session.Idempotency{}, session.LiveLimits{})
	f.must(err)
	sample.Patch = "another"
	f.importSet("d", dataset.ImportResult{Changed: 1}, sample)
	got, err := f.Sample(f.ctx, s.Dataset, s.SampleID, s.SampleVersion)
	f.must(err)
	if got.Version != 1 || got.Patch == sample.Patch {
		f.Errorf("the session's sample is version %d with patch %q", got.Version, got.Patch)
	}
}

func testImportWhole(f fixture) {
	f.importSet("d", dataset.ImportResult{Added: 1}, fullSample("d", "one"))
	_, err := f.ImportDataset(f.ctx, &assay.Dataset{Name: "d", Description: "new"}, []*assay.Sample{
		fullSample("d", "two"), fullSample("d", "three"), fullSample("d", "two"),
	})
	f.code(err, assay.CodeInvalid)
	if diff := cmp.Diff([]string{"d/one"}, f.list(dataset.Query{})); diff != "" {
		f.Error(diff)
	}
	d, err := f.Dataset(f.ctx, "d")
	f.must(err)
	if d.Description != "about d" || d.SampleCount != 1 {
		f.Errorf("a failed import left %+v", d)
	}
}

// answers checks what is set of a dataset, and that every version of every sample has it.
func (f fixture) answers(name string, want assay.Answers) {
	f.Helper()
	d, err := f.Dataset(f.ctx, name)
	f.must(err)
	all, err := f.Datasets(f.ctx)
	f.must(err)
	for _, d := range append(all, d) {
		if d.Name == name && d.Answers != want {
			f.Errorf("dataset %s has answers %q, want %q", name, d.Answers, want)
		}
	}
	check := func(s *assay.Sample) error {
		if s.Dataset == name && s.Answers != want {
			f.Errorf("version %d of %s/%s has answers %q, want %q", s.Version, s.Dataset, s.ID, s.Answers, want)
		}
		return nil
	}
	for _, q := range []dataset.Query{{}, {Dataset: name}, {Dataset: name, Search: "o", Limit: 5}} {
		f.must(f.Samples(f.ctx, q, check))
	}
	for _, version := range []int{0, 1, 2} {
		s, err := f.Sample(f.ctx, name, "one", version)
		f.must(err)
		f.must(check(s))
	}
}

func testAnswers(f fixture) {
	for _, name := range []string{"d", "other"} {
		one, two := fullSample(name, "one"), fullSample(name, "two")
		f.importSet(name, dataset.ImportResult{Added: 2}, one, two)
		one.Patch = "another"
		one.Answers = assay.AnswersPublic // of no sample alone
		f.importSet(name, dataset.ImportResult{Changed: 1, Unchanged: 1}, one, two)
	}
	f.answers("d", assay.AnswersUsers)
	for _, answers := range []assay.Answers{assay.AnswersOperators, assay.AnswersPublic, assay.AnswersUsers, assay.AnswersOperators, assay.AnswersOperators} {
		f.must(f.SetAnswers(f.ctx, "d", answers))
		f.answers("d", answers)
		f.answers("other", assay.AnswersUsers)
	}
	f.code(f.SetAnswers(f.ctx, "none", assay.AnswersPublic), assay.CodeDatasetNotFound)

	// Versions that quarantine makes have it, too.
	s, err := f.SetQuarantine(f.ctx, "d", "two", []string{"TestC"})
	f.must(err)
	if s.Answers != assay.AnswersOperators {
		f.Errorf("a quarantined sample has answers %q", s.Answers)
	}

	// It is one with the samples that are read: a reader that began before does not read
	// on as if nothing were. The next page is read after the change.
	var many []*assay.Sample
	for i := range 600 {
		many = append(many, &assay.Sample{Dataset: "many", ID: numbered("m", i), CreatedAt: kept})
	}
	f.importSet("many", dataset.ImportResult{Added: 600}, many...)
	var last assay.Answers
	f.must(f.Samples(f.ctx, dataset.Query{Dataset: "many"}, func(s *assay.Sample) error {
		last = s.Answers
		if s.ID != numbered("m", 0) {
			return nil
		}
		return f.SetAnswers(f.ctx, "many", assay.AnswersOperators)
	}))
	if last != assay.AnswersOperators {
		f.Errorf("the last sample of a list has answers %q, which were set before it was read", last)
	}
}

func testAnswersOfImports(f fixture) {
	one := fullSample("d", "one")
	steps := []struct {
		folder, operator, want assay.Answers
	}{
		{assay.AnswersOperators, "", assay.AnswersOperators}, // a new dataset has what its folder says
		{"", "", assay.AnswersOperators},                     // which a folder that does not say leaves
		{assay.AnswersPublic, "", assay.AnswersPublic},
		{assay.AnswersUsers, "", assay.AnswersUsers},
		{assay.AnswersPublic, assay.AnswersOperators, assay.AnswersOperators},
		{assay.AnswersPublic, "", assay.AnswersOperators}, // from here on it is the operator's
		{assay.AnswersUsers, "", assay.AnswersOperators},
		{"", assay.AnswersUsers, assay.AnswersUsers},
		{assay.AnswersOperators, "", assay.AnswersUsers},
	}
	for i, step := range steps {
		result, err := f.ImportDataset(f.ctx, &assay.Dataset{Name: "d", Answers: step.folder}, []*assay.Sample{one})
		f.must(err)
		if i > 0 && result.Unchanged != 1 {
			f.Errorf("step %d made a version: %+v", i, result)
		}
		if step.operator != "" {
			f.must(f.SetAnswers(f.ctx, "d", step.operator))
		}
		d, err := f.Dataset(f.ctx, "d")
		f.must(err)
		if d.Answers != step.want {
			f.Errorf("after step %d the answers are %q, want %q", i, d.Answers, step.want)
		}
	}
}

func testJudging(f fixture) {
	one, two := fullSample("d", "one"), fullSample("d", "two")
	imported := func(j assay.Judging) {
		f.Helper()
		_, err := f.ImportDataset(f.ctx, &assay.Dataset{Name: "d", Judging: j}, []*assay.Sample{one, two})
		f.must(err)
	}
	set := func(change func(*assay.Judging)) {
		f.Helper()
		f.must(f.SetJudging(f.ctx, "d", func(j assay.Judging) (assay.Judging, error) {
			change(&j)
			return j, nil
		}))
	}
	holds := func(name string, want assay.Judging) {
		f.Helper()
		got, err := f.Judging(f.ctx, name)
		f.must(err)
		d, err := f.Dataset(f.ctx, name)
		f.must(err)
		s, err := f.Sample(f.ctx, name, "one", 1)
		f.must(err)
		if got != want || d.Judging != want || s.Judging != want {
			f.Errorf("%s is judged by %+v, the dataset has %+v and its sample %+v; want %+v", name, got, d.Judging, s.Judging, want)
		}
		f.must(f.Samples(f.ctx, dataset.Query{Dataset: name}, func(s *assay.Sample) error {
			if s.Judging != want {
				f.Errorf("%s in the list has %+v, want %+v", s.ID, s.Judging, want)
			}
			return nil
		}))
	}
	f.importSet("other", dataset.ImportResult{Added: 1}, fullSample("other", "one"))
	imported(assay.Judging{})
	holds("d", assay.Judging{})
	imported(assay.Judging{Rounds: 5, MaxOdds: 1.0 / 3, RequireAssurance: assay.AssuranceBlind, Fresh: assay.FreshOff, Feedback: assay.FeedbackVerdict, Known: assay.KnownPublic})
	holds("d", assay.Judging{Rounds: 5, MaxOdds: 1.0 / 3, RequireAssurance: assay.AssuranceBlind, Fresh: assay.FreshOff, Feedback: assay.FeedbackVerdict, Known: assay.KnownPublic})
	set(func(j *assay.Judging) { j.Rounds, j.Feedback = 7, assay.FeedbackFull })
	imported(assay.Judging{Rounds: 2, Known: assay.KnownPublic}) // in the place of all that was said before
	holds("d", assay.Judging{Rounds: 7, Feedback: assay.FeedbackFull, Known: assay.KnownPublic})
	set(func(j *assay.Judging) { j.Rounds, j.Known = 0, assay.KnownPrivate })
	holds("d", assay.Judging{Rounds: 2, Feedback: assay.FeedbackFull, Known: assay.KnownPrivate})
	holds("other", assay.Judging{})

	wrong := assay.Errorf(assay.CodeInvalid, "no")
	f.code(f.SetJudging(f.ctx, "d", func(assay.Judging) (assay.Judging, error) { return assay.Judging{Rounds: 1}, wrong }), assay.CodeInvalid)
	holds("d", assay.Judging{Rounds: 2, Feedback: assay.FeedbackFull, Known: assay.KnownPrivate})
	f.code(f.SetJudging(f.ctx, "none", func(j assay.Judging) (assay.Judging, error) { return j, nil }), assay.CodeDatasetNotFound)
	_, err := f.Judging(f.ctx, "none")
	f.code(err, assay.CodeDatasetNotFound)
	if s, err := f.SetQuarantine(f.ctx, "d", "two", []string{"TestC"}); err != nil || s.Judging.Rounds != 2 {
		f.Errorf("a quarantined sample is judged by %+v, %v", s, err)
	}
}

func testSearch(f fixture) {
	ids := []string{"Go__Chi-12", "go__chi-120", `a%b`, `a\b`, "axb", "É"}
	var samples []*assay.Sample
	for _, id := range ids {
		samples = append(samples, &assay.Sample{Dataset: "d", ID: id, CreatedAt: kept})
	}
	f.importSet("d", dataset.ImportResult{Added: len(ids)}, samples...)
	for search, want := range map[string][]string{
		"":      {"d/Go__Chi-12", "d/axb", "d/a%b", `d/a\b`, "d/go__chi-120", "d/É"},
		"CHI-1": {"d/Go__Chi-12", "d/go__chi-120"},
		"12":    {"d/Go__Chi-12", "d/go__chi-120"},
		"120":   {"d/go__chi-120"},
		"__":    {"d/Go__Chi-12", "d/go__chi-120"},
		"%":     {"d/a%b"},
		`\`:     {`d/a\b`},
		"a_b":   nil,
		"É":     {"d/É"},
		"none":  nil,
	} {
		got := f.list(dataset.Query{Dataset: "d", Search: search})
		n, err := f.CountSamples(f.ctx, dataset.Query{Dataset: "d", Search: search})
		f.must(err)
		if len(got) != len(want) || n != len(want) {
			f.Errorf("search %q: %v and count %d, want %v", search, got, n, want)
			continue
		}
		has := map[string]bool{}
		for _, id := range got {
			has[id] = true
		}
		for _, id := range want {
			if !has[id] {
				f.Errorf("search %q: %v, want %v", search, got, want)
			}
		}
	}
}

func testSamplePages(f fixture) {
	var want []string
	for _, name := range []string{"a", "b", "c"} {
		var samples []*assay.Sample
		for i := range 300 {
			id := numbered("x", i)
			want = append(want, name+"/"+id)
			samples = append(samples, &assay.Sample{Dataset: name, ID: id, CreatedAt: kept, Patch: strings.Repeat("p", 5000)})
		}
		f.importSet(name, dataset.ImportResult{Added: 300}, samples...)
	}
	for _, tt := range []struct {
		query dataset.Query
		want  []string
	}{
		{dataset.Query{}, want},
		{dataset.Query{Dataset: "b"}, want[300:600]},
		{dataset.Query{Offset: 290, Limit: 20}, want[290:310]},
		{dataset.Query{Dataset: "b", Offset: 1, Limit: 299}, want[301:600]},
		{dataset.Query{Dataset: "c", Offset: 250, Limit: 100}, want[850:]},
		{dataset.Query{Offset: 10}, want[10:]},
		{dataset.Query{Offset: 900, Limit: 10}, nil},
		{dataset.Query{Dataset: "none"}, nil},
		{dataset.Query{Dataset: "b", Search: "x-00029"}, want[590:600]},
	} {
		if diff := cmp.Diff(tt.want, f.list(tt.query)); diff != "" {
			f.Errorf("%+v: %s", tt.query, diff)
		}
	}
	if n, err := f.CountSamples(f.ctx, dataset.Query{Offset: 10, Limit: 1}); err != nil || n != 900 {
		f.Errorf("count %d, %v; want 900 whatever the page", n, err)
	}
}

func testSamplesStop(f fixture) {
	f.importSet("d", dataset.ImportResult{Added: 2}, fullSample("d", "one"), fullSample("d", "two"))
	enough, calls := errors.New("enough"), 0
	err := f.Samples(f.ctx, dataset.Query{}, func(*assay.Sample) error {
		calls++
		return enough
	})
	if !errors.Is(err, enough) || calls != 1 {
		f.Errorf("got %v after %d calls, want the reader's error after 1", err, calls)
	}
}

func testSamplesWhileImporting(f fixture) {
	f.importSet("d", dataset.ImportResult{Added: 2}, fullSample("d", "one"), fullSample("d", "two"))
	f.must(f.Samples(f.ctx, dataset.Query{}, func(s *assay.Sample) error {
		changed := fullSample("other", "of-"+s.ID)
		_, err := f.ImportDataset(f.ctx, &assay.Dataset{Name: "other"}, []*assay.Sample{changed})
		return err
	}))
}

func testManySamples(f fixture) {
	const many = 50_000
	f.importSet("d", dataset.ImportResult{Added: many}, manySamples(many)...)

	before, most, seen := heap(), uint64(0), 0
	f.must(f.Samples(f.ctx, dataset.Query{Dataset: "d"}, func(s *assay.Sample) error {
		if want := numbered("s", seen); s.ID != want {
			return fmt.Errorf("sample %d is %s, want %s", seen, s.ID, want)
		}
		seen++
		if seen%(many/5) == 0 {
			most = max(most, heap())
		}
		return nil
	}))
	if seen != many {
		f.Errorf("saw %d samples, want %d", seen, many)
	}
	const little = 16 << 20 // all of them are more than twice as much
	if most > before+little {
		f.Errorf("the heap grew by %d bytes, want at most %d", most-before, little)
	}
}

func manySamples(n int) []*assay.Sample {
	samples := make([]*assay.Sample, n)
	for i := range samples {
		samples[i] = &assay.Sample{Dataset: "d", ID: numbered("s", i), CreatedAt: kept, ProblemStatement: strings.Repeat("words ", 100)}
	}
	return samples
}

// heap is how much memory is in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
