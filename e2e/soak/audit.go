package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"assay/client/wire"
)

// endedSessions are the ids of the sessions that were told to have ended.
func (b *book) endedSessions() (ids []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, s := range b.sessions {
		if s.final != nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// open returns the commands, sessions and verifications that were accepted and of
// which no end was told.
func (b *book) open() (commands []*command, sessions []string, jobs []*job) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.commands {
		if c.final == nil {
			commands = append(commands, c)
		}
	}
	for id, s := range b.sessions {
		if s.final == nil {
			sessions = append(sessions, id)
		}
	}
	for _, j := range b.jobs {
		if j.final == nil {
			jobs = append(jobs, j)
		}
	}
	return commands, sessions, jobs
}

// audit asks the server for every session, and for the last commands and
// verifications that had ended, most of each; all of them when most is 0.
func (w *world) audit(ctx context.Context, most int) error {
	w.mu.Lock()
	known := make(map[string]bool, len(w.sessions))
	for id := range w.sessions {
		known[id] = true
	}
	commands, jobs := slices.Clone(w.commands), slices.Clone(w.jobs)
	w.mu.Unlock()
	if most > 0 {
		commands, jobs = commands[max(0, len(commands)-most):], jobs[max(0, len(jobs)-most):]
	}

	asked := time.Now()
	all, err := w.sessionsNow(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		w.accept(&session{id: s.SessionID, sent: s.RequestedAt}) // if nobody else did
		w.seeSession(asked, s)
		delete(known, s.SessionID)
	}
	for id := range known {
		w.wrong(falseExit, "session %s was accepted, and the server does not list it", id)
	}
	for _, c := range commands {
		now, found, err := get[wire.Interaction](ctx, w.api, "/sessions/"+c.session+"/interactions/"+c.id+"?wait=0")
		if err != nil {
			return err
		}
		if !found {
			w.wrong(falseExit, "command %s was accepted, and is lost", c.id)
			continue
		}
		w.seeCommand(asked, c, now)
	}
	for _, j := range jobs {
		now, found, err := get[wire.Job](ctx, w.api, "/sessions/"+j.session+"/verify/"+j.id+"?wait=0")
		if err != nil {
			return err
		}
		if !found {
			w.wrong(lostVerification, "verification %s was accepted, and is lost", j.id)
			continue
		}
		w.seeJob(asked, j, now)
	}
	return nil
}

// finish ends everything, asks for all of it again, and looks for what is left.
func (w *world) finish(ctx context.Context) error {
	w.say("closing all sessions, and waiting for all verdicts")
	if err := w.closeAll(ctx); err != nil {
		return err
	}
	w.mu.Lock()
	jobs := slices.Clone(w.jobs)
	w.mu.Unlock()
	deadline := time.Now().Add(judgedBound)
	for _, j := range jobs {
		if j.final == nil {
			w.waitJob(ctx, j, time.Until(deadline)) // what has no end then is told below
		}
	}
	w.say("asking for everything again")
	if err := w.audit(ctx, 0); err != nil {
		return err
	}
	w.ends()
	w.books(ctx)
	if err := w.calm(ctx); err != nil {
		return err
	}
	return w.leave(ctx)
}

// closeAll closes what its user left open or never heard of.
func (w *world) closeAll(ctx context.Context) error {
	all, err := w.sessionsNow(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		if !s.Status.Live() {
			continue
		}
		known := w.accept(&session{id: s.SessionID, sent: s.RequestedAt})
		w.ask(known)
		r, _, err := w.api.send(ctx, http.MethodDelete, "/sessions/"+s.SessionID, nil, "")
		if err != nil {
			return err
		}
		if r.status != http.StatusOK {
			w.wrong(badAnswer, "DELETE of session %s: %s", s.SessionID, r)
		}
		w.book.close(known)
	}
	return nil
}

// ends tells whether everything has an end.
func (w *world) ends() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sessions {
		if s.final == nil {
			w.wrong(falseExit, "session %s never ended", s.id)
		}
	}
	for _, c := range w.commands {
		if c.final == nil {
			w.wrong(falseExit, "command %s never ended", c.id)
		}
	}
	for _, j := range w.jobs {
		if j.final == nil {
			w.wrong(lostVerification, "verification %s never ended", j.id)
		}
	}
}

// freed bounds how long sandboxes may be freed in the background.
const freed = 20 * time.Second

// leave stops the server, starts one that frees what could not be freed before, and
// stops that, too. The host must hold nothing then.
func (w *world) leave(ctx context.Context) error {
	if err := w.server.Stop(); err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	if err := w.start(ctx); err != nil {
		return err
	}
	if err := w.server.Stop(); err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	for deadline := time.Now().Add(freed); ; {
		left, err := w.program.Leftovers()
		if err != nil {
			return err
		}
		leases, err := w.program.Leases()
		if err != nil {
			return err
		}
		for _, l := range leases {
			left = append(left, "lease "+l)
		}
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			for _, what := range left {
				w.wrong(leaked, "%s", what)
			}
			return nil
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return errors.Join(err, errStopped)
		}
	}
}
