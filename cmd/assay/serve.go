package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/alecthomas/kong"

	"assay/internal/app"
)

type serveCmd struct {
	configFlags
}

func (*serveCmd) Help() string {
	return `Runs until SIGINT or SIGTERM, which let it finish what it does (--shutdown-timeout); a second one ends it at
once. "assay is listening on URL" on standard output says that it answers; the log goes to standard error.

    assay serve --data-dir /var/lib/assay
    assay serve --listen :443 --tls-cert cert.pem --tls-key key.pem`
}

func (c *serveCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	s, err := c.load(parsed)
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, s.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return a.Serve(ctx, func(url string) { fmt.Fprintln(std.out, "assay is listening on", url) })
}
