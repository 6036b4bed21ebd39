package verification

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"assay"
	"assay/internal/evaluate"
)

// A refusal is stored in the place of changes that could not be taken for what the work
// had become: the reason, as text.

func refusalName(id string) string { return id + ".refusal" }

// saveRefusal stores why the work of a verification cannot be judged.
func (s *Service) saveRefusal(id, why string) error {
	if err := s.dir.WriteFile(refusalName(id), []byte(why), 0o600); err != nil {
		return fmt.Errorf("store why the work of %s cannot be judged: %w", id, err)
	}
	return nil
}

// refusal returns why the work of a verification cannot be judged; "" when it can.
func (s *Service) refusal(id string) (why string, err error) {
	text, err := s.dir.ReadFile(refusalName(id))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("read why the work of %s cannot be judged: %w", id, err)
	case len(text) == 0:
		return "", fmt.Errorf("it was not stored why the work of %s cannot be judged", id)
	}
	return string(text), nil
}

// refuse returns the verdict on a work that cannot be judged. It makes no sandbox.
func (s *Service) refuse(ctx context.Context, v *assay.Verification, why string) (*assay.Verdict, error) {
	sample, err := s.sampleOf(ctx, v)
	if err != nil {
		return nil, err
	}
	e := &examined{}
	if s.cfg.Images != nil {
		e.imageDigest, err = s.cfg.Images.ImageDigest(ctx, sample.Task.ImageFor(sample.Dataset, sample.ID))
		if err != nil && ctx.Err() == nil {
			s.cfg.Log.ErrorContext(ctx, "cannot tell the image of a verification, which goes on without", "verification", v.ID, "err", err)
		}
	}
	return e.tell(evaluate.Refuse(sample, why), v), ctx.Err()
}
