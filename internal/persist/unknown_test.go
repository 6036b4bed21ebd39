package persist_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"assay/internal/persist"
)

// lost is an error whose outcome is not known until it was asked for a number of times.
type lost struct {
	stored bool
	asks   *int
}

func (lost) Error() string { return "the connection was lost" }

func (l lost) Settle(context.Context) (bool, error) {
	if *l.asks--; *l.asks > 0 {
		return false, errFull
	}
	return l.stored, nil
}

// What was stored is not stored again, and what was not is.
func TestUntilLooksUpWhatIsNotKnown(t *testing.T) {
	for stored, want := range map[bool]int{true: 1, false: 2} {
		synctest.Test(t, func(t *testing.T) {
			calls, asks := 0, 3
			with := fmt.Errorf("store it: %w", lost{stored, &asks})
			err := persist.Until(t.Context(), slog.New(slog.DiscardHandler), "it", failing(1, with, &calls))
			if err != nil || calls != want || asks != 0 {
				t.Errorf("stored %v: %v after %d calls, %d asks left", stored, err, calls, asks)
			}
		})
	}
}

func TestStoredAsksUntilItKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := func(ctx context.Context, err error) bool {
			return persist.Stored(ctx, slog.New(slog.DiscardHandler), "it", err)
		}
		asks := 5
		if !asked(t.Context(), lost{true, &asks}) || asks != 0 {
			t.Errorf("what was stored is not, with %d asks left", asks)
		}
		asks = 5
		if asked(t.Context(), lost{false, &asks}) {
			t.Error("what was not stored is")
		}
		asks = 1 << 30
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if asked(ctx, lost{true, &asks}) || asked(t.Context(), errors.New("no")) {
			t.Error("what is not known is stored")
		}
	})
}
