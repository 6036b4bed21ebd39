package queue_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"assay"
	"assay/internal/queue"
)

func TestStopWaitsForJobs(t *testing.T) {
	onEach(t, func(f *fixture) {
		begun, proceed := make(chan struct{}), make(chan struct{})
		var whole atomic.Bool
		q := f.queue(queue.Config{Judge: func(ctx context.Context, v *assay.Verification) error {
			close(begun)
			<-proceed
			whole.Store(ctx.Err() == nil)
			return f.end(v)
		}})
		must(f, q.Start(f.Context()))
		f.enqueue(q, "x")
		<-begun
		stopped := make(chan error)
		go func() { stopped <- q.Stop(context.Background()) }()
		select {
		case err := <-stopped:
			f.Fatalf("Stop returned %v while a job ran", err)
		case <-time.After(50 * time.Millisecond):
		}
		close(proceed)
		must(f, <-stopped)
		if !whole.Load() {
			f.Error("the context of the job ended although Stop had time")
		}
		must(f, q.Stop(context.Background()))
		if err := q.Start(f.Context()); err == nil {
			f.Error("a queue that was stopped started")
		}
		if got := f.get("x"); got.Status != assay.VerificationCompleted {
			f.Errorf("it is %s", got.Status)
		}
	})
}

// stopNow stops without patience.
func stopNow(q *queue.Queue) error {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	return q.Stop(now)
}

// A stop that cuts a job short counts for nothing, however often.
func TestJobThatWasCutShortIsDoneAtTheNextStart(t *testing.T) {
	onEach(t, func(f *fixture) {
		f.add("ada", "x", "")
		for range 4 {
			j := newJudge(f)
			q := f.queue(queue.Config{Judge: j.judge})
			must(f, q.Start(f.Context()))
			j.next("x")
			must(f, stopNow(q))
			if got := f.get("x"); got.Status != assay.VerificationPending || got.Attempt != 0 || got.Crashes != 0 || got.Lease != "" {
				f.Errorf("it is %+v", got)
			}
		}
	})
}

// A job that does not heed the end of its context is given back under its feet.
func TestStopDoesNotWaitForever(t *testing.T) {
	onEach(t, func(f *fixture) {
		begun, proceed, late := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		q := f.queue(queue.Config{Judge: func(_ context.Context, v *assay.Verification) error {
			close(begun)
			<-proceed
			err := f.end(v)
			late <- err
			return err
		}})
		q.HeedWithin(10 * time.Millisecond)
		must(f, q.Start(f.Context()))
		f.enqueue(q, "x")
		<-begun
		if err := stopNow(q); err == nil {
			f.Error("Stop is content with a job that still runs")
		}
		if got := f.get("x"); got.Status != assay.VerificationPending || got.Attempt != 0 || got.Lease != "" {
			f.Errorf("it is %+v", got)
		}
		close(proceed)
		if err := <-late; err == nil {
			f.Error("it was ended by who had lost it")
		}
	})
}

func TestStopWithoutStart(t *testing.T) {
	onEach(t, func(f *fixture) {
		q := f.queue(queue.Config{Judge: func(context.Context, *assay.Verification) error { return nil }})
		must(f, q.Stop(f.Context()))
	})
}

func TestNewRefuses(t *testing.T) {
	if _, err := queue.New(queue.Config{}); err == nil {
		t.Error("a queue without a function was made")
	}
}
