package oci_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"assay/internal/sandbox"
	"assay/internal/sandbox/sandboxtest"
)

// pinged makes a sandbox that is asked whether it answers.
func pinged(t *testing.T, h host, change func(*sandbox.Spec)) (sandbox.Sandbox, func(patience time.Duration) error) {
	t.Helper()
	s := spec("pinged")
	if change != nil {
		change(&s)
	}
	sb, err := h.runtime(t).Create(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sb.Destroy(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return sb, func(patience time.Duration) error { return sb.(sandbox.Pinger).Ping(t.Context(), patience) }
}

func TestPing(t *testing.T) { onBoth(t, ping) }

func ping(t *testing.T, h host) {
	sb, ping := pinged(t, h, nil)
	if err := ping(time.Minute); err != nil {
		t.Error(err)
	}
	agent := h.initPID(t, sb.Handle())
	if err := unix.Kill(agent, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := ping(200 * time.Millisecond); !errors.Is(err, sandbox.ErrUnreachable) || errors.Is(err, sandbox.ErrGone) {
		t.Errorf("an agent that hangs: %v", err)
	}
	if err := unix.Kill(agent, unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := ping(time.Minute); err != nil {
		t.Errorf("it goes on: %v", err)
	}
	if err := unix.Kill(agent, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if death, err := sb.Wait(t.Context()); err != nil || death != sandbox.DeathLost {
		t.Errorf("it was killed: %q, %v", death, err)
	}
	if err := ping(time.Minute); !errors.Is(err, sandbox.ErrGone) {
		t.Errorf("an agent that was killed: %v", err)
	}
}

// What we freeze ourselves is not silent, however long that takes.
func TestPingOfWhatIsFrozenByUs(t *testing.T) { onBoth(t, pingFrozen) }

func pingFrozen(t *testing.T, h host) {
	sb, ping := pinged(t, h, nil)
	if res, err := sb.Exec(t.Context(), sandbox.Command{ID: "c", Argv: []string{"bash", "-c", "head -c 1m /dev/zero > changed"}}); err != nil || res.Exit.Code != 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	changes := make(chan error, 1)
	go func() {
		limits := sandbox.ChangeLimits{MaxFiles: 10, MaxBytes: 10 << 20}
		changes <- sb.(sandbox.Snapshotter).Changes(t.Context(), sandboxtest.Workdir, limits, w)
		w.Close()
	}()
	if _, err := r.Read(make([]byte, 1)); err != nil { // it is frozen now, and stays so until all is read
		t.Fatal(err)
	}
	const patience = 100 * time.Millisecond
	answer := make(chan error, 1)
	go func() { answer <- ping(patience) }()
	select {
	case err := <-answer:
		t.Errorf("it is frozen, and has answered %v", err)
	case <-time.After(5 * patience):
	}
	if _, err := r.WriteTo(discard{}); err != nil {
		t.Fatal(err)
	}
	if err := <-changes; err != nil {
		t.Error(err)
	}
	if err := <-answer; err != nil {
		t.Errorf("it goes on: %v", err)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// A sandbox in which much runs for little CPU answers, if late.
func TestPingOfWhatWantsForCPU(t *testing.T) {
	sb, ping := pinged(t, newHost(t), func(s *sandbox.Spec) { s.Limits.CPUs = 0.1 })
	const busy = `for i in $(seq 20); do (while :; do :; done) & done; touch /busy; wait`
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		sb.Exec(ctx, sandbox.Command{ID: "busy", Argv: []string{"bash", "-c", busy}}) //nolint:errcheck // it has no end
	}()
	for deadline := time.Now().Add(time.Minute); ; {
		if _, err := sb.Lstat(t.Context(), "/", "busy"); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	for range 3 {
		if err := ping(20 * time.Second); err != nil {
			t.Error(err)
		}
	}
	cancel()
	<-ended
}
