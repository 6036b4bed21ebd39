package main

import (
	"encoding/json"
	"strings"
	"time"

	"assay"
	"assay/client/wire"
)

// seeSession holds a session that the server tells, when it was asked at some time,
// against what was known then.
func (b *book) seeSession(asked time.Time, now wire.Session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sessions[now.SessionID]
	switch {
	case s == nil || s.told.After(asked): // another answer was first
	case s.final != nil:
		if told, is := finalText(s.final), finalText(&now); told != is {
			b.wrong(falseExit, "session %s was told to have ended as %s, and now as %s", s.id, told, is)
			s.final = &now
		}
	case now.Status.Live():
		if s.closed {
			b.wrong(falseExit, "session %s was told to be closed, and is %s", s.id, now.Status)
		}
		if time.Now().After(now.ExpiresAt.Add(time.Minute)) && b.sufferedLocked("", now.ExpiresAt, time.Now(), serverDown, diskFull, diskReadOnly) == 0 {
			b.wrong(falseExit, "session %s is %s a minute after its lifetime", s.id, now.Status)
		}
	default:
		s.final, s.told = &now, time.Now()
		if why := b.unexplained(s, now); why != "" {
			b.wrong(falseExit, "session %s ended as %s: %s", s.id, finalText(&now), why)
		}
	}
}

// unexplained says what is wrong with the end of a session; "" when it is true.
func (b *book) unexplained(s *session, now wire.Session) string {
	code := assay.Code("")
	if now.Error != nil {
		code = assay.Code(now.Error.Code)
	}
	suffered := func(kinds ...trouble) bool {
		return b.sufferedLocked(s.id, s.sent, time.Now(), kinds...) > 0
	}
	switch {
	case now.Status == assay.SessionClosed && code == "":
		if !s.asked {
			return "nobody closed it"
		}
	case now.Status == assay.SessionTerminated && code == assay.CodeExpired:
		b.count(didExpire)
		if time.Now().Before(now.ExpiresAt.Add(-time.Second)) {
			return "its lifetime is not over"
		}
	case now.Status == assay.SessionTerminated && code == assay.CodeSandboxLost:
		b.count(didLost)
		broken := suffered(diskFull, diskReadOnly) && strings.Contains(now.Error.Message, "the host's disk failed")
		if !broken && !suffered(agentDied, rebooted) {
			return "nobody killed its sandbox"
		}
	case now.Status == assay.SessionTerminated && code == assay.CodeOutOfMemory:
		if !s.hog {
			return "it did not use its memory up"
		}
	case now.Status == assay.SessionError && code == assay.CodeSandboxFailed:
		if !suffered(runtimeDied, agentDied, processDied, diskFull, diskReadOnly, rebooted, epollRefused, commitsCut) {
			return "nothing kept its sandbox from being made"
		}
	case now.Status == assay.SessionError && code == assay.CodeUnavailable:
		if !suffered(commitsCut) {
			return "the database did not go away"
		}
	default:
		return "that is no end that this run brings about"
	}
	return ""
}

// finalText is what of an ended session must never change.
func finalText(s *wire.Session) string {
	content, err := json.Marshal([]any{s.Status, s.Error, s.CreatedAt, s.DurationSeconds, s.CostMicroUSD})
	if err != nil {
		return err.Error()
	}
	return string(content)
}

