package main

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Exit statuses. "session exec" also passes on the status of the command.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitUnknown     = 125 // as env, timeout and docker run say "it was me, not the command"
	exitInterrupted = 130
)

// usageError is about the command line or the configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// exitError ends the program with a status. Its err, if any, is printed.
type exitError struct {
	status int
	err    error
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

// interrupted is the error of a verb that was asked to end, and says what is left of its work.
// Of err, that it was interrupted is not told twice.
func interrupted(kept string, err error) error {
	text := errors.New("interrupted: " + kept)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return exitError{exitInterrupted, errors.Join(text, err)}
}

// report prints what went wrong and returns the exit status.
func report(w io.Writer, err error) int {
	if err == nil {
		return 0
	}
	var (
		exit  exitError
		usage usageError
	)
	asked := errors.As(err, &exit)
	if !asked || exit.err != nil {
		fmt.Fprintln(w, "assay:", err)
	}
	switch {
	case asked:
		return exit.status
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	default:
		return exitFailed
	}
}
