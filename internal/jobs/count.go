package jobs

import (
	"context"
	"fmt"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
)

// open are the states of jobs that are not done. Completed ones are left out: a day of
// them is kept, and nobody waits for them.
var open = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled,
}

// Count counts the jobs that are not done by state; also 0 is there.
func (q *Queue) Count(ctx context.Context) (map[string]int, error) {
	exec, counts := q.driver.GetExecutor(), make(map[string]int, len(open))
	for _, state := range open { // each by the index that begins with it
		n, err := exec.JobCountByState(ctx, &riverdriver.JobCountByStateParams{State: state})
		if err != nil {
			return nil, fmt.Errorf("count jobs that are %s: %w", state, err)
		}
		counts[string(state)] = n
	}
	return counts, nil
}
