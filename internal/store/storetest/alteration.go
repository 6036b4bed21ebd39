package storetest

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/alteration/catalog"
	"assay/internal/dataset"
	"assay/internal/session"
)

var alterationTests = []test{
	{"what a search found is read as it was stored", testAlterations},
	{"trials and the seed of a search outlast it until it ends", testTrials},
	{"trials of searches that nobody ends any more are dropped", testOldTrials},
	{"numbers are of the latest versions, and of the newest search", testAlterationSummaries},
	{"alterations are of samples that there are", testAlterationsOfNothing},
	{"a dataset tells how many of its samples were searched", testDatasetAlterations},
	{"samples are told by their last use", testRecentlyUsed},
	{"what was shown is counted, whatever is searched anew", testShown},
}

func searched(f fixture) catalog.Key {
	f.importSet("d", dataset.ImportResult{Added: 1}, fullSample("d", "s"))
	return catalog.Key{Dataset: "d", SampleID: "s", SampleVersion: 1, ImageDigest: "sha256:a", Rules: "1"}
}

func summaryOf(k catalog.Key) *catalog.Summary {
	return &catalog.Summary{Key: k, Tests: 9, Altered: 8, Blind: 7, Fresh: 6, Draws: 5, Runs: 40, Took: time.Minute, FinishedAt: kept}
}

// save stores the outcome of a search, whatever is stored already.
func (f fixture) save(a *catalog.Summary, text string, goesOn bool) {
	f.Helper()
	f.must(f.SaveAlterations(f.ctx, a.Key, func([]byte) (*catalog.Found, error) {
		return &catalog.Found{Summary: a, Sealed: []byte(text), GoesOn: goesOn}, nil
	}))
}

