package queue_test

import (
	"context"
	"testing"
	"time"

	"assay"
	"assay/internal/queue"
)

// awaitSpare waits for news until Spare says what is wanted.
func awaitSpare(f *fixture, q *queue.Queue, want bool, when string) {
	f.Helper()
	late := time.After(time.Minute)
	for {
		news, stop := q.Watch()
		got, err := q.Spare(f.Context())
		must(f, err)
		if got == want {
			stop()
			return
		}
		select {
		case <-news:
		case <-late:
			f.Fatalf("%s: spare is %v after a minute", when, got)
		}
		stop()
	}
}

func TestWorkersAreSpareUntilAllAreBusy(t *testing.T) {
	onEach(t, func(f *fixture) {
		j := newJudge(f)
		q := f.queue(queue.Config{Workers: 2, Judge: j.judge})
		awaitSpare(f, q, true, "at first")
		f.enqueue(q, "a")
		awaitSpare(f, q, true, "one waits for two workers")
		f.enqueue(q, "b")
		awaitSpare(f, q, false, "two wait for two workers")
		must(f, q.Start(f.Context()))
		<-j.begun
		<-j.begun
		awaitSpare(f, q, false, "both work")
		f.enqueue(q, "c")
		j.end <- struct{}{}
		<-j.begun // c
		awaitSpare(f, q, false, "both work, one at the third")
		j.end <- struct{}{}
		awaitSpare(f, q, true, "one works")
		j.end <- struct{}{}
		awaitSpare(f, q, true, "nobody works")
	})
}

// Whoever waits hears of a job at once, and not when it happens to look.
func TestWatchersHearOfJobsThatComeBeginAndEnd(t *testing.T) {
	onEach(t, func(f *fixture) {
		begin := make(chan struct{})
		q := f.queue(queue.Config{Judge: func(_ context.Context, v *assay.Verification) error {
			<-begin
			return f.end(v)
		}})
		heard := func(what string, news <-chan struct{}) {
			f.Helper()
			select {
			case <-news:
			case <-time.After(10 * time.Second):
				f.Errorf("no news that a job %s", what)
			}
		}
		news, stop := q.Watch()
		f.enqueue(q, "a")
		heard("came", news)
		stop()

		news, stop = q.Watch()
		must(f, q.Start(f.Context()))
		heard("began", news)
		stop()

		news, stop = q.Watch()
		close(begin)
		heard("ended", news)
		stop()
	})
}
