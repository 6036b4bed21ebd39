package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"assay"
	"assay/client/wire"
)

type sessionExecCmd struct {
	serverFlags
	Session string   `arg:"" help:"Id of the session."`
	Command []string `arg:"" help:"What bash -c is to run; several words are joined with blanks."`
	Timeout int      `default:"300" placeholder:"SECONDS" help:"When the command and all it started are killed, with status 124 (300)."`
}

func (*sessionExecCmd) Help() string {
	return `Runs the command in the work tree, waits for its end, and prints what it wrote. The exit status is that of the
command; it is 125 when the command could not be run or its end was not seen, and then standard error says why.
Put -- before a command that has flags.

    assay session exec ses_... -- 'go test ./... | tail -5'
    assay session exec ses_... --timeout 60 -- git log --oneline`
}

func (c *sessionExecCmd) Run(ctx context.Context, std stdio) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	started, err := api.Exec(ctx, c.Session, wire.ExecRequest{Command: strings.Join(c.Command, " "), CommandTimeout: wire.Integer(c.Timeout)})
	if err != nil {
		return unknown(fmt.Errorf("run the command: %w", err))
	}
	in, err := api.WaitInteraction(ctx, c.Session, started.InteractionID)
	if err != nil {
		return unknown(fmt.Errorf("wait for command %s, which goes on: %w", started.InteractionID, err))
	}
	if c.JSON {
		err = writeJSON(std.out, in)
	} else {
		err = showOutput(std, in)
	}
	if err != nil {
		return unknown(err)
	}
	return ended(in)
}

// showOutput prints what a command wrote where it wrote it.
func showOutput(std stdio, in *wire.Interaction) error {
	if in.Stdout != nil {
		if _, err := fmt.Fprint(std.out, *in.Stdout); err != nil {
			return err
		}
	}
	if in.Stderr != nil {
		fmt.Fprint(std.err, *in.Stderr)
	}
	for _, s := range []struct {
		name string
		cut  bool
		size int64
	}{
		{"output", in.StdoutTruncated, in.StdoutBytes},
		{"error output", in.StderrTruncated, in.StderrBytes},
	} {
		if s.cut {
			fmt.Fprintf(std.err, "assay: of %d bytes of %s the first and the last are shown\n", s.size, s.name)
		}
	}
	return nil
}

// ended turns the end of a command into that of the program.
func ended(in *wire.Interaction) error {
	message := ""
	if in.Message != nil {
		message = *in.Message
	}
	if in.Status != assay.InteractionCompleted || in.ExitCode == nil || *in.ExitCode == assay.ExitUnknown {
		return unknown(fmt.Errorf("the end of the command was not seen: %s", message))
	}
	if *in.ExitCode == 0 {
		return nil
	}
	e := exitError{status: *in.ExitCode}
	if message != "" {
		e.err = errors.New(message)
	}
	return e
}

// unknown ends the program with the status that says that there is no answer. An
// interrupt keeps its own.
func unknown(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return exitError{exitUnknown, err}
}
