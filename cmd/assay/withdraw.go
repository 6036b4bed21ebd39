package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/alecthomas/kong"
)

type verdictWithdrawCmd struct {
	localFlags
	Verification string `arg:"" help:"Id of the verification (ver_...)."`
	Reason       string `required:"" placeholder:"TEXT" help:"Why, in a sentence that its user will read."`
}

func (*verdictWithdrawCmd) Help() string {
	return `For a verdict that turned out to be wrong, such as one that was forged. Nothing is changed of it or of what was signed;
but the verification tells "withdrawn" with the reason from now on, "assay verdict check" refuses its envelope when it
asks the server, and it stands for no other verdict on the same work. It is in the audit log, and cannot be undone.

    assay verdict withdraw ver_... --reason "the patch reads the test file and answers what that expects"`
}

func (c *verdictWithdrawCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	a, err := c.openExisting(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := a.WithdrawVerdict(ctx, c.Verification, c.Reason); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s: the verdict is withdrawn\n", c.Verification)
	return err
}
