package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kong"

	"assay/internal/app"
)

type doctorCmd struct {
	configFlags
	Running bool `name:"running" help:"Ask the running server instead what it found where the database and the host do not agree."`
	JSON    bool `name:"json" help:"Print JSON."`
}

func (*doctorCmd) Help() string {
	return `Looks at the data directory, the database, and everything that sandboxes need of this host, and says what to do
where something is missing. Sandboxes' file systems are tried out for real, so run it as the user that serves. It may run
beside a server. It takes the settings of serve. The exit status is 1 when something is missing that serving needs;
advice does not count.

With --running it looks at nothing itself: it asks the server that runs on the data directory what its comparisons of the
database with the host have found since it started. A healthy server finds nothing. What was put right is told as advice;
what cannot be put right, and a server that does not answer or compare, as missing.

    assay doctor --data-dir /var/lib/assay
    assay doctor --data-dir /var/lib/assay --running`
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
	look := app.Doctor
	if c.Running {
		look = app.DoctorRunning
	}
	findings, err := look(ctx, s.Config)
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
		err = writeFindings(std, findings, c.conclusion(missing))
	}
	if err == nil && missing > 0 {
		err = exitError{status: exitFailed}
	}
	return err
}

// conclusion is the last line of the report.
func (c *doctorCmd) conclusion(missing int) string {
	switch {
	case missing > 0 && c.Running:
		return fmt.Sprintf("Not all is well: see the %d lines that are missing or not tried.", missing)
	case c.Running:
		return "The running server answers, and compares."
	case missing > 0:
		return fmt.Sprintf("This host cannot serve yet: see the %d lines that are missing or not tried.", missing)
	}
	return "This host can serve."
}

func writeFindings(std stdio, findings []app.Finding, last string) error {
	for _, f := range findings {
		if _, err := fmt.Fprintf(std.out, "%-10s %-29s %s\n", f.Status, f.Name, f.Text); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(std.out, "\n%s\n", last)
	return err
}
