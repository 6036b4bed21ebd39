package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"assay"
	"assay/client/wire"
)

// players is how many users work at once, each in one session at a time.
const players = 16

// player is a user who lives through one session after the other, remembers all that
// the server tells, and never takes a broken connection for an answer.
type player struct {
	*world
	name   string
	random *rand.Rand
	asked  int
	until  time.Time // when nothing more is begun

	at     *session
	sample string
	notes  string // what the file of edits says; "" before it is there
	solved *bool  // whether the work solves the task; nil while it is not known
	over   bool   // the session has ended, or something of it is not known
}

// key makes an idempotency key.
func (p *player) key() string {
	p.asked++
	return fmt.Sprintf("%s-%d", p.name, p.asked)
}

// chance is true once in n times.
func (p *player) chance(n int) bool { return p.random.IntN(n) == 0 }

// think waits as a user does between two requests.
func (p *player) think(ctx context.Context) {
	_ = pause(ctx, time.Duration(p.random.IntN(400))*time.Millisecond)
}

// play lives through sessions until the time is over.
func (p *player) play(ctx context.Context, until time.Time) {
	p.until = until
	for ctx.Err() == nil && time.Now().Before(until) {
		p.at, p.notes, p.over = nil, "", false
		p.solved = new(false)
		p.sample = samples[0]
		if p.chance(5) {
			p.sample = samples[1]
		}
		ttl := 30
		expires := p.chance(8) && time.Until(until) > 2*time.Minute
		if expires {
			ttl = 1 // the least
		}
		p.create(ctx, ttl)
		if p.at == nil {
			continue
		}
		if p.chance(12) { // perhaps while it is made
			p.close(ctx)
			continue
		}
		p.work(ctx)
		if expires && !p.over {
			p.outlive(ctx)
		} else {
			p.close(ctx)
		}
	}
}

// create makes a session: in the usual way, twice with one key, or with a client
// that goes away before it is answered.
func (p *player) create(ctx context.Context, ttl int) {
	key, body := p.key(), wire.SessionCreate{Dataset: "starter", SampleID: p.sample, TTLMinutes: wire.Integer(ttl)}
	s := &session{sent: time.Now()}
	p.moments.now("create")
	if p.chance(10) {
		p.count(didGone)
		gone, cancel := context.WithTimeout(ctx, time.Duration(p.random.IntN(20))*time.Millisecond)
		_, _ = p.api.try(gone, http.MethodPost, "/sessions", body, key)
		cancel()
		if p.chance(4) { // for good: it is found as a stray, or was never made
			return
		}
		p.think(ctx)
	}
	created, ok := accepted[wire.SessionCreated](ctx, p, "/sessions", body, key, http.StatusCreated)
	if !ok {
		return
	}
	s.id = created.SessionID
	p.at = p.accept(s)
	if p.chance(6) {
		p.count(didAgain)
		again, ok := accepted[wire.SessionCreated](ctx, p, "/sessions", body, key, http.StatusCreated)
		if ok && again.SessionID != s.id {
			p.wrong(badAnswer, "one idempotency key made sessions %s and %s", s.id, again.SessionID)
		}
	}
}

// accepted makes a POST that has to be accepted. A refusal because the session has
// ended is one that must be true, and ends the player's work in it.
func accepted[T any](ctx context.Context, p *player, path string, body any, key string, status int) (v T, ok bool) {
	r, _, err := p.api.send(ctx, http.MethodPost, path, body, key)
	switch {
	case err != nil:
		p.over = true // the run was interrupted
		return v, false
	case r.status == status && json.Unmarshal(r.body, &v) == nil:
		return v, true
	case r.code() == string(assay.CodeSessionEnded) && p.at != nil:
		p.look(ctx, true)
	default:
		p.wrong(badAnswer, "POST %s: %s", path, r)
	}
	p.over = true
	return v, false
}

// look reads the session. When it must have ended and has not, somebody lied.
func (p *player) look(ctx context.Context, ended bool) (now wire.Session, ok bool) {
	asked := time.Now()
	now, found, err := get[wire.Session](ctx, p.api, "/sessions/"+p.at.id+"?wait=20")
	if err != nil {
		return now, false
	}
	if !found {
		p.wrong(falseExit, "session %s was accepted, and is lost", p.at.id)
		return now, false
	}
	p.seeSession(asked, now)
	if ended && now.Status.Live() {
		p.wrong(falseExit, "session %s is told to have ended, and is %s", p.at.id, now.Status)
	}
	return now, true
}

// readyBound is how long a session may take to be made, with all that happens meanwhile.
const readyBound = 3 * time.Minute

// ready waits until the session is no longer creating.
func (p *player) ready(ctx context.Context) bool {
	for began := time.Now(); ; {
		now, ok := p.look(ctx, false)
		if !ok || now.Status != assay.SessionCreating {
			return ok && now.Status == assay.SessionReady
		}
		if time.Since(began) > readyBound {
			p.wrong(falseExit, "session %s is still creating after %s", p.at.id, readyBound)
			return false
		}
	}
}

// work does some of what agents do.
func (p *player) work(ctx context.Context) {
	if !p.ready(ctx) {
		p.over = true
		return
	}
	var open []*command
	for range 3 + p.random.IntN(6) {
		if p.over || ctx.Err() != nil || time.Now().After(p.until) {
			break
		}
		switch p.random.IntN(32) {
		case 0, 1, 2, 3, 4, 5:
			p.edit(ctx)
		case 6:
			p.verify(ctx)
		case 7, 8:
			p.solve(ctx)
			p.verify(ctx)
		case 9:
			if p.chance(2) {
				p.await(ctx, open...)
				p.exhaust(ctx)
			}
		default:
			if c := p.exec(ctx); c != nil {
				open = append(open, c)
			}
		}
		p.think(ctx)
	}
	p.await(ctx, open...)
	if !p.over {
		p.journal(ctx, open)
	}
}

// outlive waits until the session has expired by itself.
func (p *player) outlive(ctx context.Context) {
	const late = 100 * time.Second
	for began := time.Now(); ctx.Err() == nil; {
		now, ok := p.look(ctx, false)
		if !ok || !now.Status.Live() {
			return
		}
		if time.Since(began) > time.Minute+late {
			p.wrong(falseExit, "session %s does not expire", p.at.id)
			return
		}
		_ = pause(ctx, time.Second)
	}
}

// close ends the session.
func (p *player) close(ctx context.Context) {
	p.ask(p.at)
	if p.chance(20) {
		return // its user forgets it after all; see the end of the run
	}
	r, _, err := p.api.send(ctx, http.MethodDelete, "/sessions/"+p.at.id, nil, "")
	if err != nil {
		return
	}
	if r.status != http.StatusOK {
		p.wrong(badAnswer, "DELETE of session %s: %s", p.at.id, r)
		return
	}
	p.book.close(p.at)
	p.look(ctx, true)
}
