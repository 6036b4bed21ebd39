package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"assay/internal/persist"
	"assay/internal/telemetry"
)

// begin has a job done in the background.
func (q *Queue) begin(working context.Context, job *Job) {
	q.mu.Lock()
	q.running[job.Lease] = job
	q.mu.Unlock()
	q.news.Notify(newsKey)
	q.workers.Go(func() {
		defer q.Wake() // there is room
		defer func() {
			q.mu.Lock()
			defer q.mu.Unlock()
			delete(q.running, job.Lease)
		}()
		q.work(originOf(job).Context(working), job)
	})
}

// originOf returns the request on whose behalf a job was stored; none if it cannot be read.
func originOf(job *Job) (o telemetry.Origin) {
	if json.Unmarshal([]byte(job.Origin), &o) != nil {
		return telemetry.Origin{}
	}
	return o
}

// work makes an attempt at a job, and gives it back if that did not end it.
func (q *Queue) work(ctx context.Context, job *Job) {
	attempt, end := context.WithCancelCause(ctx)
	defer end(nil)
	beating, stop := context.WithCancel(ctx)
	beats := make(chan struct{})
	go func() {
		defer close(beats)
		q.beat(beating, job.Lease, end)
	}()
	err := q.judge(attempt, job)
	stop()
	<-beats
	if err == nil {
		return
	}
	log := q.cfg.Log.With("verification", job.ID, "attempt", job.Attempt)
	if errors.Is(context.Cause(attempt), errLost) {
		log.WarnContext(ctx, "verification was taken over by another; this attempt is dropped", "err", err)
		return
	}
	r := Release{CutShort: ctx.Err() != nil}
	if !r.CutShort {
		r.Pause = pauseAfter(job.Attempt - job.Crashes)
		log.WarnContext(ctx, "verification is tried again", "err", err, "again_in", r.Pause)
	}
	err = persist.Until(ctx, q.cfg.Log, "that verification "+job.ID+" is tried again", func(ctx context.Context) error {
		_, err := q.cfg.Store.ReleaseVerification(ctx, job.Lease, r)
		return err
	})
	if err != nil {
		log.ErrorContext(ctx, "verification is held until the next start", "err", err)
	}
}

// judge calls the function that judges. A panic in it is an error.
func (q *Queue) judge(ctx context.Context, job *Job) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic: %v\n%s", value, debug.Stack())
		}
	}()
	return q.cfg.Judge(ctx, job.Verification)
}

// beat renews a lease until ctx ends. It is lost only when the database says so: while that is
// away nobody else can have it, and what is done under a lease that is lost is refused anyway.
func (q *Queue) beat(ctx context.Context, lease string, lost context.CancelCauseFunc) {
	tick := time.NewTicker(q.cfg.Lease / 4)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		held, err := q.cfg.Store.RenewLease(ctx, lease, q.cfg.Lease)
		if err == nil && !held {
			lost(errLost)
			return
		}
	}
}

// pauseAfter is the pause after attempts that failed: a second, then twice as long each time,
// up to ten minutes.
func pauseAfter(failures int) time.Duration {
	const longest = 10 * time.Minute
	if failures > 10 {
		return longest
	}
	return min(time.Second<<max(0, failures-1), longest)
}
