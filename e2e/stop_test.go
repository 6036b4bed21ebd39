package e2e_test

import (
	"context"
	"testing"
	"time"

	"assay"
	"assay/client/wire"
)

func TestGracefulStop(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p)
	c := newCaller(t, p, srv)
	s := c.ready(t, c.create(t, "quick"))
	command := c.exec(t, s, "echo begun; until [ -e flag ]; do sleep 0.02; done; echo ended")

	type answer struct {
		reply
		err error
	}
	held := make(chan answer, 1)
	go func() {
		r, err := c.try(context.Background(), "GET", "/sessions/"+s+"/interactions/"+command+"?wait=60", nil)
		held <- answer{r, err}
	}()
	select {
	case a := <-held:
		t.Fatalf("the GET was not held: %d %s %v", a.status, a.body, a.err)
	case <-time.After(300 * time.Millisecond): // long enough to be held; else it is answered as well
	}
	making := c.create(t, "quick")
	began := time.Now()
	if err := srv.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the stop took %s with nothing to wait for", took)
	}
	a := <-held
	if a.err != nil {
		t.Fatalf("the held GET: %v", a.err)
	}
	if in := must[wire.Interaction](t, a.reply, 200); in.Status != assay.InteractionProcessing || in.ExitCode != nil {
		t.Errorf("the held GET answers %s", show(in))
	}
	if len(processes(t, p, s)) == 0 {
		t.Error("the sandbox does not live on")
	}

	srv = start(t, p, "--destroy-on-exit")
	c = c.at(srv)
	touch(t, p, s, "flag")
	if in := c.end(t, s, command); *in.Stdout != "begun\nended\n" || *in.ExitCode != 0 {
		t.Errorf("the command that was running: %s", show(in))
	}
	if got := c.session(t, making); got.Status != assay.SessionReady {
		t.Errorf("the session that was being made is %s: %+v", got.Status, got.Error)
	}
	command = c.exec(t, s, "sleep 1000")
	if err := srv.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	// Mount namespaces that other servers' sandboxes were just made in may hold a
	// disk for a moment longer.
	if err := nothingLeft(p); err != nil {
		t.Errorf("--destroy-on-exit: %v", err)
	}

	srv = start(t, p)
	c = c.at(srv)
	got := c.session(t, s)
	if got.Status != assay.SessionTerminated || got.Error == nil || got.Error.Code != string(assay.CodeOperator) {
		t.Errorf("the session is %s: %+v", got.Status, got.Error)
	}
	if in := c.end(t, s, command); *in.ExitCode != assay.ExitUnknown || *in.Success {
		t.Errorf("the command of a destroyed session: %s", show(in))
	}
}

// A stop waits for verifications, refuses new work meanwhile, and leaves what does
// not end in time to the next start.
func TestStopDuringVerification(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p)
	c := newCaller(t, p, srv)
	s := c.ready(t, c.create(t, "quick"))
	begin := func(pause string) string {
		c.output(t, s, "echo yes > answer; echo "+pause+" > pause")
		id := c.verify(t, s)
		eventually(t, "the suite runs", func() bool {
			r := c.call(t, "GET", "/sessions/"+s+"/verify/"+id+"?wait=0", nil)
			return must[wire.Job](t, r, 200).Status == assay.VerificationRunning
		})
		return id
	}
	short := begin("2")
	stopped := make(chan error, 1)
	go func() { stopped <- srv.Stop() }()
	for refusals := 0; refusals == 0; {
		r, err := c.try(t.Context(), "POST", "/sessions/"+s+"/exec", wire.ExecRequest{Command: "true"})
		switch {
		case err != nil: // nobody listens any more
			refusals++
		case r.status == 503 && r.header.Get("Retry-After") != "":
			refusals++
		case r.status != 202:
			t.Fatalf("new work is answered by %d %s", r.status, r.body)
		}
	}
	select {
	case err := <-stopped:
		t.Errorf("the stop does not wait for the verification: %v", err)
	default:
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}

	srv = start(t, p, "--shutdown-timeout", "1s")
	c = c.at(srv)
	if j := must[wire.Job](t, c.call(t, "GET", "/sessions/"+s+"/verify/"+short+"?wait=0", nil), 200); j.Result == nil || !j.Result.IsSuccess {
		t.Errorf("the verification that the stop waited for is %s: %+v", j.Status, j.Error)
	}
	long := begin("3")
	began := time.Now()
	if err := srv.Stop(); err != nil {
		t.Errorf("a stop that ran out of time: %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the stop took %s, with a bound of 1 s", took)
	}
	srv = start(t, p)
	c = c.at(srv)
	if j := c.job(t, s, long); j.Result == nil || !j.Result.IsSuccess {
		t.Errorf("the verification that the stop cut short is %s: %+v", j.Status, j.Error)
	}
}
