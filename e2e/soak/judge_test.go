package main

import (
	"testing"
	"time"

	"assay"
	"assay/client/wire"
)

// judged returns how many promises were broken by what a server tells.
func judged(t *testing.T, tell func(b *book)) map[wrong]int {
	t.Helper()
	c := newCounts(func(format string, args ...any) { t.Logf(format, args...) })
	tell(newBook(c))
	return c.broken
}

func ended(code int, stdout string) wire.Interaction {
	status := assay.InteractionCompleted
	if code == assay.ExitUnknown {
		status = assay.InteractionFailed
	}
	return wire.Interaction{Status: status, ExitCode: &code, Stdout: &stdout, Stderr: new(""), Success: new(code == 0), Message: new("why")}
}

func verdict(solved bool) wire.Job {
	return wire.Job{Status: assay.VerificationCompleted, Result: &wire.JobResult{IsSuccess: solved}}
}

func failedWith(code assay.Code) wire.Job {
	return wire.Job{Status: assay.VerificationError, Error: &wire.Failure{Code: string(code)}}
}

func terminated(code assay.Code) wire.Session {
	return wire.Session{SessionID: "s", Status: assay.SessionTerminated, ExpiresAt: time.Now().Add(time.Hour), Error: &wire.Failure{Code: string(code)}}
}

// broken is a session whose sandbox's disk the host has broken.
func broken() wire.Session {
	s := terminated(assay.CodeSandboxLost)
	s.Error.Message = "the host's disk failed under the sandbox; work that was in it is lost"
	return s
}

// TestLiesAreSeen has a server lie in every way that the soak is made to see, beside
// the same thing told truly.
func TestLiesAreSeen(t *testing.T) {
	sent := time.Now()
	command := func() *command { return &command{session: "s", sent: sent, want: 3, stdout: "token\n"} }
	job := func() *job { return &job{id: "v", sent: sent, want: new(true)} }
	live := func(b *book) *session { return b.accept(&session{id: "s", sent: sent}) }
	tests := []struct {
		name string
		kind wrong // "" when it is true
		tell func(b *book)
	}{
		{"the true end", "", func(b *book) { live(b); b.seeCommand(time.Now(), command(), ended(3, "token\n")) }},
		{"another exit code", falseExit, func(b *book) { live(b); b.seeCommand(time.Now(), command(), ended(0, "token\n")) }},
		{"another output", falseExit, func(b *book) { live(b); b.seeCommand(time.Now(), command(), ended(3, "")) }},
		{"unknown for no reason", falseExit, func(b *book) { live(b); b.seeCommand(time.Now(), command(), ended(assay.ExitUnknown, "")) }},
		{"unknown after a kill", "", func(b *book) {
			live(b)
			b.begin(serverDown, "")()
			b.seeCommand(time.Now(), command(), ended(assay.ExitUnknown, ""))
		}},
		{"an end that changes", falseExit, func(b *book) {
			live(b)
			b.begin(serverDown, "")()
			c := command()
			b.seeCommand(time.Now(), c, ended(assay.ExitUnknown, ""))
			b.seeCommand(time.Now(), c, ended(3, "token\n"))
		}},
		{"lost for no reason", falseExit, func(b *book) { live(b); b.seeSession(time.Now(), terminated(assay.CodeSandboxLost)) }},
		{"lost with its agent", "", func(b *book) {
			live(b)
			b.begin(agentDied, "s")()
			b.seeSession(time.Now(), terminated(assay.CodeSandboxLost))
		}},
		{"lost with another's agent", falseExit, func(b *book) {
			live(b)
			b.begin(agentDied, "other")()
			b.seeSession(time.Now(), terminated(assay.CodeSandboxLost))
		}},
		{"lost with the disk of the host", "", func(b *book) {
			live(b)
			b.begin(diskFull, "")()
			b.seeSession(time.Now(), broken())
		}},
		{"lost with a disk that was well", falseExit, func(b *book) { live(b); b.seeSession(time.Now(), broken()) }},
		{"lost for no reason while a disk was full", falseExit, func(b *book) {
			live(b)
			b.begin(diskFull, "")()
			b.seeSession(time.Now(), terminated(assay.CodeSandboxLost))
		}},
		{"expired too early", falseExit, func(b *book) { live(b); b.seeSession(time.Now(), terminated(assay.CodeExpired)) }},
		{"alive after its close", falseExit, func(b *book) {
			b.close(live(b))
			b.seeSession(time.Now(), wire.Session{SessionID: "s", Status: assay.SessionReady, ExpiresAt: time.Now().Add(time.Hour)})
		}},
		{"another reason for its end", falseExit, func(b *book) {
			live(b)
			b.begin(agentDied, "s")()
			b.seeSession(time.Now(), terminated(assay.CodeSandboxLost))
			b.seeSession(time.Now(), terminated(assay.CodeOperator))
		}},
		{"the true verdict", "", func(b *book) { b.seeJob(time.Now(), job(), verdict(true)) }},
		{"a false verdict", falseExit, func(b *book) { b.seeJob(time.Now(), job(), verdict(false)) }},
		{"two verdicts", doubleVerdict, func(b *book) {
			j := job()
			b.seeJob(time.Now(), j, verdict(true))
			b.seeJob(time.Now(), j, verdict(false))
		}},
		{"given up for no reason", lostVerification, func(b *book) { b.seeJob(time.Now(), job(), failedWith(assay.CodeInterrupted)) }},
		{"given up after three kills", "", func(b *book) {
			for range 3 {
				b.begin(serverDown, "")()
			}
			b.seeJob(time.Now(), job(), failedWith(assay.CodeInterrupted))
		}},
		{"neither verdict nor reason", lostVerification, func(b *book) { b.seeJob(time.Now(), job(), wire.Job{Status: assay.VerificationCompleted}) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			broken := judged(t, tt.tell)
			if tt.kind == "" && len(broken) > 0 || tt.kind != "" && (broken[tt.kind] != 1 || len(broken) != 1) {
				t.Errorf("it is taken for %v, not for %q", broken, tt.kind)
			}
		})
	}
}
