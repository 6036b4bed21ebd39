package jobs

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"assay/internal/telemetry"
)

func TestAJobKnowsTheRequestThatEnqueuedIt(t *testing.T) {
	onEach(t, func(t *testing.T, db *sql.DB) {
		type seen struct {
			request string
			trace   trace.TraceID
		}
		got := make(chan seen, 2)
		attempts := 0
		q := newQueue(t, db, Config{Verify: func(ctx context.Context, _ string) error {
			got <- seen{telemetry.RequestID(ctx), trace.SpanContextFromContext(ctx).TraceID()}
			if attempts++; attempts == 1 {
				return errors.New("once more")
			}
			return nil
		}})
		must(t, q.Start(t.Context()))
		span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{7}, SpanID: trace.SpanID{8}})
		ctx := trace.ContextWithSpanContext(telemetry.WithRequest(t.Context(), "req_1"), span)
		tx, err := db.BeginTx(ctx, nil)
		must(t, err)
		defer tx.Rollback()
		committed, err := q.EnqueueVerification(ctx, tx, "ver_1")
		must(t, err)
		must(t, tx.Commit())
		committed()
		for attempt := range 2 { // also when it is tried again
			if s := <-got; s.request != "req_1" || s.trace != (trace.TraceID{7}) {
				t.Errorf("attempt %d is on behalf of %+v", attempt, s)
			}
		}
	})
}

func TestJobsAreCountedByState(t *testing.T) {
	onEach(t, func(t *testing.T, db *sql.DB) {
		release := make(chan struct{})
		began := make(chan struct{})
		q := newQueue(t, db, Config{MaxVerifications: 1, Verify: func(context.Context, string) error {
			began <- struct{}{}
			<-release
			return nil
		}})
		for _, id := range []string{"ver_1", "ver_2", "ver_3"} {
			enqueue(t, q, db, id)
		}
		count := func(available, running int) {
			t.Helper()
			got, err := q.Count(t.Context())
			must(t, err)
			if got["available"] != available || got["running"] != running || got["retryable"] != 0 {
				t.Errorf("counted %v, want %d available and %d running", got, available, running)
			}
		}
		count(3, 0)
		must(t, q.Start(t.Context()))
		<-began
		count(2, 1)
		close(release)
		<-began
		<-began
	})
}
