package store

import (
	"context"
	"errors"

	"assay"
)

const (
	selectJudging = `SELECT judging, judging_set FROM datasets WHERE name = $1`
	setJudging    = `UPDATE datasets SET judging_set = $2 WHERE name = $1`
)

// judgingOf is what is settled of a dataset: what an operator set over what its last import
// said.
func judgingOf(said, set string) (assay.Judging, error) {
	var below, above assay.Judging
	err := errors.Join(fromJSON(said, "judging", &below), fromJSON(set, "judging_set", &above))
	return above.Over(below), err
}

// Judging implements dataset.Store.
func (s *Store) Judging(ctx context.Context, name string) (j assay.Judging, err error) {
	var said, set string
	if err := s.reader.row(ctx, selectJudging, name).Scan(&said, &set); err != nil {
		return j, doing(orNone(err, assay.CodeDatasetNotFound, "dataset %s does not exist", name), "read how dataset %s is judged", name)
	}
	j, err = judgingOf(said, set)
	return j, doing(err, "read how dataset %s is judged", name)
}

// SetJudging implements dataset.Store.
func (s *Store) SetJudging(ctx context.Context, name string, change func(assay.Judging) (assay.Judging, error)) error {
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		var said, text string
		if err := w.row(ctx, selectJudging, name).Scan(&said, &text); err != nil {
			return orNone(err, assay.CodeDatasetNotFound, "dataset %s does not exist", name)
		}
		var set assay.Judging
		if err := fromJSON(text, "judging_set", &set); err != nil {
			return err
		}
		set, err := change(set)
		if err != nil {
			return err
		}
		if text, err = toJSON(set); err != nil {
			return err
		}
		_, err = w.exec(ctx, setJudging, name, text)
		return err
	})
	return doing(err, "set how dataset %s is judged", name)
}
