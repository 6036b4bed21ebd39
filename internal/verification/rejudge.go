package verification

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"assay"
	"assay/internal/evaluate"
	"assay/internal/rounds"
)

// Judged finds verdicts that were given, and the works that they are about.
type Judged interface {
	// Completed returns verifications with a verdict of a dataset, of any if that is "", by their
	// ids: at most limit of those after an id.
	Completed(ctx context.Context, dataset, after string, limit int) ([]*assay.Verification, error)
	// Work is that of Store.
	Work(ctx context.Context, id string) (*Work, error)
}

// Rejudging judges stored works again, by the rules of now. It changes nothing that is stored,
// and is no play of the user whose work it is: only an operator has it.
type Rejudging struct {
	Judged      Judged
	Samples     Samples
	Player      *rounds.Player
	Alterations Alterations
	Judging     func(ctx context.Context, dataset string) (assay.Judging, error)
	// ImageDigest returns what identifies the content that a reference names now.
	ImageDigest func(ctx context.Context, ref string) (string, error)
}

// Rejudged is what came of judging a work again.
type Rejudged struct {
	Verification *assay.Verification // as it is stored
	Verdict      *assay.Verdict      // by the rules of now
	SameImage    bool                // the sample's image is the one of then
}

// Again judges the work of a verification again, by the patch that was kept of it: with the
// settings of now of its dataset, and a draw of its own. Errors: not_found when no patch was
// kept, patch_failed when it does not apply to the image of now, and those of evaluate.FailureOf.
func (r *Rejudging) Again(ctx context.Context, v *assay.Verification) (*Rejudged, error) {
	sample, err := r.Samples.Sample(ctx, v.Dataset, v.SampleID, v.SampleVersion)
	if err != nil {
		return nil, err
	}
	text, err := r.patch(ctx, v.ID)
	if err != nil {
		return nil, err
	}
	image, err := r.ImageDigest(ctx, sample.Task.ImageFor(sample.Dataset, sample.ID))
	if err != nil {
		return nil, fmt.Errorf("find the image of sample %s/%s: %w", v.Dataset, v.SampleID, err)
	}
	known, err := r.Alterations.Of(ctx, sample)
	if err != nil {
		return nil, fmt.Errorf("read the alterations of sample %s/%s: %w", v.Dataset, v.SampleID, err)
	}
	judging, err := r.Judging(ctx, v.Dataset)
	if err != nil {
		return nil, fmt.Errorf("read how works on dataset %s are judged: %w", v.Dataset, err)
	}
	req := newPlay(sample, judging, evaluate.Request{
		ID: assay.NewID(assay.PrefixVerification), Sample: sample, Work: evaluate.PatchWork(sample, text),
	})
	req.Known = known
	rand.Read(req.Seed[:])
	verdict, outcome, err := r.Player.Play(ctx, req)
	if err != nil {
		return nil, err
	}
	noteRounds(verdict, outcome)
	verdict.Evidence.Grader, verdict.Evidence.ImageDigest, verdict.Evidence.SampleVersion = assay.GraderVersion, image, v.SampleVersion
	verdict.Evidence.PatchSHA256 = v.Verdict.Evidence.PatchSHA256
	return &Rejudged{Verification: v, Verdict: verdict, SameImage: image == v.Verdict.Evidence.ImageDigest}, nil
}

// patch returns the patch that was kept of the work of a verification.
func (r *Rejudging) patch(ctx context.Context, id string) (string, error) {
	work, err := r.Judged.Work(ctx, id)
	if err != nil {
		return "", err
	}
	if work.Patch.Gzip == nil {
		return "", assay.Errorf(assay.CodeNotFound, "the patch of verification %s was too large to be kept", id)
	}
	z, err := work.Patch.open(id)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(z)
	if err = errors.Join(err, z.Close()); err != nil {
		return "", fmt.Errorf("read the patch of verification %s: %w", id, err)
	}
	return string(text), nil
}
