// Package persist stores what must not be lost: the end of something that happened
// once and that nobody else remembers.
package persist

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"assay"
)

const (
	firstPause   = 50 * time.Millisecond
	longestPause = 5 * time.Second
	// storeBound is how long one attempt may take.
	storeBound = 15 * time.Second
)

// Until calls store until it succeeds: a database that is full, locked or away for a
// while does not lose what happened meanwhile. It makes one attempt in any case, also
// when ctx has ended, and further ones until ctx ends; then, or when the store
// refuses for a reason that time does not change, it returns the last error. An attempt
// whose outcome is not known is looked up before there is another: what it stored is stored.
// What is stored is named in the log.
func Until(ctx context.Context, log *slog.Logger, what string, store func(context.Context) error) error {
	var open Unknown // the attempt before, if it is not known what became of it
	again := func(ctx context.Context) error {
		if open != nil {
			stored, err := open.Settle(ctx)
			if stored || err != nil {
				return err
			}
			open = nil
		}
		return store(ctx)
	}
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := attempt(ctx, again)
		if err == nil || !passes(err) {
			return err
		}
		errors.As(err, &open)
		log.Error("cannot store "+what, "err", err, "again_in", pause)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

func attempt(ctx context.Context, store func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeBound)
	defer cancel()
	return store(ctx)
}

// passes tells whether an error may be another one, or none, later. A store tells what
// does not as an assay.Error: there is no such row, its state is another.
func passes(err error) bool {
	var known *assay.Error
	return !errors.As(err, &known) || known.Code == assay.CodeUnavailable || known.Code == assay.CodeInternal
}
