package session

import (
	"context"
	"errors"
	"testing"
	"time"

	"assay/internal/sandbox"
)

// meteredBox is a sandbox of which is known what it used, while it lives.
type meteredBox struct {
	sandbox.Sandbox
	used time.Duration
	dead bool
}

func (b *meteredBox) Stats(context.Context) (sandbox.Stats, error) {
	if b.dead {
		return sandbox.Stats{}, errors.New("it has no cgroup any more")
	}
	return sandbox.Stats{CPU: b.used}, nil
}

// What the sessions of a user have used does not go with them: who starves his own suite
// would only have to close them before it ends.
func TestCPUOfSessionsThatAreGoneIsStillTold(t *testing.T) {
	s := New(Config{})
	expect := func(when string, want time.Duration) {
		t.Helper()
		if got := s.CPU(t.Context(), "ada"); got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	first, second := &meteredBox{used: time.Minute}, &meteredBox{used: time.Hour}
	s.live["ses_1"] = &live{userID: "ada", box: first}
	s.live["ses_2"] = &live{userID: "ada", box: second}
	s.live["ses_3"] = &live{userID: "bob", box: &meteredBox{used: time.Second}}
	s.live["ses_4"] = &live{userID: "ada"} // is being made
	expect("two live", time.Hour+time.Minute)

	first.used = 2 * time.Minute
	s.account(t.Context(), s.live["ses_1"])
	first.dead = true
	expect("one is being freed", time.Hour+2*time.Minute)
	delete(s.live, "ses_1")
	expect("one is gone", time.Hour+2*time.Minute)

	second.dead = true
	expect("one has died", time.Hour+2*time.Minute)
	s.account(t.Context(), s.live["ses_2"])
	delete(s.live, "ses_2")
	expect("both are gone", time.Hour+2*time.Minute)
}
