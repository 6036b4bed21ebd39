package jobs

import (
	"context"

	"github.com/riverqueue/river/rivertype"
)

// newsKey is what Queue.news is subscribed to.
const newsKey = "jobs"

// Spare tells whether a worker is free and stays so when all jobs have begun that wait now:
// then there is room for work that can wait itself.
func (q *Queue) Spare(ctx context.Context) (bool, error) {
	n, err := q.Idle(ctx)
	return n > 0, err
}

// Idle is how many workers are free when all jobs have begun that wait now; 0 when more
// wait.
func (q *Queue) Idle(ctx context.Context) (int, error) {
	counts, err := q.Count(ctx)
	if err != nil {
		return 0, err
	}
	return max(0, q.workers-counts[string(rivertype.JobStateAvailable)]-counts[string(rivertype.JobStateRunning)]), nil
}

// Watch returns a channel that is closed when a job comes, begins or ends, after which Spare
// may say something else. A job whose pause is over comes without news, and begins with it.
// Call stop when nobody waits any more.
func (q *Queue) Watch() (news <-chan struct{}, stop func()) { return q.news.Subscribe(newsKey) }
