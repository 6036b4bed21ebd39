package verification

import (
	"context"

	"assay"
)

// Reader is who reads verifications over the API.
type Reader struct {
	UserID   string
	Feedback assay.Feedback // of the key; what the dataset says holds beside it
}

// What a verdict says to who is told no more than that.
const (
	reasonSolved    = "the work solves the task"
	reasonNotSolved = "the work does not solve the task: not all that must pass was seen to pass, or the evidence disagrees with itself; details are withheld"
	reasonFailure   = "the server could not judge this work; details are withheld"
)

// ViewOf returns a verification as it is told to who gets a feedback: itself, or a copy
// without what the suite, its reports and its sandbox said.
func ViewOf(v *assay.Verification, feedback assay.Feedback) *assay.Verification {
	if feedback != assay.FeedbackVerdict {
		return v
	}
	c := *v
	c.Withheld = true
	if v.Failure != nil {
		c.Failure = &assay.Failure{Code: v.Failure.Code, Message: reasonFailure}
	}
	if v.Verdict != nil {
		c.Verdict = coarse(v.Verdict)
	}
	return &c
}

// coarse is what a verdict says of the whole work, and how sure that is. It is made of
// what may be told, and not by taking away, so that what verdicts gain later is not told.
func coarse(v *assay.Verdict) *assay.Verdict {
	c := &assay.Verdict{Tool: v.Tool, Grading: v.Grading, Solved: v.Solved, Reason: reasonNotSolved}
	switch {
	case v.Solved:
		c.Reason = reasonSolved
	case v.Evidence.NotRun: // it says what is wrong with the work tree, on which nothing was run
		c.Reason = v.Reason
	}
	e := &v.Evidence
	c.Evidence = assay.Evidence{
		Grader: e.Grader, ImageDigest: e.ImageDigest, SampleVersion: e.SampleVersion,
		PatchSHA256: e.PatchSHA256, // of what its reader may have
		NotRun:      e.NotRun, AnswersOpen: e.AnswersOpen,
		Rounds: e.Rounds, Odds: e.Odds, OddsWithRetries: e.OddsWithRetries, OddsOfAll: e.OddsOfAll, Assurance: e.Assurance,
	}
	return c
}

// GetFor is Get, as a reader may see it.
func (s *Service) GetFor(ctx context.Context, r Reader, sessionID, id string) (*assay.Verification, error) {
	v, err := s.Get(ctx, r.UserID, sessionID, id)
	return s.view(ctx, r, v, err)
}

// AwaitFor is Await, as a reader may see it.
func (s *Service) AwaitFor(ctx context.Context, r Reader, sessionID, id string) (*assay.Verification, error) {
	v, err := s.Await(ctx, r.UserID, sessionID, id)
	return s.view(ctx, r, v, err)
}

func (s *Service) view(ctx context.Context, r Reader, v *assay.Verification, err error) (*assay.Verification, error) {
	if err != nil {
		return nil, err
	}
	feedback, err := s.feedback(ctx, r, v)
	if err == nil && feedback != assay.FeedbackVerdict {
		err = s.noteDetails(ctx, v)
	}
	if err != nil {
		return nil, err
	}
	return ViewOf(v, feedback), nil
}

// noteDetails notes, before it is so, that a user is told all that a suite said.
func (s *Service) noteDetails(ctx context.Context, v *assay.Verification) error {
	if v.Verdict == nil {
		return nil
	}
	return short(s.cfg.Store.NoteDetails(context.WithoutCancel(ctx), v.ID))
}

// feedback is how much a reader is told of a verification: what the key and the dataset
// both allow, now.
func (s *Service) feedback(ctx context.Context, r Reader, v *assay.Verification) (assay.Feedback, error) {
	if r.Feedback == assay.FeedbackVerdict {
		return r.Feedback, nil
	}
	settled, err := s.cfg.Judging(context.WithoutCancel(ctx), v.Dataset) // a wait that has ended is answered, too
	if err != nil {
		return "", err
	}
	return r.Feedback.Least(settled.Feedback), nil
}

// EnvelopeFor is Envelope, to a reader who is told all of the verdict: details_withheld.
func (s *Service) EnvelopeFor(ctx context.Context, r Reader, sessionID, id string) ([]byte, error) {
	v, err := s.Get(ctx, r.UserID, sessionID, id)
	if err != nil {
		return nil, err
	}
	feedback, err := s.feedback(ctx, r, v)
	if err != nil {
		return nil, err
	}
	if feedback == assay.FeedbackVerdict {
		return nil, assay.Errorf(assay.CodeDetailsWithheld, "the signed verdict of verification %s has all that its tests said, which this key or the dataset withholds", id)
	}
	if err := s.noteDetails(ctx, v); err != nil {
		return nil, err
	}
	return s.Envelope(ctx, r.UserID, sessionID, id)
}
