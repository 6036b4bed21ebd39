package main

import (
	"context"
	"errors"
	"time"

	"assay"
	"assay/client/wire"
)

// fill keeps the disk full for some seconds, every second time with a kill of the
// server under it.
func (t *troublemaker) fill(ctx context.Context) error {
	over := t.begin(diskFull, "")
	defer over()
	t.count(filledDisk)
	t.say("the disk is full")
	err := t.keepFull(ctx, time.Duration(2+t.random.IntN(5))*time.Second)
	if err == nil && t.of(filledDisk)%2 == 0 {
		err = t.dieOnFullDisk(ctx)
	}
	if err := errors.Join(err, t.disk.Empty()); err != nil {
		return err
	}
	t.say("there is room on the disk again")
	if t.server.Ended() {
		return t.restart(ctx)
	}
	return t.heals(ctx)
}

// keepFull takes what others free, for a time.
func (t *troublemaker) keepFull(ctx context.Context, d time.Duration) error {
	const often = 100 * time.Millisecond
	for end := time.Now().Add(d); time.Now().Before(end); {
		if err := errors.Join(t.disk.Fill(), pause(ctx, often)); err != nil {
			return err
		}
	}
	return nil
}

// dieOnFullDisk kills the server and tries to start it, which it may refuse.
func (t *troublemaker) dieOnFullDisk(ctx context.Context) error {
	up := t.begin(serverDown, "")
	defer up()
	t.count(killedServer)
	if err := errors.Join(t.server.Kill(), t.disk.Fill()); err != nil {
		return err
	}
	if err := t.start(ctx); err == nil {
		return t.keepFull(ctx, time.Second)
	}
	t.say("the server does not start on a full disk")
	return nil
}

// healBound is how long a server that goes on may take, once there is room again, to
// store what it could not.
const healBound = 45 * time.Second

// heals waits until what was under way when the disk was full has its end, with no
// start of a server that would help it.
func (t *troublemaker) heals(ctx context.Context) error {
	until := time.Now().Add(healBound)
	commands, sessions, jobs := t.open()
	for _, c := range commands {
		in, found, err := untilFinal(ctx, until, t.api, "/sessions/"+c.session+"/interactions/"+c.id, (*wire.Interaction).Final)
		if err != nil {
			return err
		}
		if !found || !in.Final() {
			t.wrong(falseExit, "command %s is %s %s after there was room again", c.id, in.Status, healBound)
		}
	}
	for _, id := range sessions {
		s, found, err := untilFinal(ctx, until, t.api, "/sessions/"+id, func(s *wire.Session) bool { return s.Status != assay.SessionCreating })
		if err != nil {
			return err
		}
		if !found || s.Status == assay.SessionCreating {
			t.wrong(falseExit, "session %s is %s %s after there was room again", id, s.Status, healBound)
		}
	}
	if t.of(filledDisk) > 1 {
		return nil // verifications take their time: those of the first are proof enough
	}
	for _, j := range jobs {
		t.judged(ctx, j)
	}
	return nil
}

// untilFinal reads an object until final says so, or as it is at a time.
func untilFinal[T any](ctx context.Context, until time.Time, c *caller, path string, final func(*T) bool) (now T, found bool, err error) {
	for {
		now, found, err = get[T](ctx, c, path+"?wait=5")
		if err != nil || !found || final(&now) || time.Now().After(until) {
			return now, found, err
		}
	}
}

// breakDisk makes the disk read-only under the server for some seconds. The only
// remedy is that of an operator: a reboot with a check of the file system, which
// no sandbox outlives.
func (t *troublemaker) breakDisk(ctx context.Context) error {
	over := t.begin(diskReadOnly, "")
	t.count(brokeDisk)
	if err := t.breakNow(); err != nil {
		over()
		return err
	}
	t.say("the disk is read-only")
	err := pause(ctx, time.Duration(1+t.random.IntN(5))*time.Second)
	down := t.begin(serverDown, "")
	defer down()
	if kerr := t.server.Kill(); kerr != nil {
		err = errors.Join(err, kerr)
	}
	boot := t.begin(rebooted, "")
	defer boot()
	err = errors.Join(err, t.program.Reboot())
	over()
	if err != nil {
		return err
	}
	if err := t.disk.Repair(ctx); err != nil {
		return err
	}
	t.say("the host was rebooted, and its disk repaired")
	return t.restart(ctx)
}

// breakNow breaks the disk at a moment at which all that was told is on it: whatever
// the server had in memory would be lost, as with a power cut.
func (t *troublemaker) breakNow() (err error) {
	if err := t.server.Pause(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.server.Resume()) }()
	return errors.Join(t.disk.Sync(), t.disk.Break())
}

// restart starts the server after a fault of the disk.
func (t *troublemaker) restart(ctx context.Context) error {
	if err := t.start(ctx); err != nil {
		return err
	}
	return t.lookRound(ctx)
}
