package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"assay/client/wire"
)

// execRounds and editRounds are how often a command and an edit are measured.
const (
	warmRounds = 20
	execRounds = 500
	editRounds = 300
)

// exec measures the smallest command, POST and held GET, against the fork that cannot be
// spared.
func (b *bench) exec(ctx context.Context) ([]Result, error) {
	session, err := b.open(ctx, anySample)
	if err != nil {
		return nil, err
	}
	c, err := b.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	post := b.request("POST", "/sessions/"+session+"/exec", []byte(`{"command":"true"}`))
	times, err := byTurns(ctx, warmRounds, execRounds,
		timing(func(ctx context.Context) error { return exec.CommandContext(ctx, "bash", "-c", "true").Run() }),
		timing(func(context.Context) error { return b.leanCommand(c, session, post) }),
		timing(func(ctx context.Context) error { return b.command(ctx, session, "true") }))
	if err != nil {
		return nil, err
	}
	return []Result{
		timed("exec of true: POST and held GET / fork and exec of bash -c true", times[0], times[1]).atMostTimes(1.5),
		timed("exec of true through the Go client / fork and exec of bash -c true", times[0], times[2]),
	}, b.close(ctx, session)
}

// leanCommand makes the POST of a command and the held GET of its end.
func (b *bench) leanCommand(c *conn, session string, post []byte) error {
	answer, err := c.ask(post, http.StatusAccepted)
	if err != nil {
		return err
	}
	var started wire.ExecAccepted
	if err := json.Unmarshal(answer, &started); err != nil {
		return err
	}
	answer, err = c.ask(b.request("GET", "/sessions/"+session+"/interactions/"+started.InteractionID+"?wait=50", nil), http.StatusOK)
	if err != nil {
		return err
	}
	var ended wire.Interaction
	if err := json.Unmarshal(answer, &ended); err != nil {
		return err
	}
	if ended.ExitCode == nil || *ended.ExitCode != 0 {
		return fmt.Errorf("a command did not succeed: %s", answer)
	}
	return nil
}

// editedBytes is the size of the edited file.
const editedBytes = 100_000

// edit measures str_replace against the write of the same file that cannot be spared.
func (b *bench) edit(ctx context.Context) ([]Result, error) {
	session, err := b.open(ctx, anySample)
	if err != nil {
		return nil, err
	}
	content := bytes.Repeat([]byte("the quick brown fox jumps over the lazy dog\n"), editedBytes/44)
	if err := b.command(ctx, session, `{ for i in {1..2272}; do echo "the quick brown fox jumps over the lazy dog"; done; echo "edit 0."; } > edited`); err != nil {
		return nil, err
	}
	name := filepath.Join(b.dir, "edited")
	n := 0
	times, err := byTurns(ctx, warmRounds, editRounds,
		timing(func(context.Context) error {
			if err := os.WriteFile(name+".new", content, 0o600); err != nil {
				return err
			}
			return os.Rename(name+".new", name)
		}),
		timing(func(ctx context.Context) error {
			n++
			edited, err := b.api.Replace(ctx, session, wire.ReplaceRequest{
				FilePath: "edited", StrToReplace: fmt.Sprintf("edit %d.", n-1), StrToInsert: fmt.Sprintf("edit %d.", n),
			})
			if err == nil && !edited.Success {
				err = fmt.Errorf("edit %d: %s", n, edited.Message)
			}
			return err
		}))
	if err != nil {
		return nil, err
	}
	return []Result{timed("str_replace in a 100 KB file / write and rename on the host", times[0], times[1]).atMostMore(2)},
		b.close(ctx, session)
}

// command runs a command that must exit with 0.
func (b *bench) command(ctx context.Context, session, command string) error {
	_, err := b.commandTime(ctx, session, command)
	return err
}

// commandTime is command, and returns the time that the command took in the sandbox.
func (b *bench) commandTime(ctx context.Context, session, command string) (time.Duration, error) {
	in, err := b.api.ExecWait(ctx, session, wire.ExecRequest{Command: command})
	if err != nil {
		return 0, err
	}
	if in.ExitCode == nil || *in.ExitCode != 0 || in.ExecutionTimeSeconds == nil {
		said := ""
		if in.Stdout != nil && in.Stderr != nil {
			said = strings.TrimSpace(*in.Stdout + *in.Stderr)
		}
		return 0, fmt.Errorf("a command did not succeed: %s: %s", command, said)
	}
	return time.Duration(*in.ExecutionTimeSeconds * float64(time.Second)), nil
}
