package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"assay"
	"assay/client/wire"
)

// journal is the file in a sandbox in which commands write that they begin and end,
// outside of the work tree.
const journal = "/journal"

// exec begins a command whose end is known beforehand.
func (p *player) exec(ctx context.Context) *command {
	token := fmt.Sprintf("%s.%d", p.name, p.asked)
	c := &command{token: token, ends: true, stdout: token + "\n", want: p.random.IntN(4)}
	begin := "echo begun " + token + " >> " + journal + "; echo " + token + "; "
	end := "echo ended " + token + " >> " + journal + "; exit " + fmt.Sprint(c.want)
	timeout := 120
	switch p.random.IntN(8) {
	case 0, 1, 2: // likely to see the server die
		c.text = begin + fmt.Sprintf("sleep %.1f; ", 1+4*p.random.Float64()) + end
	case 3: // something stays behind
		c.text = begin + "(sleep 20; echo late >> " + journal + ") & " + end
	case 4: // beyond its time
		c.text, c.ends, c.want, timeout = begin+"exec sleep 60", false, assay.ExitTimeout, 1
	default:
		c.text = begin + end
	}
	p.moments.now("exec")
	return p.run(ctx, c, timeout)
}

// run begins a command, sometimes twice with one key.
func (p *player) run(ctx context.Context, c *command, timeout int) *command {
	key, path := p.key(), "/sessions/"+p.at.id+"/exec"
	body := wire.ExecRequest{Command: c.text, CommandTimeout: wire.Integer(timeout)}
	c.session, c.sent = p.at.id, time.Now()
	if p.chance(12) && p.api.hangUp(ctx, path, body, key) == nil {
		p.count(hungUp)
	}
	got, ok := accepted[wire.ExecAccepted](ctx, p, path, body, key, http.StatusAccepted)
	if !ok {
		return nil
	}
	c.id = got.InteractionID
	p.add(c)
	if p.chance(8) {
		p.count(didAgain)
		again, ok := accepted[wire.ExecAccepted](ctx, p, path, body, key, http.StatusAccepted)
		if ok && again.InteractionID != c.id {
			p.wrong(falseExit, "one idempotency key made commands %s and %s", c.id, again.InteractionID)
		}
	}
	if p.chance(2) {
		p.await(ctx, c)
	}
	return c
}

// endBound is how long a command may take beyond its own time: the server may be
// down, and the disk full.
const endBound = 3 * time.Minute

// await waits for the ends of commands.
func (p *player) await(ctx context.Context, commands ...*command) {
	for _, c := range commands {
		for began := time.Now(); ctx.Err() == nil; {
			asked := time.Now()
			now, found, err := get[wire.Interaction](ctx, p.api, "/sessions/"+c.session+"/interactions/"+c.id+"?wait=20")
			if err != nil {
				return
			}
			if !found {
				p.wrong(falseExit, "command %s was accepted, and is lost", c.id)
				break
			}
			p.seeCommand(asked, c, now)
			if now.Final() {
				break
			}
			if time.Since(began) > endBound {
				p.wrong(falseExit, "command %s has not ended after %s", c.id, endBound)
				break
			}
		}
	}
}

// journal asks the sandbox which commands ran, and how often.
func (p *player) journal(ctx context.Context, commands []*command) {
	read := &command{text: "cat " + journal + " 2>/dev/null; exit 0", any: true}
	if read = p.run(ctx, read, 60); read == nil {
		return
	}
	p.await(ctx, read)
	spoilt := p.suffered(p.at.id, p.at.sent, time.Now(), diskFull, diskReadOnly, processDied) > 0
	said := p.end(read)
	if said == nil || *said.ExitCode != 0 || spoilt {
		return
	}
	text := *said.Stdout
	for _, c := range commands {
		end := p.end(c)
		if end == nil {
			continue
		}
		begun, ended := strings.Count(text, "begun "+c.token+"\n"), strings.Count(text, "ended "+c.token+"\n")
		known := *end.ExitCode != assay.ExitUnknown
		switch {
		case begun > 1 || ended > 1:
			p.wrong(falseExit, "command %s ran %d times, and ended %d times", c.id, begun, ended)
		case known && (begun != 1 || (ended == 1) != c.ends):
			p.wrong(falseExit, "command %s ended with %d: it began %d times and came to its end %d times", c.id, *end.ExitCode, begun, ended)
		case !known && begun > 0 && strings.Contains(*end.Message, "before the command began"):
			p.wrong(falseExit, "command %s ran: %s", c.id, *end.Message)
		}
	}
}

