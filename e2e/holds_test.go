package e2e_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"assay/client/wire"
)

// How long a GET is held when nothing happens.
func TestHolds(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	c.output(t, s, "echo 8 > pause")
	const slack = 1500 * time.Millisecond // the machine has other work
	tests := []struct {
		name, query string
		headers     []string
		least, most time.Duration
		applied     string
	}{
		{name: "first", least: 5 * time.Second, most: 5 * time.Second},
		{name: "wait=0", query: "?wait=0", most: 0},
		{name: "wait=2", query: "?wait=2", least: 2 * time.Second, most: 2 * time.Second},
		{name: "Prefer", headers: []string{"Prefer", "respond-async, wait=1"}, least: time.Second, most: time.Second, applied: "wait=1"},
		{name: "Prefer wait=0", headers: []string{"Prefer", "wait=0"}, most: 0, applied: "wait=0"},
		{name: "wait before Prefer", query: "?wait=0", headers: []string{"Prefer", "wait=9"}, most: 0},
		{name: "half of the read timeout", headers: []string{"X-Stainless-Read-Timeout", "3"}, least: 1500 * time.Millisecond, most: 1500 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			command := c.exec(t, s, "sleep 1000")
			r := c.call(t, "GET", "/sessions/"+s+"/interactions/"+command+tt.query, nil, tt.headers...)
			if in := must[wire.Interaction](t, r, 200); in.Final() {
				t.Errorf("the command has ended: %s", show(in))
			}
			if r.took < tt.least || r.took > tt.most+slack {
				t.Errorf("held for %s, not from %s to %s", r.took, tt.least, tt.most)
			}
			if got := r.header.Get(wire.HeaderPreferenceApplied); got != tt.applied {
				t.Errorf("Preference-Applied is %q, not %q", got, tt.applied)
			}
		})
	}
	t.Run("verification", func(t *testing.T) {
		t.Parallel()
		id := c.verify(t, s)
		r := c.call(t, "GET", "/sessions/"+s+"/verify/"+id, nil)
		if j := must[wire.Job](t, r, 200); j.Final() || r.took < 5*time.Second || r.took > 5*time.Second+slack {
			t.Errorf("the first GET of a verification was held for %s: %s", r.took, j.Status)
		}
		// The second waits for the end, longer than the first may.
		r = c.call(t, "GET", "/sessions/"+s+"/verify/"+id, nil)
		if j := must[wire.Job](t, r, 200); !j.Final() {
			t.Errorf("the second GET of a verification was held for %s: %s", r.took, j.Status)
		}
	})
	for _, bad := range []string{"?wait=-1", "?wait=61", "?wait=x"} {
		if r := c.call(t, "GET", "/sessions/"+s+bad, nil); r.status != 422 {
			t.Errorf("GET with %s: %d %s", bad, r.status, r.body)
		}
	}
}

// Many wait for one thing, and all hear of it at once.
func TestManyHolds(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	command := c.exec(t, s, "until [ -e flag ]; do sleep 0.01; done; echo seen")
	const many = 100
	ends := make([]time.Time, many)
	var waiting sync.WaitGroup
	for i := range many {
		waiting.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			r, err := c.try(ctx, "GET", "/sessions/"+s+"/interactions/"+command+"?wait=50", nil)
			ends[i] = time.Now()
			var in wire.Interaction
			if err == nil {
				err = json.Unmarshal(r.body, &in)
			}
			if err != nil || !in.Final() || *in.Stdout != "seen\n" {
				t.Errorf("hold %d: %v %d %s", i, err, r.status, r.body)
			}
		})
	}
	if r := c.call(t, "GET", "/health", nil); r.status != 200 || r.took > 5*time.Second {
		t.Errorf("health while %d wait: %d after %s", many, r.status, r.took)
	}
	released := time.Now()
	c.output(t, s, "touch flag")
	waiting.Wait()
	var last time.Time
	for _, end := range ends {
		if end.After(last) {
			last = end
		}
	}
	if took := last.Sub(released); took > 5*time.Second {
		t.Errorf("the last of %d heard after %s", many, took)
	}
}

// The Python SDK below 0.4.0 knows no interactions: its exec is one call.
func TestOldSDK(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	old := []string{"User-Agent", "Codeset/Python 0.3.0", "X-Stainless-Lang", "python", "X-Stainless-Package-Version", "0.3.0"}
	r := c.call(t, "POST", "/sessions/"+s+"/exec", map[string]any{"command": "sleep 0.3; echo out; echo err >&2; exit 3", "timeout": 20}, old...)
	got := must[wire.ExecAccepted](t, r, 202)
	if got.ExitCode == nil || *got.ExitCode != 3 || *got.Stdout != "out\n" || *got.Stderr != "err\n" || *got.ExecutionTimeSeconds < 0.3 {
		t.Errorf("the old SDK is answered by %s", r.body)
	}
	old[5] = "0.4.0"
	r = c.call(t, "POST", "/sessions/"+s+"/exec", map[string]any{"command": "sleep 1000"}, old...)
	if got := must[wire.ExecAccepted](t, r, 202); got.ExitCode != nil || r.took > 5*time.Second {
		t.Errorf("SDK 0.4.0 is answered by %s after %s", r.body, r.took)
	}
}
