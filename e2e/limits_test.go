package e2e_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"assay"
	"assay/client/wire"
)

// limited fails the test unless r says that a limit is reached and when to come back.
func limited(t *testing.T, r reply, code assay.Code, limit int) {
	t.Helper()
	refused(t, r, 429, code)
	if after, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || after < 1 {
		t.Errorf("Retry-After is %q", r.header.Get("Retry-After"))
	}
	if got := r.header.Get("X-RateLimit-Limit"); got != strconv.Itoa(limit) {
		t.Errorf("X-RateLimit-Limit is %q, not %d", got, limit)
	}
	if got := r.header.Get("X-RateLimit-Remaining"); got != "0" {
		t.Errorf("X-RateLimit-Remaining is %q", got)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p, "--max-sessions-per-user", "2", "--max-sessions", "3", "--max-commands-per-session", "2", "--max-body-bytes", "2000", "--max-edit-bytes", "3000", "--max-ttl-minutes", "10")
	c, other := newCaller(t, p, srv), newCaller(t, p, srv)

	// However many ask at once, no more than two get one.
	var asking sync.WaitGroup
	replies := make(chan reply, 10)
	for range cap(replies) {
		asking.Go(func() {
			r, err := c.try(t.Context(), "POST", "/sessions", createOf("quick"))
			if err != nil {
				t.Error(err)
			}
			replies <- r
		})
	}
	asking.Wait()
	close(replies)
	var sessions []string
	for r := range replies {
		if r.status == 201 {
			sessions = append(sessions, must[wire.SessionCreated](t, r, 201).SessionID)
			continue
		}
		limited(t, r, assay.CodeTooManySessions, 2)
	}
	if len(sessions) != 2 {
		t.Fatalf("%d sessions were made, with a limit of 2", len(sessions))
	}
	third := other.create(t, "quick")
	refused(t, other.call(t, "POST", "/sessions", createOf("quick")), 429, assay.CodeTooManySessions) // of the server
	other.close(t, third)
	c.close(t, sessions[1])
	c.close(t, c.create(t, "quick")) // there is room again

	s := c.ready(t, sessions[0])
	first, second := c.exec(t, s, "until [ -e flag ]; do sleep 0.02; done"), c.exec(t, s, "until [ -e flag ]; do sleep 0.02; done")
	limited(t, c.call(t, "POST", "/sessions/"+s+"/exec", wire.ExecRequest{Command: "true"}), assay.CodeTooManyCommands, 2)
	touch(t, p, s, "flag")
	c.end(t, s, first)
	c.end(t, s, second)
	c.output(t, s, "true")

	big := strings.Repeat("x", 2500)
	refused(t, c.call(t, "POST", "/sessions/"+s+"/exec", wire.ExecRequest{Command: big}), 413, assay.CodeTooLarge)
	r := c.call(t, "POST", "/sessions/"+s+"/str_replace", wire.ReplaceRequest{FilePath: "version.go", StrToReplace: big, StrToInsert: "x"})
	if got := must[wire.EditResult](t, r, 200); got.Success {
		t.Error("an edit of a string that is not there succeeds")
	}
	r = c.call(t, "POST", "/sessions/"+s+"/str_replace", wire.ReplaceRequest{FilePath: "f", StrToReplace: big + big, StrToInsert: "x"})
	refused(t, r, 413, assay.CodeTooLarge)

	for _, minutes := range []int{0, -1, 11} {
		body := map[string]any{"dataset": "e2e", "sample_id": "quick", "ttl_minutes": minutes}
		if r := c.call(t, "POST", "/sessions", body); r.status != 422 {
			t.Errorf("ttl_minutes %d: %d %s", minutes, r.status, r.body)
		}
	}
}

