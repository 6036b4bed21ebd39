package storetest

import (
	"bytes"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/alteration/catalog"
	"assay/internal/dataset"
)

var alterationTests = []test{
	{"what a search found is read as it was stored", testAlterations},
	{"trials and the seed of a search outlast it until it ends", testTrials},
	{"numbers are of the latest versions, and of the newest search", testAlterationSummaries},
	{"alterations are of samples that there are", testAlterationsOfNothing},
}

func searched(f fixture) catalog.Key {
	f.importSet("d", dataset.ImportResult{Added: 1}, fullSample("d", "s"))
	return catalog.Key{Dataset: "d", SampleID: "s", SampleVersion: 1, ImageDigest: "sha256:a", Rules: "1"}
}

func summaryOf(k catalog.Key) *catalog.Summary {
	return &catalog.Summary{Key: k, Tests: 9, Altered: 8, Blind: 7, Fresh: 6, Draws: 5, Runs: 40, Took: time.Minute, FinishedAt: kept}
}

func testAlterations(f fixture) {
	k := searched(f)
	if _, err := f.Alterations(f.ctx, k); assay.CodeOf(err) != assay.CodeNotFound {
		f.Errorf("before the search: %v", err)
	}
	for _, text := range []string{"first", "\x00second"} {
		f.must(f.SaveAlterations(f.ctx, summaryOf(k), []byte(text)))
		got, err := f.Alterations(f.ctx, k)
		f.must(err)
		if string(got) != text {
			f.Errorf("got %q, want %q", got, text)
		}
	}
	for _, other := range []func(*catalog.Key){
		func(k *catalog.Key) { k.ImageDigest = "sha256:b" },
		func(k *catalog.Key) { k.Rules = "2" },
		func(k *catalog.Key) { k.SampleVersion = 2 },
	} {
		k := k
		other(&k)
		if _, err := f.Alterations(f.ctx, k); assay.CodeOf(err) != assay.CodeNotFound {
			f.Errorf("%+v: %v", k, err)
		}
	}
}

func testTrials(f fixture) {
	k := searched(f)
	seed, err := f.AlterationSeed(f.ctx, k, func() []byte { return []byte("one") })
	f.must(err)
	again, err := f.AlterationSeed(f.ctx, k, func() []byte { return []byte("two") })
	f.must(err)
	if string(seed) != "one" || string(again) != "one" {
		f.Errorf("the seed is %q, then %q", seed, again)
	}
	if got, err := f.Trial(f.ctx, k, "t"); got != nil || err != nil {
		f.Errorf("a trial that was not made: %q, %v", got, err)
	}
	for _, text := range []string{"a", "b"} {
		f.must(f.SaveTrial(f.ctx, k, "t", []byte(text)))
		if got, err := f.Trial(f.ctx, k, "t"); !bytes.Equal(got, []byte(text)) || err != nil {
			f.Errorf("got %q, %v, want %q", got, err, text)
		}
	}
	f.must(f.SaveAlterations(f.ctx, summaryOf(k), []byte("found")))
	if got, err := f.Trial(f.ctx, k, "t"); got != nil || err != nil {
		f.Errorf("a trial of a search that has ended: %q, %v", got, err)
	}
}

func testAlterationSummaries(f fixture) {
	k := searched(f)
	newer := summaryOf(k)
	newer.ImageDigest, newer.FinishedAt, newer.Blind = "sha256:b", kept.Add(time.Second), 3
	f.must(f.SaveAlterations(f.ctx, newer, []byte("x")))
	f.must(f.SaveAlterations(f.ctx, summaryOf(k), []byte("x")))
	got, err := f.AlterationSummaries(f.ctx, "d", "1")
	f.must(err)
	if diff := cmp.Diff([]*catalog.Summary{newer}, got); diff != "" {
		f.Error(diff)
	}
	changed := fullSample("d", "s")
	changed.Patch = "another"
	f.importSet("d", dataset.ImportResult{Changed: 1}, changed)
	if got, err := f.AlterationSummaries(f.ctx, "d", "1"); len(got) > 0 || err != nil {
		f.Errorf("of a version that is latest no more: %+v, %v", got, err)
	}
}

func testAlterationsOfNothing(f fixture) {
	k := searched(f)
	k.SampleVersion = 7
	if err := f.SaveAlterations(f.ctx, summaryOf(k), []byte("x")); assay.CodeOf(err) != assay.CodeSampleNotFound {
		f.Errorf("alterations: %v", err)
	}
	if err := f.SaveTrial(f.ctx, k, "t", []byte("x")); assay.CodeOf(err) != assay.CodeSampleNotFound {
		f.Errorf("a trial: %v", err)
	}
}
