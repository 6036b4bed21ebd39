package persist

import (
	"context"
	"errors"
	"log/slog"
)

// Unknown is the error of a store that lost its connection before it was answered: what was
// to be stored may have been, or not. What came back with the error is what would have come
// without it, if it was.
type Unknown interface {
	error
	// Settle finds out whether it was stored. If not, it never will be. An error means that
	// this is still not known.
	Settle(ctx context.Context) (stored bool, err error)
}

// IsUnknown tells whether err is, or wraps, an Unknown.
func IsUnknown(err error) bool {
	var u Unknown
	return errors.As(err, &u)
}

// Stored finds out whether what failed with err was stored, however long the database is
// away; false when ctx ends before.
func Stored(ctx context.Context, log *slog.Logger, what string, err error) (stored bool) {
	var u Unknown
	if !errors.As(err, &u) {
		return false
	}
	err = Until(ctx, log, what, func(ctx context.Context) (err error) {
		stored, err = u.Settle(ctx)
		return err
	})
	return stored && err == nil
}

// Uncertain tells whether what failed with err may have been stored all the same: that is
// Unknown, or the time was over before the answer came.
func Uncertain(err error) bool {
	return IsUnknown(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// Found is Stored for whatever is Uncertain. What is not Unknown cannot be settled: find
// looks whether it is there.
func Found(ctx context.Context, log *slog.Logger, what string, err error, find func(context.Context) (bool, error)) (found bool) {
	if IsUnknown(err) || !Uncertain(err) {
		return Stored(ctx, log, what, err)
	}
	err = Until(ctx, log, what, func(ctx context.Context) (err error) {
		found, err = find(ctx)
		return err
	})
	return found && err == nil
}
