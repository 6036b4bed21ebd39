package queue

import (
	"context"
	"errors"
	"time"

	"assay"
	"assay/internal/persist"
)

// dispatch claims jobs and has them done, until ctx ends; working is the context of the jobs.
func (q *Queue) dispatch(ctx, working context.Context) {
	for {
		wait := q.look(ctx, working)
		timer := time.NewTimer(wait)
		select {
		case <-q.rung:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// look begins as many jobs as there is room for, and returns after how long to look again if
// nobody tells of a job.
func (q *Queue) look(ctx, working context.Context) (again time.Duration) {
	q.settleStrays(ctx)
	counts, err := q.cfg.Store.CountQueue(ctx, q.server)
	if err == nil && counts.Expired > 0 {
		var jobs int
		jobs, err = q.cfg.Store.ReapVerifications(ctx, q.server, false)
		counts.Available += jobs
		if jobs > 0 {
			q.cfg.Log.Warn("verifications begin again whose server has gone", "verifications", jobs)
		}
	}
	for waiting := counts.Available + counts.Alone; err == nil && waiting > 0 && ctx.Err() == nil; waiting-- {
		room, alone := q.room()
		if !room {
			break
		}
		var job *Job
		if job, err = q.claim(ctx, alone); job == nil {
			break
		}
		q.begin(working, job)
	}
	if err != nil && ctx.Err() == nil {
		q.cfg.Log.Error("cannot look at the queue", "err", err, "again_in", lookEvery)
	}
	if counts.Next > 0 {
		return min(counts.Next, lookEvery)
	}
	return lookEvery
}

// room tells whether a job may begin, and whether it would be the only one.
func (q *Queue) room() (room, alone bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, job := range q.running {
		if assay.TrialAfter(job.Crashes) == assay.TrialAlone {
			return false, false
		}
	}
	return len(q.running) < q.cfg.Workers, len(q.running) == 0
}

// stray is a claim of which it is not known whether it was stored.
type stray struct {
	lease   string
	outcome persist.Unknown
}

func (q *Queue) claim(ctx context.Context, alone bool) (*Job, error) {
	c := Claim{Lease: q.newLease(), For: q.cfg.Lease, Alone: alone, At: time.Now()}
	job, err := q.cfg.Store.ClaimVerification(ctx, c)
	if err == nil {
		return job, nil
	}
	if s := (stray{lease: c.Lease}); errors.As(err, &s.outcome) {
		q.strays = append(q.strays, s)
	}
	return nil, err
}

// settleStrays gives jobs back that were claimed although that could not be told.
func (q *Queue) settleStrays(ctx context.Context) {
	for len(q.strays) > 0 {
		s := q.strays[0]
		stored, err := s.outcome.Settle(ctx)
		if err == nil && stored {
			_, err = q.cfg.Store.ReleaseVerification(ctx, s.lease, Release{CutShort: true})
		}
		if err != nil {
			return
		}
		q.strays = q.strays[1:]
	}
}
