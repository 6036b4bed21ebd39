// Package agent reaches the guest agent: the program that is PID 1 of every
// sandbox, runs its commands and moves its files. Client is used by the runtimes;
// the agent itself is package agent/guest and cmd/assay-agent.
//
// # How a runtime starts an agent
//
//  1. l, err := agent.Listen(path): a unix socket that only the host can see.
//  2. Start the agent's binary as PID 1 of a new PID namespace, with l as file
//     descriptor 3 and Config.Encode() in the variable ConfigEnv. It needs /proc
//     and, to kill commands that change their user id, CAP_KILL. Its binary should
//     be executable but not readable in the sandbox (mode 0711).
//  3. l.Close(). The agent must hold the only copy, so that a dead agent refuses
//     connections: that is how its death is known.
//  4. NewClient(path). A process that is started later does the same and has the
//     sandbox back, with its running commands (Client.Attach).
//
// The agent ends itself at Config.Deadline with ExitExpired, nobody watching.
package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"assay/agent/internal/wire"
)

// Protocol is the version of the wire contract that this code speaks.
const Protocol = wire.Protocol

// ConfigEnv is the environment variable in which the agent finds its Config.
// Commands never see it.
const ConfigEnv = "ASSAY_AGENT_CONFIG"

// ListenFD is the file descriptor of the listening socket that the agent inherits.
const ListenFD = 3

// Exit statuses of the agent.
const (
	ExitFault   = 70 // it could not go on; standard error says why
	ExitConfig  = 78 // it could not start with this Config, or not as PID 1
	ExitExpired = 86 // the sandbox's deadline passed
)

// DefaultMaxRunning is how many commands run at once unless Config says otherwise.
const DefaultMaxRunning = 64

// Config is what an agent is started with.
type Config struct {
	Protocol int    `json:"protocol"` // Protocol; filled by Encode
	Sandbox  string `json:"sandbox"`  // id, returned by Hello
	Workdir  string `json:"workdir"`  // absolute; relative paths and commands start here
	// Env is the whole environment of commands, to which Command.Env adds.
	Env map[string]string `json:"env,omitempty"`
	// Deadline is when the agent kills everything and exits. The agent does not
	// compare it with its clock, which may be set: it counts Remaining down on
	// CLOCK_BOOTTIME.
	Deadline time.Time `json:"deadline"`
	// RemainingMS is the time left to Deadline when the agent starts, in
	// milliseconds; at least 1.
	RemainingMS int64 `json:"remaining_ms"`
	MaxRunning  int   `json:"max_running,omitempty"` // commands at once; defaults to DefaultMaxRunning
	// Listen is a path where the agent makes its socket when it inherits none as
	// ListenFD (a runtime that passes no descriptors). The directory should be
	// reachable by nothing else in the sandbox. Defaults to none.
	Listen string `json:"listen,omitempty"`
	// SpoolDir is an absolute directory on the disk on which outputs are kept
	// (Command.Spool). Nothing stays in it. Defaults to "/".
	SpoolDir string `json:"spool_dir,omitempty"`
}

// maxConfig is what the kernel takes as one string of an environment
// (MAX_ARG_STRLEN, execve(2)), less the variable's name.
const maxConfig = 128<<10 - len(ConfigEnv) - 2

// Encode makes the value of ConfigEnv. It fails when the Config is not valid or
// larger than an environment variable can be (128 KiB).
func (c Config) Encode() (string, error) {
	c.Protocol = Protocol
	if err := c.validate(); err != nil {
		return "", fmt.Errorf("encode agent config: %w", err)
	}
	p, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encode agent config: %w", err)
	}
	if len(p) > maxConfig {
		return "", fmt.Errorf("encode agent config: %d bytes, at most %d can be passed; make the environment smaller", len(p), maxConfig)
	}
	return string(p), nil
}

// ParseConfig reads the value of ConfigEnv.
func ParseConfig(s string) (Config, error) {
	var c Config
	if s == "" {
		return c, fmt.Errorf("read agent config: %s is not set", ConfigEnv)
	}
	if err := json.Unmarshal([]byte(s), &c); err != nil {
		return c, fmt.Errorf("read agent config: %w", err)
	}
	if c.MaxRunning == 0 {
		c.MaxRunning = DefaultMaxRunning
	}
	if c.SpoolDir == "" {
		c.SpoolDir = "/"
	}
	if err := c.validate(); err != nil {
		return c, fmt.Errorf("read agent config: %w", err)
	}
	return c, nil
}

func (c Config) validate() error {
	switch {
	case c.Protocol != Protocol:
		return fmt.Errorf("protocol %d, this agent speaks %d", c.Protocol, Protocol)
	case c.Sandbox == "":
		return errors.New("no sandbox id")
	case !path.IsAbs(c.Workdir):
		return fmt.Errorf("workdir %q is not absolute", c.Workdir)
	case c.Deadline.IsZero() || c.RemainingMS < 1:
		return errors.New("no deadline, or it has passed")
	case c.MaxRunning < 0:
		return errors.New("max_running is negative")
	case c.Listen != "" && !path.IsAbs(c.Listen):
		return fmt.Errorf("listen %q is not absolute", c.Listen)
	case c.SpoolDir != "" && !path.IsAbs(c.SpoolDir):
		return fmt.Errorf("spool_dir %q is not absolute", c.SpoolDir)
	}
	for k, v := range c.Env {
		if k == "" || strings.ContainsAny(k, "=\x00") || strings.ContainsRune(v, 0) {
			return fmt.Errorf("environment variable %q cannot be set", k)
		}
	}
	return nil
}

// Hello is who answers on an agent's socket.
type Hello struct {
	Protocol  int
	Version   string // of the agent's build, for people to read
	Sandbox   string // Config.Sandbox
	StartedAt time.Time
}
