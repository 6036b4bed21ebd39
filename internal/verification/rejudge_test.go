package verification_test

import (
	"context"
	"testing"

	"assay"
	"assay/internal/evaluate"
	"assay/internal/rounds"
	"assay/internal/verification"
)

// rejudging judges the court's works again, until it is closed.
func (c *court) rejudging(a *alterations) (judge *verification.Rejudging, closed func()) {
	c.t.Helper()
	evaluator := evaluate.New(evaluate.Config{Runtime: c.runtime})
	c.t.Cleanup(evaluator.Close)
	return &verification.Rejudging{
		Judged: c.store, Samples: c.store, Player: rounds.New(rounds.Config{Tester: evaluator}), Alterations: a, ImageDigest: c.images.ImageDigest,
		Judging: func(context.Context, string) (assay.Judging, error) { return assay.DefaultJudging(), nil },
	}, evaluator.Close
}

// What was judged before there were rounds is told right from forged by them, and nothing
// that is stored changes.
func TestRejudge(t *testing.T) {
	c := newCourt(t, nil)
	judge, closed := c.rejudging(known())
	for name, tt := range map[string]struct {
		work   map[string]string
		before bool // it was solved
		rounds int  // it goes through
		reason string
	}{
		"right":   {work: map[string]string{"a.txt": "fixed\n"}, before: true, rounds: 3},
		"forged":  {work: map[string]string{"judge.py": "not_pytest = 1\n"}, before: true, rounds: 3, reason: rounds.RefusedReason},
		"wrong":   {work: map[string]string{"a.txt": "wrong\n"}},
		"nothing": {},
	} {
		v := c.judgedBy(user, tt.work)
		if v.Verdict.Solved != tt.before {
			t.Fatalf("%s: before: %+v", name, v.Verdict)
		}
		got, err := judge.Again(t.Context(), v)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		after := got.Verdict
		if want := tt.before && tt.reason == ""; after.Solved != want || after.Evidence.Rounds != tt.rounds || !got.SameImage || tt.reason != "" && after.Reason != tt.reason {
			t.Errorf("%s: %+v", name, got)
		}
		if e := after.Evidence; e.Grader != assay.GraderVersion || e.PatchSHA256 != v.Verdict.Evidence.PatchSHA256 || e.ImageDigest != "sha256:one" || e.SampleVersion != 1 {
			t.Errorf("%s: %+v", name, e)
		}
		if plays, err := c.store.Exposure(t.Context(), user, "d", "s", 1); err != nil || plays != (assay.Exposure{}) {
			t.Errorf("%s: it counts as a play of the user: %+v, %v", name, plays, err)
		}
	}
	closed()
	c.onlySessionsLeft()
}

// again judges a work again.
func (c *court) again(v *assay.Verification) (*verification.Rejudged, error) {
	judge, closed := c.rejudging(known())
	defer closed()
	return judge.Again(c.t.Context(), v)
}

func TestWhatCannotBeRejudged(t *testing.T) {
	c := newCourt(t, func(cfg *verification.Config) { cfg.MaxPatchBytes = 1 })
	v := c.judgedBy(user, map[string]string{"a.txt": "fixed\n"})
	if _, err := c.again(v); assay.CodeOf(err) != assay.CodeNotFound {
		t.Errorf("without its patch: %v", err)
	}
	c = newCourt(t, nil)
	v = c.judgedBy(user, map[string]string{"a.txt": "fixed\n"})
	c.image["/work/a.txt"] = c.image["/work/a_test.txt"]
	if _, err := c.again(v); assay.CodeOf(err) != assay.CodePatchFailed {
		t.Errorf("on an image that its patch is not of: %v", err)
	}
	c = newCourt(t, nil)
	v = c.judgedBy(user, nil)
	c.images.digest = "sha256:two"
	if got, err := c.again(v); err != nil || got.SameImage || got.Verdict.Evidence.ImageDigest != "sha256:two" {
		t.Errorf("on another image: %+v, %v", got, err)
	}
}
