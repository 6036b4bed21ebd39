package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"assay/client/wire"
)

type sessionEditCmd struct {
	serverFlags
	Session string  `arg:"" help:"Id of the session."`
	File    string  `arg:"" help:"File to edit; a relative path starts at the work tree."`
	Old     *string `placeholder:"TEXT" xor:"old" help:"What to replace. It must occur exactly once."`
	OldFile string  `name:"old-file" placeholder:"FILE" xor:"old" help:"File that holds it, - for standard input."`
	New     *string `placeholder:"TEXT" xor:"new" help:"What to put in its place."`
	NewFile string  `name:"new-file" placeholder:"FILE" xor:"new" help:"File that holds it, - for standard input."`
}

func (*sessionEditCmd) Help() string {
	return `Fails with status 1 when the text does not occur, or more than once; the message says in which lines.

    assay session edit ses_... version.go --old 'major > 0' --new 'major >= 0'
    assay session edit ses_... version.go --old-file before.txt --new-file - < after.txt`
}

// maxEditInput bounds what is read from a file or standard input. The server has a
// bound of its own.
const maxEditInput = 64 << 20

func (c *sessionEditCmd) Run(ctx context.Context, std stdio) error {
	if c.OldFile == "-" && c.NewFile == "-" {
		return usageError{errors.New("--old-file and --new-file: only one of them can be standard input")}
	}
	before, err := textOf(std, "old", c.Old, c.OldFile)
	if err != nil {
		return err
	}
	after, err := textOf(std, "new", c.New, c.NewFile)
	if err != nil {
		return err
	}
	api, err := c.client()
	if err != nil {
		return err
	}
	result, err := api.Replace(ctx, c.Session, wire.ReplaceRequest{FilePath: c.File, StrToReplace: before, StrToInsert: after})
	if err != nil {
		return fmt.Errorf("edit %s: %w", c.File, err)
	}
	if c.JSON {
		if err := writeJSON(std.out, result); err != nil {
			return err
		}
	}
	if !result.Success {
		return fmt.Errorf("edit %s: %s", c.File, result.Message)
	}
	if !c.JSON {
		fmt.Fprintln(std.out, result.Message)
	}
	return nil
}

// textOf returns a text that is given on the command line or in a file.
func textOf(std stdio, flag string, text *string, file string) (string, error) {
	switch {
	case text != nil:
		return *text, nil
	case file == "":
		return "", usageError{fmt.Errorf("missing --%s or --%s-file; see assay session edit --help", flag, flag)}
	case file == "-":
		return readText(std.in, "standard input")
	}
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("read --%s-file: %w", flag, err)
	}
	defer f.Close()
	return readText(f, file)
}

func readText(r io.Reader, name string) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxEditInput+1))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	if len(text) > maxEditInput {
		return "", fmt.Errorf("read %s: it is larger than %d MiB", name, maxEditInput>>20)
	}
	return string(text), nil
}
