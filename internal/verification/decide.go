package verification

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"assay"
	"assay/internal/persist"
)

// decide returns the verdict on the work of a verification: a stored one on the same work
// where that may stand for it, else a new one.
func (s *Service) decide(ctx context.Context, v *assay.Verification) (*assay.Verdict, error) {
	why, err := s.refusal(v.ID)
	if err != nil {
		return nil, err
	}
	if why != "" {
		return s.refuse(ctx, v, why)
	}
	if !s.cfg.ReuseVerdicts {
		return s.judgeWork(ctx, v)
	}
	e, err := s.takeWork(ctx, v)
	if err != nil {
		return nil, err
	}
	if e.work.CacheKey != "" {
		if verdict, err := s.reuse(ctx, v, e.work.CacheKey); verdict != nil || err != nil {
			return verdict, err
		}
	}
	verdict, err := s.judgeStored(ctx, v, func(context.Context) (string, error) { return s.digestOfWork(v, e) })
	if err != nil {
		return nil, err
	}
	return e.tell(verdict, v), nil
}

// judgeWork judges the work of a verification. Its patch is made meanwhile.
func (s *Service) judgeWork(ctx context.Context, v *assay.Verification) (*assay.Verdict, error) {
	var (
		e       *examined
		verdict *assay.Verdict
		group   errgroup.Group // whose first error ends nothing: a patch is kept also of what cannot be judged
	)
	taken := make(chan struct{})
	named := func(ctx context.Context) (string, error) {
		select {
		case <-taken:
			return s.digestOfWork(v, e)
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	group.Go(func() (err error) {
		defer close(taken)
		e, err = s.takeWork(ctx, v)
		return err
	})
	group.Go(func() (err error) { verdict, err = s.judgeStored(ctx, v, named); return err })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return e.tell(verdict, v), nil
}

// tell adds to the evidence of a verdict what it is about.
func (e *examined) tell(verdict *assay.Verdict, v *assay.Verification) *assay.Verdict {
	evidence := &verdict.Evidence
	evidence.Grader, evidence.SampleVersion = assay.GraderVersion, v.SampleVersion
	evidence.ImageDigest, evidence.PatchSHA256 = e.imageDigest, e.work.Patch.SHA256
	return verdict
}

// tellAnswers adds to a verdict whether the session's user, who has a key, could read the
// answers over the API. That is of now, also where the verdict is an earlier one's.
func (s *Service) tellAnswers(ctx context.Context, v *assay.Verification, verdict *assay.Verdict) error {
	sample, err := s.sampleOf(ctx, v)
	if err != nil {
		return err
	}
	verdict.Evidence.AnswersOpen = sample.Answers.OpenTo(true)
	return nil
}

// takeWork examines the work of a verification and stores what was found. A work of which
// no patch can be made is judged without: its evidence says so. The error is that of ctx.
func (s *Service) takeWork(ctx context.Context, v *assay.Verification) (*examined, error) {
	if s.cfg.Images == nil {
		return &examined{}, nil
	}
	ctx, span := s.cfg.Tracer.Start(ctx, "verification.examine")
	e, err := s.examine(ctx, v)
	endSpan(span, err)
	if err != nil {
		if ctx.Err() == nil {
			s.cfg.Log.ErrorContext(ctx, "cannot make the patch of a verification, which goes on without", "verification", v.ID, "err", err)
		}
		return &examined{}, ctx.Err()
	}
	err = persist.Until(ctx, s.cfg.Log, "the patch of verification "+v.ID, func(ctx context.Context) error {
		return s.cfg.Store.SaveWork(ctx, v.ID, e.work)
	})
	if err != nil && ctx.Err() == nil {
		s.cfg.Log.ErrorContext(ctx, "cannot store the patch of a verification, which goes on without", "verification", v.ID, "err", err)
		return &examined{imageDigest: e.imageDigest}, nil
	}
	return e, ctx.Err()
}

// reuse returns a copy of a stored verdict on the same work, or nil. Whose work that was
// stays unsaid to others, and so does what another session's agent did beside its work. The
// error is that of enough.
func (s *Service) reuse(ctx context.Context, v *assay.Verification, cacheKey string) (*assay.Verdict, error) {
	from, err := s.cfg.Store.ReusableVerification(ctx, cacheKey)
	if err != nil {
		if assay.CodeOf(err) != assay.CodeJobNotFound {
			s.cfg.Log.ErrorContext(ctx, "cannot look up a verdict; the work is judged", "verification", v.ID, "err", err)
		}
		return nil, nil
	}
	if from.Status != assay.VerificationCompleted || from.Verdict == nil || !reusable(from.Verdict) {
		return nil, nil
	}
	if holds, err := s.holdsFor(ctx, v, from); err != nil || !holds {
		return nil, err
	}
	verdict := *from.Verdict
	verdict.Evidence.CachedFrom = from.ID
	if from.UserID != v.UserID {
		sum := sha256.Sum256([]byte(from.ID))
		verdict.Evidence.CachedFrom = "sha256:" + hex.EncodeToString(sum[:])
	}
	verdict.Tampering = slices.DeleteFunc(slices.Clone(verdict.Tampering), func(t assay.Tampering) bool { return t.Kind == assay.TamperingHistory })
	judging, err := s.cfg.Judging(ctx, v.Dataset)
	if err != nil {
		return nil, err
	}
	return &verdict, enough(&verdict, judging.RequireAssurance)
}

// holdsFor tells whether a verdict on the same work may stand for one that is given now: what
// rounds say is of one user, whose plays count against it, and a work that no round has seen
// is played where rounds can be.
func (s *Service) holdsFor(ctx context.Context, v, from *assay.Verification) (bool, error) {
	if from.Verdict.Evidence.Rounds > 0 {
		return from.UserID == v.UserID, nil
	}
	if !from.Verdict.Solved || s.cfg.Rounds.Alterations == nil {
		return true, nil
	}
	sample, err := s.sampleOf(ctx, v)
	if err != nil {
		return false, err
	}
	known, err := s.cfg.Rounds.Alterations.Of(ctx, sample)
	return err == nil && known == nil, err
}

// reusable tells whether a verdict may stand for one on the same work: not one that the
// host's load may have turned, nor one that is itself a copy.
func reusable(v *assay.Verdict) bool {
	e := &v.Evidence
	return !v.TimedOut && e.Resources.OOMKills == 0 && e.CachedFrom == "" && e.PatchSHA256 != "" && e.ImageDigest != ""
}

// Envelope returns the signed verdict of a user's verification: job_not_found until it is
// completed.
func (s *Service) Envelope(ctx context.Context, userID, sessionID, id string) ([]byte, error) {
	v, err := s.cfg.Store.Verification(ctx, userID, sessionID, id)
	if err != nil {
		return nil, err
	}
	envelope, err := s.cfg.Store.Envelope(ctx, id)
	var known *assay.Error
	if errors.As(err, &known) && v.Status != assay.VerificationCompleted {
		return nil, assay.Wrap(err, known.Code, "verification %s is %s, and has no verdict", id, v.Status)
	}
	return envelope, err
}
