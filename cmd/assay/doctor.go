package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kong"

	"assay/internal/app"
)

type doctorCmd struct {
	configFlags
	JSON bool `name:"json" help:"Print JSON."`
}

func (*doctorCmd) Help() string {
	return `Looks at the data directory, the database, and everything that sandboxes need of this host, and says what to do
where something is missing. Sandboxes' file systems are tried out for real, so run it as the user that serves. It may run
beside a server. It takes the settings of serve. The exit status is 1 when something is missing that serving needs;
advice does not count.

    assay doctor --data-dir /var/lib/assay`
}

// doctorReport is what assay doctor --json prints.
type doctorReport struct {
	OK     bool          `json:"ok"`
	Checks []app.Finding `json:"checks"`
}

func (c *doctorCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) error {
	s, err := c.load(parsed)
	if err != nil {
		return err
	}
	findings, err := app.Doctor(ctx, s.Config)
	if err != nil {
		return err
	}
	missing := 0
	for _, f := range findings {
		if f.Status == app.FindingMissing || f.Status == app.FindingNotTried {
			missing++
		}
	}
	if c.JSON {
		err = writeJSON(std.out, doctorReport{OK: missing == 0, Checks: findings})
	} else {
		err = writeFindings(std, findings, missing)
	}
	if err == nil && missing > 0 {
		err = exitError{status: exitFailed}
	}
	return err
}

func writeFindings(std stdio, findings []app.Finding, missing int) error {
	for _, f := range findings {
		if _, err := fmt.Fprintf(std.out, "%-10s %-29s %s\n", f.Status, f.Name, f.Text); err != nil {
			return err
		}
	}
	last := "This host can serve."
	if missing > 0 {
		last = fmt.Sprintf("This host cannot serve yet: see the %d lines that are missing or not tried.", missing)
	}
	_, err := fmt.Fprintf(std.out, "\n%s\n", last)
	return err
}
