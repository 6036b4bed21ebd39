package jobs

import (
	"context"
	"database/sql"
	"testing"
	"time"
)

// awaitSpare waits for news until Spare says what is wanted.
func awaitSpare(t *testing.T, q *Queue, want bool, when string) {
	t.Helper()
	late := time.After(time.Minute)
	for {
		news, stop := q.Watch()
		got, err := q.Spare(t.Context())
		must(t, err)
		if got == want {
			stop()
			return
		}
		select {
		case <-news:
		case <-time.After(pollInterval): // the library writes the end of a job behind its back
		case <-late:
			t.Fatalf("%s: spare is %v after a minute", when, got)
		}
		stop()
	}
}

func TestWorkersAreSpareUntilAllAreBusy(t *testing.T) {
	onEach(t, func(t *testing.T, db *sql.DB) {
		begun, end := make(chan string), make(chan struct{})
		q := newQueue(t, db, Config{MaxVerifications: 2, Verify: func(_ context.Context, id string) error {
			begun <- id
			<-end
			return nil
		}})
		awaitSpare(t, q, true, "at first")
		enqueue(t, q, db, "a")
		awaitSpare(t, q, true, "one waits for two workers")
		enqueue(t, q, db, "b")
		awaitSpare(t, q, false, "two wait for two workers")
		must(t, q.Start(t.Context()))
		<-begun
		<-begun
		awaitSpare(t, q, false, "both work")
		enqueue(t, q, db, "c")
		end <- struct{}{}
		<-begun // c
		awaitSpare(t, q, false, "both work, one at the third")
		end <- struct{}{}
		awaitSpare(t, q, true, "one works")
		end <- struct{}{}
		awaitSpare(t, q, true, "nobody works")
	})
}

// Whoever waits hears of a job at once, and not when it happens to look.
func TestWatchersHearOfJobsThatComeBeginAndEnd(t *testing.T) {
	onEach(t, func(t *testing.T, db *sql.DB) {
		begin := make(chan struct{})
		q := newQueue(t, db, Config{Verify: func(context.Context, string) error {
			<-begin
			return nil
		}})
		heard := func(what string, news <-chan struct{}) {
			t.Helper()
			select {
			case <-news:
			case <-time.After(10 * time.Second):
				t.Errorf("no news that a job %s", what)
			}
		}
		news, stop := q.Watch()
		enqueue(t, q, db, "a")
		heard("came", news)
		stop()

		news, stop = q.Watch()
		must(t, q.Start(t.Context()))
		heard("began", news)
		stop()

		news, stop = q.Watch()
		close(begin)
		heard("ended", news)
		stop()
	})
}
