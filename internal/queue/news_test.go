package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"assay"
	"assay/internal/queue"
	"assay/internal/store/pgtest"
	"assay/internal/telemetry"
)

// A server that nobody wakes hears of what another has stored, also after its connection was
// lost.
func TestAnotherServersJobsAreHeard(t *testing.T) {
	f := newFixture(t, pgtest.Database(t))
	begun := make(chan string)
	q := f.queue(queue.Config{Store: open(t, f.database), Judge: func(_ context.Context, v *assay.Verification) error {
		begun <- v.ID
		return f.end(v)
	}})
	must(t, q.Start(t.Context()))
	listeners := func() (pids []int) {
		rows, err := f.store.Writer().Query(`SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'assay queue' AND query LIKE 'LISTEN%'`)
		must(t, err)
		defer rows.Close()
		for rows.Next() {
			var pid int
			must(t, rows.Scan(&pid))
			pids = append(pids, pid)
		}
		must(t, rows.Err())
		return pids
	}
	listening := func(but int) (pid int) {
		for {
			if pids := listeners(); len(pids) == 1 && pids[0] != but {
				return pids[0]
			}
			<-time.After(10 * time.Millisecond) // the database does not tell who listens
		}
	}
	hears := func(round string) {
		t.Helper()
		slow := 0
		for i := range 10 {
			at := time.Now()
			f.add("ada", fmt.Sprintf("%s-%d", round, i), "")
			<-begun
			if time.Since(at) > queue.LookEvery/5 {
				slow++
			}
		}
		if slow > 2 {
			t.Errorf("%s: %d of 10 jobs were not heard of", round, slow)
		}
	}
	first := listening(0)
	hears("at first")
	_, err := f.store.Writer().Exec(`SELECT pg_terminate_backend($1)`, first)
	must(t, err)
	listening(first)
	hears("after a loss")
}

func TestAJobKnowsTheRequestThatStoredIt(t *testing.T) {
	onEach(t, func(f *fixture) {
		type seen struct {
			request string
			trace   trace.TraceID
		}
		got := make(chan seen, 2)
		q := f.queue(queue.Config{Judge: func(ctx context.Context, v *assay.Verification) error {
			got <- seen{telemetry.RequestID(ctx), trace.SpanContextFromContext(ctx).TraceID()}
			if v.Attempt == 1 {
				return errors.New("once more")
			}
			return f.end(v)
		}})
		must(f, q.Start(f.Context()))
		span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{7}, SpanID: trace.SpanID{8}})
		origin, err := json.Marshal(telemetry.OriginOf(trace.ContextWithSpanContext(telemetry.WithRequest(f.Context(), "req_1"), span)))
		must(f, err)
		f.add("ada", "x", string(origin))
		q.Wake()
		for attempt := range 2 { // also when it is tried again
			if s := <-got; s.request != "req_1" || s.trace != (trace.TraceID{7}) {
				f.Errorf("attempt %d is on behalf of %+v", attempt, s)
			}
		}
	})
}

func TestJobsAreCountedByState(t *testing.T) {
	onEach(t, func(f *fixture) {
		j := newJudge(f)
		q := f.queue(queue.Config{Workers: 1, Judge: j.judge})
		for _, id := range []string{"a", "b", "c"} {
			f.enqueue(q, id)
		}
		count := func(available, running int) {
			f.Helper()
			got, err := q.Count(f.Context())
			must(f, err)
			if got["available"] != available || got["running"] != running || got["retryable"] != 0 || got["alone"] != 0 || len(got) != 4 {
				f.Errorf("counted %v, want %d available and %d running", got, available, running)
			}
		}
		count(3, 0)
		must(f, q.Start(f.Context()))
		<-j.begun
		count(2, 1)
		close(j.end)
		<-j.begun
		<-j.begun
	})
}
