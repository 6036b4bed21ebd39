package catalog

import (
	"context"

	"assay/internal/evaluate"
)

// memory keeps the trials of one search.
type memory struct {
	*Catalog
	key Key
}

func (m *memory) Recall(ctx context.Context, name string) (*evaluate.Trial, error) {
	sealed, err := m.cfg.Store.Trial(ctx, m.key, name)
	if err != nil || sealed == nil {
		return nil, err
	}
	trial := new(evaluate.Trial)
	if !m.open(ctx, m.key, "trial "+name, sealed, trial) {
		return nil, nil // and so it is made again
	}
	return trial, nil
}

func (m *memory) Keep(ctx context.Context, name string, trial *evaluate.Trial) error {
	sealed, err := m.seal.seal(trial, purpose(m.key, "trial "+name))
	if err != nil {
		return err
	}
	return m.cfg.Store.SaveTrial(ctx, m.key, name, sealed)
}