func TestRateLimits(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p, "--rate-limit-per-address", "1", "--rate-limit-auth-per-minute", "1", "--trusted-proxies", "127.0.0.0/8")
	c := newCaller(t, p, srv)
	nobody, stranger := caller{base: c.base}, caller{base: c.base, key: "ask_wrong"}
	const forwarded, here, there = "X-Forwarded-For", "203.0.113.1", "203.0.113.2"

	// The bucket fills meanwhile, at a pace that requests outrun.
	r := reply{status: 200}
	for n := 0; r.status == 200 && n < 1000; n++ {
		r = nobody.call(t, "GET", "/samples", nil, forwarded, "192.0.2.9, "+here)
	}
	limited(t, r, assay.CodeRateLimited, 2)
	if r := nobody.call(t, "GET", "/samples", nil, forwarded, here+", "+there); r.status != 200 {
		t.Errorf("from another address: %d %s", r.status, r.body)
	}
	for range 10 {
		if r := nobody.call(t, "GET", "/health", nil, forwarded, here); r.status != 200 {
			t.Errorf("health: %d %s", r.status, r.body)
		}
	}
	must[wire.User](t, c.call(t, "GET", "/users/me", nil, forwarded, there), 200)
	for range 10 { // known by now, wherever it is used
		must[wire.User](t, c.call(t, "GET", "/users/me", nil, forwarded, here), 200)
	}
	if r := stranger.call(t, "GET", "/users/me", nil, forwarded, "2001:db8::1"); r.status != 401 {
		t.Errorf("a wrong key: %d %s", r.status, r.body)
	}
}

func TestBodySizes(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	edit := func(size int) reply {
		return c.call(t, "POST", "/sessions/"+s+"/str_replace", wire.ReplaceRequest{FilePath: "f", StrToReplace: "here", StrToInsert: strings.Repeat("x", size)})
	}
	c.output(t, s, "echo here > f")
	if got := must[wire.EditResult](t, edit(15<<20), 200); !got.Success {
		t.Errorf("an edit of 15 MiB: %s", got.Message)
	}
	refused(t, edit(16<<20), 413, assay.CodeTooLarge)
	if got := c.output(t, s, "wc -c < f"); got != strconv.Itoa(15<<20+1)+"\n" {
		t.Errorf("the file has %s bytes", got)
	}
	for _, endpoint := range []string{"/sessions", "/sessions/" + s + "/exec"} {
		refused(t, c.call(t, "POST", endpoint, `{"command":"`+strings.Repeat("x", 1<<20)+`"}`), 413, assay.CodeTooLarge)
	}
	if r := c.call(t, "POST", "/sessions/"+s+"/exec", wire.ExecRequest{Command: ": " + strings.Repeat("x", wire.MaxCommandBytes-2)}); r.status != 202 {
		t.Errorf("the longest command: %d %s", r.status, r.body)
	}
	if r := c.call(t, "POST", "/sessions/"+s+"/exec", wire.ExecRequest{Command: strings.Repeat("x", wire.MaxCommandBytes+1)}); r.status != 422 {
		t.Errorf("a longer command: %d %s", r.status, r.body)
	}
	refused(t, c.call(t, "POST", "/sessions/"+s+"/exec", `{"command":`), 400, assay.CodeInvalid)
}

func TestIdempotencyKeys(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.create(t, "quick", wire.HeaderIdempotencyKey, "session")
	if again := c.create(t, "quick", wire.HeaderIdempotencyKey, "session"); again != s {
		t.Errorf("the same request made %s and %s", s, again)
	}
	refused(t, c.call(t, "POST", "/sessions", createOf("never-runs"), wire.HeaderIdempotencyKey, "session"), 409, assay.CodeConflict)
	c.ready(t, s)
	ids := map[string]bool{}
	for range 3 {
		r := c.call(t, "POST", "/sessions/"+s+"/exec", wire.ExecRequest{Command: "echo once >> file"}, wire.HeaderIdempotencyKey, "command")
		id := must[wire.ExecAccepted](t, r, 202).InteractionID
		c.end(t, s, id)
		ids[id] = true
	}
	if got := c.output(t, s, "cat file"); got != "once\n" || len(ids) != 1 {
		t.Errorf("one command ran as %v and wrote %q", ids, got)
	}
	clear(ids)
	for range 3 {
		r := c.call(t, "POST", "/sessions/"+s+"/verify", nil, wire.HeaderIdempotencyKey, "verification")
		id := must[wire.JobStarted](t, r, 202).JobID
		c.job(t, s, id)
		ids[id] = true
	}
	if len(ids) != 1 {
		t.Errorf("one verification ran as %v", ids)
	}
	c.close(t, s)
}

