package dataset

import (
	"context"
	"fmt"

	"assay"
)

// JudgingChange is what an operator says anew of how a dataset is judged. Nil leaves a
// setting; a zero value takes the operator's word back, so that what the dataset's folder
// says holds, or else the server.
type JudgingChange struct {
	Rounds           *int
	MaxOdds          *float64
	RequireAssurance *assay.Assurance
	Fresh            *assay.Fresh
	Feedback         *assay.Feedback
	Known            *assay.Known
}

// Empty tells whether c changes nothing.
func (c JudgingChange) Empty() bool { return c == JudgingChange{} }

func (c JudgingChange) of(j assay.Judging) (assay.Judging, error) {
	put(&j.Rounds, c.Rounds)
	put(&j.MaxOdds, c.MaxOdds)
	put(&j.RequireAssurance, c.RequireAssurance)
	put(&j.Fresh, c.Fresh)
	put(&j.Feedback, c.Feedback)
	put(&j.Known, c.Known)
	if err := j.Validate(); err != nil {
		return j, assay.Wrap(err, assay.CodeInvalid, "%s", err)
	}
	return j, nil
}

func put[T any](v, anew *T) {
	if anew != nil {
		*v = *anew
	}
}

// Judging returns how the works on a dataset are judged: an operator's word over that of
// the dataset's folder over the server's, each setting for itself. dataset_not_found.
func (s *Service) Judging(ctx context.Context, name string) (assay.Judging, error) {
	j, err := s.store.Judging(ctx, name)
	return j.Over(s.judging), err
}

// SetJudging says how the works on a dataset are judged, from now on and whatever its folder
// says: dataset_not_found, invalid_request. It returns the dataset.
func (s *Service) SetJudging(ctx context.Context, name string, c JudgingChange) (*assay.Dataset, error) {
	if _, err := c.of(assay.Judging{}); err != nil {
		return nil, err
	}
	if err := s.store.SetJudging(ctx, name, c.of); err != nil {
		return nil, err
	}
	return s.Dataset(ctx, name)
}

// unheard tells which settings of a folder an operator set otherwise.
func unheard(said, holds assay.Judging) (all []string) {
	for _, setting := range []struct {
		name        string
		said, holds any
		none        bool
	}{
		{"rounds", said.Rounds, holds.Rounds, said.Rounds == 0},
		{"max_odds", said.MaxOdds, holds.MaxOdds, said.MaxOdds == 0},
		{"require_assurance", said.RequireAssurance, holds.RequireAssurance, said.RequireAssurance == ""},
		{"fresh", said.Fresh, holds.Fresh, said.Fresh == ""},
		{"feedback", said.Feedback, holds.Feedback, said.Feedback == ""},
		{"known", said.Known, holds.Known, said.Known == ""},
	} {
		if !setting.none && setting.said != setting.holds {
			all = append(all, fmt.Sprintf("its %s stays %v, as an operator set it, and not %v", setting.name, setting.holds, setting.said))
		}
	}
	return all
}
