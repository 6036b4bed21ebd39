package session_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"assay"
	"assay/internal/session"
	"assay/internal/telemetry"
)

// heard is an Observer that remembers, and a log.
type heard struct {
	mu  sync.Mutex
	all []string
	log bytes.Buffer
}

func (h *heard) note(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, fmt.Sprintf(format, args...))
}

func (h *heard) SessionCreated(outcome string, _ time.Duration) { h.note("created %s", outcome) }
func (h *heard) SessionEnded(status assay.SessionStatus, reason assay.Code) {
	h.note("ended %s %s", status, reason)
}
func (h *heard) CommandEnded(outcome string, _ time.Duration) { h.note("command %s", outcome) }
func (h *heard) OrphanDestroyed()                             { h.note("orphan") }

// Write takes the log, which several goroutines write to.
func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.Write(p)
}

func (h *heard) heard() ([]string, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.all), h.log.String()
}

func listening(h *heard) func(*session.Config) {
	return func(c *session.Config) {
		c.Observer = h
		c.Log = slog.New(telemetry.LogHandler(slog.NewTextHandler(h, &slog.HandlerOptions{Level: slog.LevelDebug})))
	}
}

func TestEveryEndIsObserved(t *testing.T) {
	h := &heard{}
	f := newFixture(t, listening(h))
	sess := f.ready()
	f.ended(f.exec(sess, "exit 0"))
	f.ended(f.exec(sess, "exit 3"))
	if _, err := f.Close(t.Context(), user, sess.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Terminate(t.Context(), f.ready().ID, assay.Failure{Code: assay.CodeBalanceExhausted}); err != nil {
		t.Fatal(err)
	}
	f.gone()
	got, _ := h.heard()
	for _, want := range []string{"created ready", "command zero", "command nonzero", "ended closed ", "ended terminated balance_exhausted"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q was not observed, but %q", want, got)
		}
	}
}

func TestOrphansAreObserved(t *testing.T) {
	h := &heard{}
	f := newFixture(t, listening(h))
	f.orphan("ses_orphan")
	f.restart()
	eventually(t, func() (struct{}, error) {
		if got, _ := h.heard(); !slices.Equal(got, []string{"orphan"}) {
			return struct{}{}, fmt.Errorf("observed %q, want an orphan", got)
		}
		return struct{}{}, nil
	})
}

func TestWorkInTheBackgroundLogsTheRequestThatItIsFor(t *testing.T) {
	h := &heard{}
	f := newFixture(t, listening(h))
	made, err := f.Create(telemetry.WithRequest(t.Context(), "req_create"), user, session.CreateRequest{Dataset: "d", SampleID: "s", TTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	sess := f.awaited(made, assay.SessionReady)
	if _, err := f.Close(telemetry.WithRequest(t.Context(), "req_close"), user, sess.ID); err != nil {
		t.Fatal(err)
	}
	f.gone()
	_, log := h.heard()
	for message, request := range map[string]string{"sandbox made": "req_create", "session ended": "req_close"} {
		line := log[max(strings.Index(log, `msg="`+message), 0):]
		line, _, _ = strings.Cut(line, "\n")
		if !strings.Contains(line, "request_id="+request) {
			t.Errorf("the line %q does not name %s", line, request)
		}
	}
}

// A server that is stopped as soon as it has started leaves no sandbox behind that nobody owns.
func TestAServerThatStopsAtOnceLeavesNoOrphans(t *testing.T) {
	f := newFixture(t)
	for n := range 30 {
		f.orphan(fmt.Sprint("ses_orphan", n))
	}
	f.restart()
	f.stop(f.Service)()
	if left := f.runtime.Names(); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