func TestEndedSessions(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	command := c.exec(t, s, "echo begun; touch begun; sleep 1000")
	appears(t, world.shared, s, "begun")

	// Many close it at once; each gets the same answer.
	var closing sync.WaitGroup
	for range 8 {
		closing.Go(func() {
			if r, err := c.try(t.Context(), "DELETE", "/sessions/"+s, nil); err != nil || r.status != 200 {
				t.Errorf("close: %v %d %s", err, r.status, r.body)
			}
		})
	}
	closing.Wait()
	before := c.close(t, s)
	if again := c.close(t, s); again != before {
		t.Errorf("closing again answers %+v, and before %+v", again, before)
	}
	if got := c.session(t, s); got.Status != assay.SessionClosed || got.Error != nil || *got.DurationSeconds != before.DurationSeconds {
		t.Errorf("the session is %+v", got)
	}
	if in := c.end(t, s, command); *in.ExitCode != assay.ExitUnknown || *in.Success || !strings.Contains(*in.Message, "closed") {
		t.Errorf("the command that was running: %s", show(in))
	}
	for _, req := range requestsTo(s, command, "ver_x") {
		if req.method != "POST" {
			continue
		}
		r := c.call(t, req.method, req.path, req.body)
		refused(t, r, 409, assay.CodeSessionEnded)
		if got := r.header.Get(wire.HeaderShouldRetry); got != "false" {
			t.Errorf("POST %s: X-Should-Retry is %q", req.path, got)
		}
	}
	if err := gone(t, s); err != nil {
		t.Error(err)
	}
}

// gone waits until the host holds nothing for a session of the shared server.
func gone(t *testing.T, session string) error {
	t.Helper()
	for deadline := time.Now().Add(freed); ; pause(20 * time.Millisecond) {
		left, err := world.shared.Leftovers()
		if err != nil {
			return err
		}
		if !strings.Contains(strings.Join(left, "\n"), session) {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.New("the host still holds some of " + session + ": " + strings.Join(left, "\n"))
		}
	}
}

func TestCloseWhileCreating(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	for range 5 {
		s := c.create(t, "quick")
		if r := c.call(t, "POST", "/sessions/"+s+"/exec", wire.ExecRequest{Command: "true"}); r.status != 202 {
			refused(t, r, 409, assay.CodeSessionNotReady)
		}
		c.close(t, s)
		if got := c.session(t, s); got.Status != assay.SessionClosed {
			t.Errorf("a session that was closed while it was made is %s", got.Status)
		}
		if err := gone(t, s); err != nil {
			t.Error(err)
		}
	}
}

// A client that goes away during create, at whatever moment, has made a session that
// it can find and close, or none.
func TestCreateWithoutItsClient(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	for i := range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*500*time.Microsecond)
		_, _ = c.try(ctx, "POST", "/sessions", createOf("quick")) // it fails, or not
		cancel()
	}
	eventually(t, "no session is creating", func() bool {
		return must[wire.SessionList](t, c.call(t, "GET", "/sessions?status=creating", nil), 200).TotalCount == 0
	})
	list := must[wire.SessionList](t, c.call(t, "GET", "/sessions?status=ready", nil), 200)
	for _, s := range list.Sessions {
		c.close(t, s.SessionID)
		if err := gone(t, s.SessionID); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d of 10 requests made a session", list.TotalCount)
}
