package app

import (
	"context"
	"fmt"
	"time"

	"assay/internal/store"
)

// damageWait is how long a start waits for the pages of its database to be looked through. A
// gigabyte takes some four seconds, so that a file that is larger than most is looked through
// beside serving: sandboxes that live are not kept waiting for that.
const damageWait = 2 * time.Second

// damagedRemedy says what to do about a database that is damaged.
const damagedRemedy = "stop the server, keep a copy, and restore the last good backup"

// damage is a look through the pages of the database, beside what else is done.
type damage struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error // what was found; set before done is closed
}

// lookForDamage begins to look. Close ends it.
func (a *App) lookForDamage() *damage {
	ctx, cancel := context.WithCancel(context.Background())
	d := &damage{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(d.done)
		d.err = a.checkDamage(ctx)
		switch {
		case ctx.Err() != nil:
			d.err = nil // it was not looked through to its end
		case d.err != nil:
			a.Log.Error("the database is damaged: "+damagedRemedy, "err", d.err)
		default:
			a.Log.Debug("the database has no damaged page")
		}
	}()
	return d
}

// within returns what is found within a time.
func (d *damage) within(ctx context.Context, most time.Duration) error {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-d.done:
		return d.err
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}

// found returns what was found so far. That of a nil damage is nothing.
func (d *damage) found() error {
	if d == nil {
		return nil
	}
	select {
	case <-d.done:
		return d.err
	default:
		return nil
	}
}

func (d *damage) close() {
	if d != nil {
		d.cancel()
		<-d.done
	}
}

// CheckDamage looks through the pages of the database, and says what to do about what it finds.
func (a *App) CheckDamage(ctx context.Context) error {
	err := a.checkDamage(ctx)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w; %s", err, damagedRemedy)
	}
	return err
}

func (a *App) checkDamage(ctx context.Context) error {
	return store.CheckDamage(ctx, a.Config.database(a.dir), a.Config.storeOptions(nil))
}
