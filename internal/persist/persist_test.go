package persist_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"assay"
	"assay/internal/persist"
)

var errFull = errors.New("no space left")

// failing fails a number of times and counts the calls.
func failing(times int, with error, calls *int) func(context.Context) error {
	return func(ctx context.Context) error {
		if *calls++; *calls <= times {
			return with
		}
		return ctx.Err()
	}
}

func TestUntilTriesAgain(t *testing.T) {
	refusal := assay.Errorf(assay.CodeSessionNotFound, "there is none")
	away := assay.Errorf(assay.CodeUnavailable, "away")
	for name, tt := range map[string]struct {
		times int
		with  error
		calls int
		want  error
	}{
		"at once":   {0, nil, 1, nil},
		"full":      {10, errFull, 11, nil},
		"away":      {3, away, 4, nil},
		"a refusal": {3, refusal, 1, refusal},
	} {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			err := persist.Until(t.Context(), slog.New(slog.DiscardHandler), name, failing(tt.times, tt.with, &calls))
			if !errors.Is(err, tt.want) || calls != tt.calls {
				t.Errorf("%s: %v after %d calls, want %v after %d", name, err, calls, tt.want, tt.calls)
			}
		})
	}
}

func TestUntilEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		calls := 0
		if err := persist.Until(ctx, slog.New(slog.DiscardHandler), "it", failing(1000, errFull, &calls)); !errors.Is(err, errFull) {
			t.Errorf("it returned %v", err)
		}
		if calls < 10 || calls > 20 {
			t.Errorf("there were %d attempts in a minute", calls)
		}
	})
}

// What happened while the service was stopping is stored, too.
func TestUntilTriesOnceAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	calls := 0
	if err := persist.Until(ctx, slog.New(slog.DiscardHandler), "it", failing(0, nil, &calls)); err != nil || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
	if err := persist.Until(ctx, slog.New(slog.DiscardHandler), "it", failing(9, errFull, &calls)); !errors.Is(err, errFull) || calls != 2 {
		t.Errorf("%v after %d calls", err, calls)
	}
}
