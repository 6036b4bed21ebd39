package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
)

// recoverBatch is how many jobs are put back at once.
const recoverBatch = 100

// Recover puts the jobs back that a killed process was doing, so that Start does
// them at once, and returns how many there were. River would wait for a day: it
// cannot know that nobody does them. We do, as long as this process alone serves
// from the database; so it must be called before Start, and not beside another server
// on the same database.
func (q *Queue) Recover(ctx context.Context) (jobs int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.started {
		return 0, errors.New("recover jobs: the queue was started, and its own jobs run")
	}
	now := time.Now().UTC()
	horizon := now.Add(time.Hour) // whenever they began, even by a clock that was ahead
	exec := q.driver.GetExecutor()
	for last := int64(0); ; {
		batch, err := exec.JobGetStuck(ctx, &riverdriver.JobGetStuckParams{AfterID: last, Max: recoverBatch, StuckHorizon: horizon})
		if err != nil {
			return jobs, fmt.Errorf("find the jobs of the process before: %w", err)
		}
		if len(batch) == 0 {
			return jobs, nil
		}
		back, err := putBack(batch, now)
		if err != nil {
			return jobs, err
		}
		back.StuckHorizon = horizon
		if _, err := exec.JobRescueMany(ctx, back); err != nil {
			return jobs, fmt.Errorf("put jobs back: %w", err)
		}
		jobs, last = jobs+len(batch), batch[len(batch)-1].ID
	}
}

// putBack is the change that makes jobs available, in the order they were in.
func putBack(jobs []*rivertype.JobRow, now time.Time) (*riverdriver.JobRescueManyParams, error) {
	change := &riverdriver.JobRescueManyParams{FinalizedAt: make([]*time.Time, len(jobs))}
	for _, job := range jobs {
		note, err := json.Marshal(rivertype.AttemptError{At: now, Attempt: job.Attempt, Error: "the server was killed during this job"})
		if err != nil {
			return nil, fmt.Errorf("put job %d back: %w", job.ID, err)
		}
		change.ID = append(change.ID, job.ID)
		change.Error = append(change.Error, note)
		change.ScheduledAt = append(change.ScheduledAt, job.ScheduledAt)
		change.State = append(change.State, string(rivertype.JobStateAvailable))
	}
	return change, nil
}
