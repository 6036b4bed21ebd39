package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kong"

	"assay/internal/app"
)

type migrateCmd struct {
	localFlags
	Check bool `help:"Change nothing; tell whether the schema is current."`
}

func (*migrateCmd) Help() string {
	return `All other verbs do this by themselves. Here it can be done apart from them: while another server still
runs, or as a role of PostgreSQL that may change the schema. With --check the exit status is 0 when there is
nothing to do, and 1 when there is.

    assay migrate --check || assay migrate`
}

func (c *migrateCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) error {
	s, err := loadSettings(c.File, c.config(), parsed)
	if err != nil {
		return err
	}
	if c.Check {
		return checkSchema(ctx, s.Config, std)
	}
	if s.Source["log_level"] == "default" {
		s.Config.LogLevel = "warn" // what was done is said here
	}
	before, err := app.MigrateSchema(ctx, s.Config)
	switch {
	case err != nil:
		return err
	case before.Current:
		_, err = fmt.Fprintf(std.out, "The schema is current: version %d.\n", before.Knows)
	case before.Has == before.Knows:
		_, err = fmt.Fprintf(std.out, "Migrated the tables of the job queue; the schema is at version %d.\n", before.Knows)
	default:
		_, err = fmt.Fprintf(std.out, "Migrated from version %d to %d.\n", before.Has, before.Knows)
	}
	return err
}

func checkSchema(ctx context.Context, cfg app.Config, std stdio) error {
	schema, err := app.CheckSchema(ctx, cfg)
	if err == nil && cfg.DatabaseURL == "" {
		err = app.CheckBelonging(ctx, cfg)
	}
	switch {
	case err != nil:
		return err
	case schema.Has > schema.Knows:
		return fmt.Errorf("the schema has version %d, and this program knows versions up to %d: it is of a newer assay", schema.Has, schema.Knows)
	case !schema.Current:
		return fmt.Errorf("the schema has version %d, and this program needs %d: run assay migrate", schema.Has, schema.Knows)
	}
	_, err = fmt.Fprintf(std.out, "The schema is current: version %d.\n", schema.Knows)
	return err
}
