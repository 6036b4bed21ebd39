package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"assay"
	"assay/client/wire"
)

// troublemaker kills and breaks things, one at a time, and has a look round after
// every restart of the server.
type troublemaker struct {
	*world
	random *rand.Rand
}

// make makes trouble until the time is over. The error is of a server that does
// not start, or of the means to make trouble.
func (t *troublemaker) make(ctx context.Context, until time.Time) error {
	for round := 0; ; round++ {
		if err := pause(ctx, time.Duration(500+t.random.IntN(3500))*time.Millisecond); err != nil {
			return err
		}
		if time.Now().After(until) {
			return nil
		}
		var err error
		switch what := t.random.IntN(20); {
		case round == 5 || what == 0: // once in every run, however short
			err = t.fill(ctx)
		case round == 11 || what == 1 && round > 11:
			err = t.breakDisk(ctx)
		case what <= 3:
			err = t.killRuntime(ctx)
		case what <= 5:
			err = t.killAgent()
		case what <= 6:
			err = t.killInside()
		default:
			err = t.killServer(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// killServer kills the server at some moment, sometimes a few more while they start,
// and starts it again.
func (t *troublemaker) killServer(ctx context.Context) error {
	moment := []string{"any moment", "create", "exec", "verify"}[t.random.IntN(4)]
	const patience = 3 * time.Second
	select {
	case <-t.moments.await(moment): // never for any moment
	case <-time.After(map[bool]time.Duration{true: 0, false: patience}[moment == "any moment"]):
	case <-ctx.Done():
		return ctx.Err()
	}
	delay := time.Duration(t.random.IntN(120)) * time.Millisecond
	if err := pause(ctx, delay); err != nil {
		return err
	}
	up := t.begin(serverDown, "")
	defer up()
	t.count(killedServer)
	if err := t.server.Kill(); err != nil {
		return err
	}
	for t.chance(3) {
		t.count(killedServer)
		t.count(killedStart)
		over := t.begin(serverDown, "")
		err := t.dieWhileStarting(ctx, time.Duration(20+t.random.IntN(600))*time.Millisecond)
		over()
		if err != nil {
			return err
		}
	}
	began := time.Now()
	if err := t.start(ctx); err != nil {
		return err
	}
	t.say("killed the server %s after %s; the next one answers after %s", delay, moment, time.Since(began).Round(time.Millisecond))
	return t.lookRound(ctx)
}

func (t *troublemaker) chance(n int) bool { return t.random.IntN(n) == 0 }

// killRuntime kills what the OCI runtime does just now.
func (t *troublemaker) killRuntime(ctx context.Context) error {
	over := t.begin(runtimeDied, "")
	defer over()
	for deadline := time.Now().Add(4 * time.Second); time.Now().Before(deadline); {
		pids, err := t.program.Runtimes()
		if err != nil {
			return err
		}
		if len(pids) > 0 {
			if err := pause(ctx, time.Duration(t.random.IntN(30))*time.Millisecond); err != nil {
				return err
			}
			for _, pid := range pids {
				if err := syscall.Kill(pid, syscall.SIGKILL); err == nil {
					t.count(killedRuntime)
					t.say("killed process %d of the runtime", pid)
				}
			}
			return nil
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// sandbox picks a sandbox that is there.
func (t *troublemaker) sandbox() (id string, err error) {
	dir, err := t.program.RunDir()
	if err != nil {
		return "", err
	}
	all, err := os.ReadDir(dir)
	if err != nil || len(all) == 0 {
		return "", err
	}
	return all[t.random.IntN(len(all))].Name(), nil
}

// killAgent kills the first process of a sandbox, and with it all others.
func (t *troublemaker) killAgent() error {
	id, err := t.sandbox()
	if err != nil || id == "" {
		return err
	}
	pid, err := t.program.Agent(id)
	if err != nil || pid == 0 {
		return err
	}
	over := t.begin(agentDied, id)
	defer over()
	t.count(killedAgent)
	t.say("killed the agent of %s", id)
	return ignoreGone(syscall.Kill(pid, syscall.SIGKILL))
}

// killInside kills some other process of a session's sandbox. In a verification's,
// nobody could tell that from a suite that fails.
func (t *troublemaker) killInside() error {
	id, err := t.sandbox()
	if err != nil || !strings.HasPrefix(id, "ses_") {
		return err
	}
	pids, err := t.program.Processes(id)
	if err != nil {
		return err
	}
	agent, err := t.program.Agent(id)
	if err != nil || agent == 0 {
		return err
	}
	for _, pid := range pids {
		if pid != agent {
			over := t.begin(processDied, id)
			defer over()
			t.count(killedProcess)
			t.say("killed process %d in %s", pid, id)
			return ignoreGone(syscall.Kill(pid, syscall.SIGKILL))
		}
	}
	return nil
}

func ignoreGone(err error) error {
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// fill keeps the disk full for some seconds, and sometimes kills the server under it.
func (t *troublemaker) fill(ctx context.Context) error {
	over := t.begin(diskFull, "")
	defer over()
	t.count(filledDisk)
	t.say("the disk is full")
	dies := t.of(filledDisk)%2 == 0 // it has to live through the first
	for end := time.Now().Add(time.Duration(2+t.random.IntN(5)) * time.Second); time.Now().Before(end); {
		if err := t.disk.Fill(); err != nil {
			return errors.Join(err, t.disk.Empty())
		}
		if dies && time.Until(end) < time.Second {
			dies = false
			up := t.begin(serverDown, "")
			defer up()
			t.count(killedServer)
			if err := errors.Join(t.server.Kill(), t.disk.Fill()); err != nil {
				return errors.Join(err, t.disk.Empty())
			}
			if err := t.start(ctx); err != nil {
				t.say("the server does not start on a full disk: %v", err)
			}
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return errors.Join(err, t.disk.Empty())
		}
	}
	if err := t.disk.Empty(); err != nil {
		return err
	}
	t.say("there is room on the disk again")
	if t.server.Ended() {
		return t.restart(ctx)
	}
	return t.heals(ctx)
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

// recent is how many ends and verdicts are asked for again after each restart.
const recent = 20

// lookRound holds what a server says after its start, and what the host holds, against
// what is known.
func (t *troublemaker) lookRound(ctx context.Context) error {
	known := t.endedSessions()
	if err := t.unowned(ctx, known); err != nil {
		return err
	}
	if err := t.audit(ctx, recent); err != nil {
		return err
	}
	t.books(ctx)
	return nil
}

// unowned looks for what is left of sessions that had ended before the server started:
// it must have freed that before it answered.
func (t *troublemaker) unowned(ctx context.Context, ended []string) error {
	var found []string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		left, err := t.program.Leftovers()
		if err != nil {
			return err
		}
		if found = mentioning(left, ended); len(found) == 0 {
			return nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	for _, what := range found {
		t.wrong(leaked, "%s, of a session that had ended before the start (%s)", what, filepath.Base(t.program.DataDir))
	}
	return nil
}

func mentioning(left, ids []string) (found []string) {
	for _, what := range left {
		for _, id := range ids {
			if strings.Contains(what, id) {
				found = append(found, what)
			}
		}
	}
	return found
}