// seeCommand holds a command that the server tells, when it was asked at some time,
// against what it must be.
func (b *book) seeCommand(asked time.Time, c *command, now wire.Interaction) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.told.After(asked) {
		return // another answer was first
	}
	if !now.Final() {
		if c.final != nil {
			b.wrong(falseExit, "command %s had ended, and is %s", c.id, now.Status)
		}
		return
	}
	if c.final != nil {
		if told, is := text(c.final), text(now); told != is {
			b.wrong(falseExit, "the end of command %s was told as %.2000s, and is now %.2000s", c.id, told, is)
			c.final = &now
		}
		return
	}
	c.final, c.told = &now, time.Now()
	if now.ExitCode == nil || now.Success == nil || now.Stdout == nil || now.Stderr == nil {
		b.wrong(falseExit, "command %s has ended without an exit code: %s", c.id, text(now))
		return
	}
	code, same := *now.ExitCode, c.any || *now.Stdout == c.stdout
	if *now.Success != (code == 0) || (code == assay.ExitUnknown) != (now.Status == assay.InteractionFailed) {
		b.wrong(falseExit, "command %s contradicts itself: %.2000s", c.id, text(now))
	}
	switch {
	case code == c.want && same:
		b.count(didEnd)
	case code == assay.ExitUnknown:
		b.count(didUnknown)
		if now.Message == nil || *now.Message == "" {
			b.wrong(falseExit, "nothing says why the end of command %s is unknown", c.id)
		} else if !b.mayBeUnknown(c) {
			b.wrong(falseExit, "nothing happened to command %s, and its end is unknown: %.2000s", c.id, text(now))
		}
	case b.sufferedLocked(c.session, c.sent, time.Now(), processDied) > 0 && (code == killedExit || code == c.want):
		b.count(didEnd) // that of a process that was killed
	case c.files && code != 0 && *now.Stderr != "" && b.sufferedLocked(c.session, b.since(c), time.Now(), diskFull, diskReadOnly) > 0:
		b.count(didEnd) // what a full disk did to its sandbox stays
	default:
		b.wrong(falseExit, "command %s (%s) must exit with %d and say %q: %.2000s", c.id, c.text, c.want, c.stdout, text(now))
	}
}

// since is when the session of a command was asked for.
func (b *book) since(c *command) time.Time {
	if s := b.sessions[c.session]; s != nil {
		return s.sent
	}
	return c.sent
}

// killedExit is the exit code of a command that was killed, as bash tells it.
const killedExit = 128 + 9

// mayBeUnknown tells whether something happened for which the end of a command
// cannot be known.
func (b *book) mayBeUnknown(c *command) bool {
	s := b.sessions[c.session]
	ended := s == nil || s.asked || s.hog || s.final != nil
	return ended || b.sufferedLocked(c.session, c.sent, time.Now(), serverDown, agentDied, diskFull, diskReadOnly, rebooted, commitsCut, epollRefused) > 0
}

// seeJob holds a verification that the server tells, when it was asked at some time,
// against what it must be.
func (b *book) seeJob(asked time.Time, j *job, now wire.Job) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if j.told.After(asked) {
		return // another answer was first
	}
	if !now.Final() {
		if j.final != nil {
			b.wrong(doubleVerdict, "verification %s had ended, and is %s", j.id, now.Status)
		}
		return
	}
	if j.final != nil {
		if told, is := text(j.final), text(now); told != is {
			b.wrong(doubleVerdict, "the outcome of verification %s was told as %.4000s, and is now %.4000s", j.id, told, is)
			j.final = &now
		}
		return
	}
	j.final, j.told = &now, time.Now()
	switch {
	case now.Status == assay.VerificationCompleted && now.Result != nil && now.Error == nil:
		b.count(didVerdict)
		if j.want != nil && now.Result.IsSuccess != *j.want {
			b.wrong(falseExit, "verification %s: whether the task is solved is %t: %.4000s", j.id, now.Result.IsSuccess, text(now))
		}
	case now.Status == assay.VerificationError && now.Error != nil && now.Result == nil:
		b.count(didFail)
		if !b.mayFail(j, assay.Code(now.Error.Code)) {
			b.wrong(lostVerification, "nothing happened to verification %s, and it ended as %+v", j.id, *now.Error)
		}
	default:
		b.wrong(lostVerification, "verification %s has neither a verdict nor a reason: %.2000s", j.id, text(now))
	}
}

// mayFail tells whether enough happened for a verification to be given up with a code.
func (b *book) mayFail(j *job, code assay.Code) bool {
	const attempts = 3
	now := time.Now()
	downs := b.sufferedLocked("", j.sent, now, serverDown)
	if code == assay.CodeInterrupted {
		return downs >= attempts
	}
	for _, f := range b.faults {
		if f.kind == agentDied && strings.HasPrefix(f.sandbox, j.id+"-") {
			downs++
		}
	}
	downs += b.sufferedLocked("", j.sent, now, runtimeDied)
	atOnce := b.sufferedLocked("", j.sent, now, diskFull, diskReadOnly, rebooted, commitsCut, epollRefused) > 0
	switch code {
	case assay.CodeSandboxLost, assay.CodeSandboxFailed, assay.CodeInternal:
		return atOnce || downs >= attempts
	case assay.CodeSuiteNotRun, assay.CodeReportInvalid:
		return atOnce
	}
	return false
}

// text is a whole answer, to compare and to show in part.
func text(v any) string {
	content, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(content)
}
