package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// troublemaker kills and breaks things, one at a time, and has a look round after
// every restart of the server.
type troublemaker struct {
	*world
	random *rand.Rand
	hung   chan struct{}  // has one for each agent that hangs beside the rest
	beside sync.WaitGroup // their goroutines
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
		if err := t.trouble(ctx, round); err != nil {
			return err
		}
	}
}

// trouble makes some trouble. The first rounds make each kind once that is not frequent, so
// that every run has it, however short.
func (t *troublemaker) trouble(ctx context.Context, round int) error {
	first := []func(context.Context) error{
		1: t.hangAgent, 2: t.hangAtStart, 3: t.refuseEpoll, 4: t.cutCommits, 5: t.fill, 11: t.breakDisk,
	}
	if round < len(first) && first[round] != nil {
		return first[round](ctx)
	}
	switch what := t.random.IntN(32); {
	case what == 0:
		return t.fill(ctx)
	case what == 1 && round > 11:
		return t.breakDisk(ctx)
	case what <= 3:
		return t.killRuntime(ctx)
	case what <= 5:
		return t.killAgent()
	case what <= 6:
		return t.killInside()
	case what <= 9:
		return t.hangAgent(ctx)
	case what <= 12:
		return t.hangAtStart(ctx)
	case what <= 15:
		return t.refuseEpoll(ctx)
	case what <= 18:
		return t.cutCommits(ctx)
	}
	return t.killServer(ctx)
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
