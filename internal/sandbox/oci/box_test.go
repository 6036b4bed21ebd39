package oci

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"assay/internal/image"
	"assay/internal/sandbox"
)

// What the host can tell of a death that the agent did not announce.
func TestExplain(t *testing.T) {
	for name, c := range map[string]struct {
		said      sandbox.Death
		destroyed bool
		known     int64 // kills for memory that commands account for; there were 2
		left      time.Duration
		want      sandbox.Death
	}{
		"it said so":                      {said: sandbox.DeathExpired, known: 2, left: time.Hour, want: sandbox.DeathExpired},
		"it said so, and was destroyed":   {said: sandbox.DeathExpired, destroyed: true, known: 2, left: time.Hour, want: sandbox.DeathExpired},
		"destroyed":                       {said: sandbox.DeathLost, destroyed: true, known: 1, left: -time.Hour, want: sandbox.DeathDestroyed},
		"killed for memory":               {said: sandbox.DeathLost, known: 1, left: time.Hour, want: sandbox.DeathOOM},
		"expired while nobody listened":   {said: sandbox.DeathLost, known: 2, left: -time.Second, want: sandbox.DeathExpired},
		"nobody knows":                    {said: sandbox.DeathLost, known: 2, left: time.Hour, want: sandbox.DeathLost},
		"killed for memory, then expired": {said: sandbox.DeathLost, known: 0, left: -time.Second, want: sandbox.DeathOOM},
	} {
		t.Run(name, func(t *testing.T) {
			rt := &Runtime{cfg: Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)}, cgroups: layouts(t)["version 2"]}
			st := state{Handle: sandbox.Handle{ID: "box", Deadline: time.Now().Add(c.left)}, OOMKills: c.known}
			p := rt.places("box")
			if err := os.MkdirAll(p.dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p.state(), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if c.destroyed {
				if err := os.WriteFile(p.destroyed(), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := newSandbox(rt, st).explain(c.said); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestInside(t *testing.T) {
	for id, want := range map[uint32]int{999: nobody, 1000: 0, 1001: 1, 1099: 99, 1100: nobody, 0: nobody, 1<<32 - 1: nobody} {
		if got := inside(id, 1000, 100); got != want {
			t.Errorf("id %d: %d, want %d", id, got, want)
		}
	}
}

func TestProcessIsKnownByItsStart(t *testing.T) {
	self, err := findProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if !lives(t, self) {
		t.Error("this process is not alive")
	}
	for what, other := range map[string]process{
		"another start": {PID: self.PID, Start: self.Start + 1, Boot: self.Boot},
		"another boot":  {PID: self.PID, Start: self.Start, Boot: "x"},
		"no process":    {},
	} {
		if lives(t, other) {
			t.Errorf("%s: alive", what)
		}
	}
}

// A disk is cloned without its holes, and a size is formatted once.
func TestDisks(t *testing.T) {
	dir := t.TempDir()
	d := newDisks(dir, image.IDShift{UIDBase: 1, GIDBase: 1, Size: 1})
	for _, name := range []string{"a", "b"} {
		path := filepath.Join(dir, name)
		if err := d.create(t.Context(), path, 1<<30); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Size() != 1<<30 {
			t.Errorf("size: %v, %v", info, err)
		}
		if used := allocated(t, path); used > 8<<20 {
			t.Errorf("a fresh disk takes %d bytes", used)
		}
	}
	if formatted, err := filepath.Glob(dir + "/*.ext4"); err != nil || len(formatted) != 1 {
		t.Errorf("formatted: %v, %v", formatted, err)
	}
	if err := d.create(t.Context(), filepath.Join(dir, "a"), 1<<30); err == nil {
		t.Error("a disk was replaced")
	}
}

func lives(t *testing.T, p process) bool {
	t.Helper()
	alive, err := p.alive()
	if err != nil {
		t.Fatal(err)
	}
	return alive
}
