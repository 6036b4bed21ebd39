package main

import (
	"os/signal"
	"syscall"

	"assay/internal/app"
)

// guardFrozenCmd is started by a server, and ends with it. It heeds no signal: what asks the
// server to stop, or a terminal that goes, may reach it first.
type guardFrozenCmd struct{}

func (guardFrozenCmd) Run(std stdio) error {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	return app.Guard(std.in)
}
