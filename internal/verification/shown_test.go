package verification_test

import (
	"context"
	"testing"

	"assay"
	"assay/internal/session"
	"assay/internal/verification"
)

// asked is the outcome of a work that a key asks for.
func (f *fixture) asked(feedback assay.Feedback, files map[string]string) *assay.Verification {
	f.t.Helper()
	v, err := f.Start(f.t.Context(), verification.Reader{UserID: user, Feedback: feedback}, f.session(files).ID, session.Idempotency{})
	if err != nil {
		f.t.Fatal(err)
	}
	f.work()
	return f.outcome(v)
}

// A key that is told verdicts alone keeps an assurance, until somebody with another key of its
// user has read what the tests said.
func TestWhatWasShownCapsAnAssurance(t *testing.T) {
	f := playing(t, known(), assay.Judging{}, "")
	f.feedback = assay.FeedbackFull
	fix := map[string]string{"a.txt": "fixed\n"}
	expect := func(when string, feedback assay.Feedback, want assay.Assurance) *assay.Verification {
		t.Helper()
		v := f.asked(feedback, fix)
		if v.Verdict == nil || !v.Verdict.Solved || v.Verdict.Evidence.Assurance != want {
			t.Fatalf("%s: %+v, %+v", when, v.Verdict, v.Failure)
		}
		return v
	}
	read := func(v *assay.Verification, feedback assay.Feedback) {
		t.Helper()
		if _, err := f.GetFor(t.Context(), verification.Reader{UserID: user, Feedback: feedback}, v.SessionID, v.ID); err != nil {
			t.Fatal(err)
		}
	}
	expect("a key that is told all", assay.FeedbackFull, assay.AssuranceControlled)
	expect("a token", "", assay.AssuranceControlled)
	v := expect("a key that is told verdicts", assay.FeedbackVerdict, assay.AssuranceBlind)
	read(v, assay.FeedbackVerdict)
	expect("after it read its own verdict", assay.FeedbackVerdict, assay.AssuranceBlind)
	open := f.started(f.session(nil)) // it has nothing to tell yet
	read(open, assay.FeedbackFull)
	v = expect("after a full key looked at one under way", assay.FeedbackVerdict, assay.AssuranceBlind)
	f.feedback = assay.FeedbackVerdict
	read(v, assay.FeedbackFull)
	f.feedback = assay.FeedbackFull
	v = expect("after a full key read what the dataset withheld", assay.FeedbackVerdict, assay.AssuranceBlind)
	read(v, assay.FeedbackFull)
	expect("after a full key read it", assay.FeedbackVerdict, assay.AssuranceControlled)
	f.feedback = assay.FeedbackVerdict
	expect("of a dataset that tells verdicts", assay.FeedbackFull, assay.AssuranceBlind)
}

func TestAnEnvelopeShows(t *testing.T) {
	c := newCourt(t, func(cfg *verification.Config) {
		cfg.Judging = func(context.Context, string) (assay.Judging, error) { return assay.DefaultJudging(), nil }
	})
	v := c.judgedBy(user, nil)
	told := func() bool {
		t.Helper()
		told, err := c.store.DetailsTold(t.Context(), user, "d", "s", 1)
		if err != nil {
			t.Fatal(err)
		}
		return told
	}
	if _, err := c.EnvelopeFor(t.Context(), verification.Reader{UserID: user, Feedback: assay.FeedbackVerdict}, v.SessionID, v.ID); assay.CodeOf(err) != assay.CodeDetailsWithheld || told() {
		t.Errorf("withheld: %v, told: %v", err, told())
	}
	if _, err := c.EnvelopeFor(t.Context(), verification.Reader{UserID: user}, v.SessionID, v.ID); err != nil || !told() {
		t.Errorf("%v, told: %v", err, told())
	}
}