func testAlterations(f fixture) {
	k := searched(f)
	if _, err := f.Alterations(f.ctx, k); assay.CodeOf(err) != assay.CodeNotFound {
		f.Errorf("before the search: %v", err)
	}
	stored := ""
	for _, text := range []string{"first", "\x00second"} {
		f.must(f.SaveAlterations(f.ctx, k, func(sealed []byte) (*catalog.Found, error) {
			if string(sealed) != stored || (sealed == nil) != (stored == "") {
				f.Errorf("%q is to be merged with %q, want %q", text, sealed, stored)
			}
			return &catalog.Found{Summary: summaryOf(k), Sealed: []byte(text)}, nil
		}))
		stored = text
		got, err := f.Alterations(f.ctx, k)
		f.must(err)
		if string(got) != text {
			f.Errorf("got %q, want %q", got, text)
		}
	}
	refused := errors.New("refused")
	err := f.SaveAlterations(f.ctx, k, func([]byte) (*catalog.Found, error) { return nil, refused })
	if got, readErr := f.Alterations(f.ctx, k); !errors.Is(err, refused) || string(got) != stored || readErr != nil {
		f.Errorf("what cannot be merged: %v; stored is %q, %v", err, got, readErr)
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
	f.save(summaryOf(k), "found", true)
	if got, err := f.Trial(f.ctx, k, "t"); string(got) != "b" || err != nil {
		f.Errorf("a trial of a search that goes on: %q, %v", got, err)
	}
	f.save(summaryOf(k), "found", false)
	if got, err := f.Trial(f.ctx, k, "t"); got != nil || err != nil {
		f.Errorf("a trial of a search that has ended: %q, %v", got, err)
	}
	if seed, err := f.AlterationSeed(f.ctx, k, func() []byte { return []byte("three") }); string(seed) != "three" || err != nil {
		f.Errorf("the seed of the next search is %q, %v", seed, err)
	}
	f.must(f.SaveTrial(f.ctx, k, "t", []byte("c")))
	f.must(f.DropTrials(f.ctx, k))
	if got, err := f.Trial(f.ctx, k, "t"); got != nil || err != nil {
		f.Errorf("a trial that was dropped: %q, %v", got, err)
	}
	if seed, err := f.AlterationSeed(f.ctx, k, func() []byte { return []byte("four") }); string(seed) != "four" || err != nil {
		f.Errorf("the seed after one that was dropped is %q, %v", seed, err)
	}
}

// trialsLeft tells of which keys a trial is kept.
func (f fixture) trialsLeft(keys ...catalog.Key) (left []catalog.Key) {
	f.Helper()
	for _, k := range keys {
		got, err := f.Trial(f.ctx, k, "t")
		f.must(err)
		if got != nil {
			left = append(left, k)
		}
	}
	return left
}

// The trials of a search that nobody will end any more are dropped with the outcome of one
// that goes before it, and with their version of the sample.
func testOldTrials(f fixture) {
	k := searched(f)
	f.importSet("e", dataset.ImportResult{Added: 1}, fullSample("e", "s"))
	older, image, rules, other := k, k, k, k
	image.ImageDigest, rules.Rules, other.Dataset = "sha256:b", "0", "e"
	all := []catalog.Key{image, rules, other, older}
	for _, k := range all {
		f.must(f.SaveTrial(f.ctx, k, "t", []byte("x")))
	}
	f.save(summaryOf(k), "found", true)
	if left := f.trialsLeft(all...); !slices.Equal(left, []catalog.Key{other, older}) {
		f.Errorf("by other rules and on another image: left are %+v", left)
	}
	changed := fullSample("d", "s")
	changed.Patch = "another"
	f.importSet("d", dataset.ImportResult{Changed: 1}, changed)
	if left := f.trialsLeft(all...); !slices.Equal(left, []catalog.Key{other}) {
		f.Errorf("of a version that was replaced: left are %+v", left)
	}
	f.must(f.SaveTrial(f.ctx, older, "t", []byte("x"))) // by a search that has not heard of it
	k.SampleVersion = 2
	f.must(f.SaveTrial(f.ctx, k, "t", []byte("x")))
	f.save(summaryOf(older), "found", true)
	if left := f.trialsLeft(k, older); !slices.Equal(left, []catalog.Key{k, older}) {
		f.Errorf("after the outcome of an older version: left are %+v", left)
	}
	f.save(summaryOf(k), "found", true)
	if left := f.trialsLeft(k, older); !slices.Equal(left, []catalog.Key{k}) {
		f.Errorf("after the outcome of a newer version: left are %+v", left)
	}
	f.importSet("d", dataset.ImportResult{Removed: 1})
	if left := f.trialsLeft(k, other); !slices.Equal(left, []catalog.Key{other}) {
		f.Errorf("of a sample that was removed: left are %+v", left)
	}
}

func testAlterationSummaries(f fixture) {
	k := searched(f)
	newer := summaryOf(k)
	newer.ImageDigest, newer.FinishedAt, newer.Blind = "sha256:b", kept.Add(time.Second), 3
	f.save(newer, "x", false)
	f.save(summaryOf(k), "x", false)
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
	err := f.SaveAlterations(f.ctx, k, func([]byte) (*catalog.Found, error) {
		return &catalog.Found{Summary: summaryOf(k), Sealed: []byte("x")}, nil
	})
	if assay.CodeOf(err) != assay.CodeSampleNotFound {
		f.Errorf("alterations: %v", err)
	}
	if err := f.SaveTrial(f.ctx, k, "t", []byte("x")); assay.CodeOf(err) != assay.CodeSampleNotFound {
		f.Errorf("a trial: %v", err)
	}
}

func testDatasetAlterations(f fixture) {
	f.importSet("d", dataset.ImportResult{Added: 4}, fullSample("d", "blind"), fullSample("d", "partly"), fullSample("d", "not"), fullSample("d", "unsearched"))
	f.importSet("e", dataset.ImportResult{Added: 1}, fullSample("e", "s"))
	is := func(when string, want assay.DatasetAlterations) {
		f.Helper()
		all, err := f.Datasets(f.ctx)
		f.must(err)
		single, err := f.Dataset(f.ctx, "d")
		f.must(err)
		if diff := cmp.Diff([]assay.DatasetAlterations{want, want, {}}, []assay.DatasetAlterations{single.Alterations, all[0].Alterations, all[1].Alterations}); diff != "" {
			f.Errorf("%s: %s", when, diff)
		}
	}
	save := func(id, image, rules string, at time.Duration, altered, blind int) {
		f.Helper()
		s := summaryOf(catalog.Key{Dataset: "d", SampleID: id, SampleVersion: 1, ImageDigest: image, Rules: rules})
		s.Tests, s.Altered, s.Blind, s.FinishedAt = 2, altered, blind, kept.Add(at)
		f.save(s, "x", false)
	}
	is("before", assay.DatasetAlterations{})
	save("blind", "sha256:a", "older", 0, 2, 2)
	is("by other rules", assay.DatasetAlterations{})
	save("partly", "sha256:a", catalog.Rules, 0, 2, 1)
	save("not", "sha256:a", catalog.Rules, 0, 0, 0)
	save("blind", "sha256:a", catalog.Rules, 0, 0, 0)
	is("none is blind", assay.DatasetAlterations{Searched: 3, Altered: 1})
	save("blind", "sha256:b", catalog.Rules, time.Second, 2, 2)
	is("on a newer image", assay.DatasetAlterations{Searched: 3, Altered: 2, Blind: 1})
	changed := fullSample("d", "blind")
	changed.Patch = "another"
	f.importSet("d", dataset.ImportResult{Changed: 1, Removed: 1, Unchanged: 2}, changed, fullSample("d", "partly"), fullSample("d", "unsearched"))
	is("of another version, and without one", assay.DatasetAlterations{Searched: 1, Altered: 1})
}

func testRecentlyUsed(f fixture) {
	u := f.user()
	sessions := make(map[string]*assay.Session)
	is := func(when string, most int, want ...string) {
		f.Helper()
		used, err := f.RecentlyUsed(f.ctx, most)
		f.must(err)
		var got []string
		for _, s := range used {
			if s.Dataset != "d" {
				f.Errorf("%s: %+v", when, s)
			}
			got = append(got, s.ID)
		}
		if !slices.Equal(got, want) {
			f.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	f.importSet("d", dataset.ImportResult{Added: 4}, fullSample("d", "a"), fullSample("d", "b"), fullSample("d", "c"), fullSample("d", "unused"))
	is("before", 10)
	for _, id := range []string{"a", "b", "a", "c"} {
		s, _, err := f.InsertSession(f.ctx, newSession(u.ID, "d", id), session.Idempotency{}, session.LiveLimits{})
		f.must(err)
		sessions[id] = s
	}
	is("after sessions", 10, "c", "a", "b")
	f.pending(sessions["b"])
	is("after a verification", 10, "b", "c", "a")
	is("some of them", 2, "b", "c")
}

func testShown(f fixture) {
	k := searched(f)
	is := func(when string, want map[string]int) {
		f.Helper()
		got, err := f.Shown(f.ctx, k)
		f.must(err)
		if diff := cmp.Diff(want, got); diff != "" {
			f.Errorf("%s: %s", when, diff)
		}
	}
	is("before anything", map[string]int{})
	f.must(f.NoteShown(f.ctx, k, map[string]int{"a": 1, "b": 2}))
	f.must(f.NoteShown(f.ctx, k, map[string]int{"b": 3, "c": 1}))
	f.save(summaryOf(k), "another search", false)
	k.ImageDigest, k.Rules = "sha256:b", "2"
	is("on another image", map[string]int{"a": 1, "b": 5, "c": 1})
	k.SampleVersion = 2
	is("of another version", map[string]int{})
	if err := f.NoteShown(f.ctx, k, map[string]int{"a": 1}); assay.CodeOf(err) != assay.CodeSampleNotFound {
		f.Errorf("of a version that is not there: %v", err)
	}
}
