package idle

import (
	"context"
	"errors"
	"fmt"

	"assay/internal/alteration/search"
	"assay/internal/evaluate"
)

// errBusy says that a suite timed out because of what else the host does: it tells nothing.
var errBusy = errors.New("the host is too busy for a search")

// quiet is a tester whose suites are not disturbed, and counted.
type quiet struct {
	search.Tester
	observer Observer
}

// Try implements search.Tester.
func (q quiet) Try(ctx context.Context, req evaluate.TrialRequest) (*evaluate.Trial, error) {
	trial, err := q.Tester.Try(ctx, req)
	if err == nil {
		q.observer.AlterationRun()
	}
	if err == nil && trial.Starved {
		return nil, fmt.Errorf("try the suite of sample %s/%s: %w", req.Sample.Dataset, req.Sample.ID, errBusy)
	}
	return trial, err
}
