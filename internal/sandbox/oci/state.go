package oci

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"assay/internal/sandbox"
)

var idPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

func checkID(id string) error {
	if !idPattern.MatchString(id) {
		return fmt.Errorf("%q is no name for a sandbox: it takes lower-case letters, digits, '-' and '_', 64 at most, first a letter or digit", id)
	}
	return nil
}

// places are the paths of one sandbox.
type places struct {
	dir     string
	runtime string // of the runtime binary
	run     string // has the mounts
}

func (rt *Runtime) places(id string) places {
	return places{
		dir:     filepath.Join(rt.cfg.Dir, "sandboxes", id),
		runtime: filepath.Join(rt.runtimeRoot(), id),
		run:     filepath.Join(rt.cfg.RunDir, id),
	}
}

func (rt *Runtime) runtimeRoot() string { return filepath.Join(rt.cfg.Dir, "runtime") }

func (p places) state() string     { return filepath.Join(p.dir, "state.json") }
func (p places) image() string     { return filepath.Join(p.dir, "disk.img") }
func (p places) disk() string      { return filepath.Join(p.run, "disk") }
func (p places) upper() string     { return filepath.Join(p.run, "disk", "upper") }
func (p places) rootfs() string    { return filepath.Join(p.run, "root") }
func (p places) bundle() string    { return filepath.Join(p.dir, "bundle") }
func (p places) pidFile() string   { return filepath.Join(p.dir, "pid") }
func (p places) socket() string    { return filepath.Join(p.dir, "agent.sock") }
func (p places) agentLog() string  { return filepath.Join(p.dir, "agent.log") }
func (p places) destroyed() string { return filepath.Join(p.dir, "destroyed") }

// state is state.json. It need not survive a crash of the host: the sandbox does not.
type state struct {
	Handle   sandbox.Handle `json:"handle"`
	Init     process        `json:"init"`      // zero until the sandbox has started
	OOMKills int64          `json:"oom_kills"` // that are accounted for by commands that have ended
	Lowers   []string       `json:"lowers"`    // the directories of the image's layers, topmost first
}

func (p places) readState() (state, error) {
	var s state
	content, err := os.ReadFile(p.state())
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(content, &s); err != nil {
		return s, fmt.Errorf("read %s: %w", p.state(), err)
	}
	return s, nil
}

// writeState replaces state.json at once.
func (p places) writeState(s state) error {
	content, err := json.Marshal(s)
	if err != nil {
		return err
	}
	tmp := p.state() + ".new"
	if err := os.WriteFile(tmp, content, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, p.state())
}

// wasDestroyed is isDestroyed for a sandbox that had a state, at any moment of Destroy: that
// removes the state before the mark.
func (p places) wasDestroyed() bool {
	if p.isDestroyed() {
		return true
	}
	_, err := os.Lstat(p.state())
	return errors.Is(err, fs.ErrNotExist)
}

// isDestroyed tells whether Destroy has begun or is over.
func (p places) isDestroyed() bool {
	if _, err := os.Lstat(p.dir); errors.Is(err, fs.ErrNotExist) {
		return true
	}
	_, err := os.Lstat(p.destroyed())
	return err == nil
}
