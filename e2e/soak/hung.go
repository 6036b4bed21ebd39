package main

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"

	"assay"
	"assay/client/wire"
)

// stopAgent stops the agent of some session's sandbox. id is "" when there is none; goOn lets
// it go on, if it lives.
func (t *troublemaker) stopAgent() (id string, goOn func() error, err error) {
	id, err = t.sandbox()
	if err != nil || !strings.HasPrefix(id, assay.PrefixSession) {
		return "", nil, err
	}
	pid, err := t.program.Agent(id)
	if err != nil || pid == 0 {
		return "", nil, err
	}
	over := t.begin(agentHung, id)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		over()
		return "", nil, ignoreGone(err)
	}
	return id, func() error {
		defer over()
		if now, err := t.program.Agent(id); err != nil || now != pid {
			return err // it is dead, and its number may be another's
		}
		return ignoreGone(syscall.Kill(pid, syscall.SIGCONT))
	}, nil
}

// mostHung bounds how many agents hang at once.
const mostHung = 2

// hangAgent lets an agent hang beside whatever else happens: mostly for longer than a running
// server takes to notice.
func (t *troublemaker) hangAgent(ctx context.Context) error {
	select {
	case t.hung <- struct{}{}:
	default:
		return nil
	}
	id, goOn, err := t.stopAgent()
	if err != nil || id == "" {
		<-t.hung
		return err
	}
	t.count(hungAgent)
	d := time.Duration(5+t.random.IntN(35)) * time.Second
	t.say("the agent of %s hangs for %s", id, d)
	t.beside.Go(func() {
		defer func() { <-t.hung }()
		_ = pause(ctx, d)
		if s, found, err := get[wire.Session](ctx, t.api, "/sessions/"+id); err == nil && found && isUnreachable(s) {
			t.count(toldUnreachable)
		}
		if err := goOn(); err != nil {
			t.wrong(badAnswer, "the agent of %s cannot go on: %v", id, err)
		}
	})
	return nil
}

func isUnreachable(s wire.Session) bool {
	return s.StatusDetail != nil && *s.StatusDetail == "unreachable"
}

// unreachableBound is how long a server that starts may take to tell that an agent hangs.
const unreachableBound = 40 * time.Second

// hangAtStart kills the server while an agent hangs, and starts it: the session is not lost,
// and is told to be out of reach until its agent goes on.
func (t *troublemaker) hangAtStart(ctx context.Context) (err error) {
	id, goOn, err := t.stopAgent()
	if err != nil || id == "" {
		return err
	}
	gone := false
	defer func() {
		if e := goOn(); err == nil {
			err = e
		}
	}()
	up := t.begin(serverDown, "")
	t.count(killedServer)
	t.count(hungAtStart)
	if err := t.server.Kill(); err != nil {
		up()
		return err
	}
	err = t.start(ctx)
	up()
	if err != nil {
		return err
	}
	t.say("the server was started while the agent of %s hangs", id)
	for deadline := time.Now().Add(unreachableBound); !gone; {
		s, found, err := get[wire.Session](ctx, t.api, "/sessions/"+id)
		switch {
		case err != nil:
			return err
		case !found:
			return fmt.Errorf("session %s is not found", id)
		case isUnreachable(s) || s.Status != assay.SessionReady:
			gone = true
		case time.Now().After(deadline):
			t.wrong(badAnswer, "the agent of session %s hangs since the start, and it is not told to be out of reach", id)
			gone = true
		default:
			if err := pause(ctx, 200*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}
