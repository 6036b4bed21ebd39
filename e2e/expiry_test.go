package e2e_test

import (
	"strings"
	"testing"
	"time"

	"assay"
	"assay/client/wire"
)

// shortest is the shortest lifetime that a session may have.
const shortest = time.Minute

// shortLived makes a session that expires, with a command that would outlive it.
func shortLived(t *testing.T, c caller) (session, command string) {
	t.Helper()
	req := wire.SessionCreate{Dataset: "e2e", SampleID: "quick", TTLMinutes: 1}
	session = c.ready(t, must[wire.SessionCreated](t, c.call(t, "POST", "/sessions", req), 201).SessionID)
	return session, c.exec(t, session, "sleep 1000")
}

// expired checks what is told of an expired session and its command.
func expired(t *testing.T, c caller, session string, in wire.Interaction) {
	t.Helper()
	if *in.ExitCode != assay.ExitUnknown || *in.Success || !strings.Contains(*in.Message, "lifetime") {
		t.Errorf("the command of an expired session: %s", show(in))
	}
	s := c.session(t, session)
	if s.Status != assay.SessionTerminated || s.Error == nil || s.Error.Code != string(assay.CodeExpired) {
		t.Errorf("the session is %s: %+v", s.Status, s.Error)
	}
	if *s.DurationSeconds > shortest.Seconds() {
		t.Errorf("the session is billed for %v s", *s.DurationSeconds)
	}
	refused(t, c.call(t, "POST", "/sessions/"+session+"/exec", wire.ExecRequest{Command: "true"}), 409, assay.CodeSessionEnded)
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	began := time.Now()
	session, command := shortLived(t, c)
	r := c.call(t, "GET", "/sessions/"+session+"/interactions/"+command+"?wait=60", nil)
	if in := must[wire.Interaction](t, r, 200); !in.Final() { // by a hair
		r = c.call(t, "GET", "/sessions/"+session+"/interactions/"+command+"?wait=20", nil)
	}
	expired(t, c, session, must[wire.Interaction](t, r, 200))
	if took := time.Since(began); took < shortest-5*time.Second || took > shortest+15*time.Second {
		t.Errorf("the session lived for %s", took)
	}
}

// A sandbox ends itself in time with no server left to end it.
func TestExpiryWithoutAServer(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p)
	c := newCaller(t, p, srv)
	began := time.Now()
	session, command := shortLived(t, c)
	kill(t, srv)
	for len(processes(t, p, session)) > 0 {
		if time.Since(began) > shortest+15*time.Second {
			t.Fatalf("the sandbox lives after %s", time.Since(began))
		}
		pause(100 * time.Millisecond) // no signal: nobody is there to give one
	}
	if took := time.Since(began); took < shortest-5*time.Second {
		t.Errorf("the sandbox lived for %s only", took)
	}
	c = c.at(start(t, p))
	expired(t, c, session, c.end(t, session, command))
	if err := nothingLeft(p); err != nil {
		t.Error(err)
	}
}