// edit replaces a text in a file, and keeps an account of what it must be.
func (p *player) edit(ctx context.Context) {
	const file = "/notes"
	if p.notes == "" {
		first := "first of " + p.at.id
		made := p.run(ctx, &command{text: "echo '" + first + "' > " + file, token: "-", files: true}, 60)
		if made == nil {
			return
		}
		p.await(ctx, made)
		if end := p.end(made); end == nil || *end.ExitCode != 0 {
			return
		}
		p.notes = first
	}
	next := "then " + p.key()
	body := wire.ReplaceRequest{FilePath: file, StrToReplace: p.notes, StrToInsert: next}
	r, unknown, err := p.api.send(ctx, http.MethodPost, "/sessions/"+p.at.id+"/str_replace", body, "")
	var res wire.EditResult
	switch {
	case err != nil:
		p.over = true
	case r.code() == string(assay.CodeSessionEnded):
		p.look(ctx, true)
		p.over = true
	case r.status != http.StatusOK || json.Unmarshal(r.body, &res) != nil:
		p.wrong(badAnswer, "an edit: %s", r)
	case res.Success || unknown > 0: // the first of several tries may have made it
		p.notes = next
		p.count(didEdit)
		p.read(ctx, file, next)
	case p.suffered(p.at.id, p.at.sent, time.Now(), diskFull, diskReadOnly) == 0:
		p.wrong(badAnswer, "an edit: %s", res.Message)
	}
}

// read holds a file against what it must say.
func (p *player) read(ctx context.Context, file, want string) {
	c := p.run(ctx, &command{text: "cat " + file, stdout: want + "\n", token: "-", files: true, any: p.suffered(p.at.id, p.at.sent, time.Now(), diskFull, diskReadOnly) > 0}, 60)
	if c != nil {
		p.await(ctx, c)
	}
}

// solve applies the reference fix, once.
func (p *player) solve(ctx context.Context) {
	if p.over || p.solved == nil || *p.solved {
		return
	}
	p.solved = nil // until it is known
	fix := base64.StdEncoding.EncodeToString([]byte(p.fixes[p.sample]))
	c := p.run(ctx, &command{text: "echo " + fix + " | base64 -d | git apply", token: "-", files: true}, 60)
	if c == nil {
		return
	}
	p.await(ctx, c)
	if end := p.end(c); end != nil && *end.ExitCode == 0 {
		p.solved = new(true)
	}
}

// exhaust uses all memory up, alone: in one piece, which is the quickest way. The
// sandboxes of the starter dataset have 2 GiB.
func (p *player) exhaust(ctx context.Context) {
	if p.over {
		return
	}
	p.mu.Lock()
	p.at.hog = true
	p.mu.Unlock()
	c := p.run(ctx, &command{text: "exec dd if=/dev/zero of=/dev/null bs=2047M count=1", want: killedExit, token: "-"}, 60)
	if c != nil {
		p.await(ctx, c)
	}
}

// verify begins a verification, and waits for some.
func (p *player) verify(ctx context.Context) {
	const late = 20 * time.Second // it would outlast the run
	if p.over || time.Until(p.until) < late || p.underWay() >= mostJobs {
		return
	}
	key, path := p.key(), "/sessions/"+p.at.id+"/verify"
	j := &job{session: p.at.id, sent: time.Now(), want: p.solved}
	p.moments.now("verify")
	started, ok := accepted[wire.JobStarted](ctx, p, path, nil, key, http.StatusAccepted)
	if !ok {
		return
	}
	if p.suffered(p.at.id, p.at.sent, time.Now(), diskFull, diskReadOnly) > 0 {
		j.want = nil // the work may not have reached the disk
	}
	j.id = started.JobID
	p.addJob(j)
	if p.chance(6) {
		p.count(didAgain)
		again, ok := accepted[wire.JobStarted](ctx, p, path, nil, key, http.StatusAccepted)
		if ok && again.JobID != j.id {
			p.wrong(doubleVerdict, "one idempotency key made verifications %s and %s", j.id, again.JobID)
		}
	}
	if p.chance(2) {
		const patience = 30 * time.Second
		p.waitJob(ctx, j, patience)
	}
}

// mostJobs bounds how many verifications are under way at once, so that those of a slow
// machine do not outlast a run.
const mostJobs = 6

// judgedBound is how long a verification may wait and run.
const judgedBound = 4 * time.Minute

// judged waits for the end of a verification, which there must be.
func (w *world) judged(ctx context.Context, j *job) {
	if last, ended := w.waitJob(ctx, j, judgedBound); !ended && ctx.Err() == nil {
		w.wrong(lostVerification, "verification %s is %s after %s", j.id, last.Status, judgedBound)
	}
}

// waitJob waits for the end of a verification, but not for ever.
func (w *world) waitJob(ctx context.Context, j *job, patience time.Duration) (last wire.Job, ended bool) {
	for began := time.Now(); time.Since(began) < patience; {
		asked := time.Now()
		now, found, err := get[wire.Job](ctx, w.api, "/sessions/"+j.session+"/verify/"+j.id+"?wait=20")
		if err != nil {
			return last, false
		}
		if !found {
			w.wrong(lostVerification, "verification %s was accepted, and is lost", j.id)
			return last, true
		}
		w.seeJob(asked, j, now)
		if last = now; now.Final() {
			return last, true
		}
	}
	return last, false
}
