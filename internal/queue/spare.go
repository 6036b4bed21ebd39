package queue

import "context"

// newsKey is what Queue.news is subscribed to.
const newsKey = "jobs"

// Spare tells whether a worker is free and stays so when all jobs have begun that wait now:
// then there is room for work that can wait itself.
func (q *Queue) Spare(ctx context.Context) (bool, error) {
	n, err := q.Idle(ctx)
	return n > 0, err
}

// Idle is how many workers are free when all jobs have begun that wait now; 0 when more
// wait, and while a job is tried alone.
func (q *Queue) Idle(ctx context.Context) (int, error) {
	c, err := q.cfg.Store.CountQueue(ctx, q.server)
	if err != nil || c.MineAlone {
		return 0, err
	}
	return max(0, q.cfg.Workers-c.Available-c.Alone-c.Mine), nil
}

// Watch returns a channel that is closed when a job comes, begins or ends, after which Spare
// may say something else. A job whose pause is over comes without news, and begins with it.
// Call stop when nobody waits any more.
func (q *Queue) Watch() (news <-chan struct{}, stop func()) { return q.news.Subscribe(newsKey) }

// Count counts the jobs that have not ended by state; also 0 is there.
func (q *Queue) Count(ctx context.Context) (map[string]int, error) {
	c, err := q.cfg.Store.CountQueue(ctx, q.server)
	if err != nil {
		return nil, err
	}
	return map[string]int{"available": c.Available, "alone": c.Alone, "retryable": c.Paused, "running": c.Running}, nil
}
