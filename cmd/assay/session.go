package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"assay"
	"assay/client"
	"assay/client/wire"
	"assay/internal/app"
)

type sessionGroup struct {
	Create sessionCreateCmd `cmd:"" help:"Make a session of a sample, and wait until it is ready."`
	Exec   sessionExecCmd   `cmd:"" help:"Run a command in a session, and exit with its status."`
	Edit   sessionEditCmd   `cmd:"" help:"Replace a string in a file of a session."`
	Verify sessionVerifyCmd `cmd:"" help:"Judge the work in a session: is the task solved?"`
	Diff   sessionDiffCmd   `cmd:"" help:"Print what was changed in a session, as a patch."`
	Close  sessionCloseCmd  `cmd:"" help:"End sessions."`
	List   sessionListCmd   `cmd:"" help:"List your sessions, newest first."`
	Show   sessionShowCmd   `cmd:"" help:"Show a session."`
}

// serverFlags say which server a verb speaks to. The key is no flag: other users of the
// machine could read it there.
type serverFlags struct {
	Server string        `env:"ASSAY_SERVER,CODESET_BASE_URL" default:"http://127.0.0.1:8080" placeholder:"URL" help:"URL of the server (http://127.0.0.1:8080)."`
	Retry  time.Duration `env:"ASSAY_RETRY" default:"15s" placeholder:"TIME" help:"How long to try again while the server is busy or away (15s)."`
	JSON   bool          `name:"json" help:"Print JSON."`
}

// keyVariables may hold the API key.
var keyVariables = []string{"ASSAY_API_KEY", "CODESET_API_KEY"}

func (f *serverFlags) client() (*client.Client, error) {
	for _, name := range keyVariables {
		if key := os.Getenv(name); key != "" {
			c, err := client.New(f.Server, key, client.WithRetryFor(f.Retry), client.WithUserAgent("assay/"+app.Version))
			if err != nil {
				return nil, usageError{err}
			}
			return c, nil
		}
	}
	return nil, usageError{errors.New("no API key: set ASSAY_API_KEY; assay user create makes one")}
}

type sessionCreateCmd struct {
	serverFlags
	Dataset    string `arg:"" help:"Name of the dataset."`
	Sample     string `arg:"" help:"Id of the sample."`
	TTLMinutes int    `name:"ttl-minutes" default:"30" placeholder:"N" help:"Lifetime, minutes (30)."`
	NoWait     bool   `name:"no-wait" help:"Do not wait until it is ready."`
}

func (*sessionCreateCmd) Help() string {
	return `Prints the id of the session.

    id=$(assay session create starter Masterminds__semver-3.3.1)`
}

func (c *sessionCreateCmd) Run(ctx context.Context, std stdio) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	created, err := api.CreateSession(ctx, wire.SessionCreate{Dataset: c.Dataset, SampleID: c.Sample, TTLMinutes: wire.Integer(c.TTLMinutes)})
	if err != nil {
		return fmt.Errorf("create session: %w", err)
	}
	if c.NoWait {
		if c.JSON {
			return writeJSON(std.out, created)
		}
		_, err := fmt.Fprintln(std.out, created.SessionID)
		return err
	}
	s, err := api.WaitReady(ctx, created.SessionID)
	if err != nil {
		return fmt.Errorf("wait until session %s is ready: %w", created.SessionID, err)
	}
	if c.JSON {
		return writeJSON(std.out, s)
	}
	_, err = fmt.Fprintln(std.out, s.SessionID)
	return err
}

type sessionCloseCmd struct {
	serverFlags
	Sessions []string `arg:"" name:"session" help:"Ids of the sessions."`
}

func (c *sessionCloseCmd) Run(ctx context.Context, std stdio) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range c.Sessions {
		closed, err := api.CloseSession(ctx, id)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("close session %s: %w", id, err))
		case c.JSON:
			errs = append(errs, writeJSON(std.out, closed))
		default:
			lived := time.Duration(closed.DurationSeconds * float64(time.Second)).Round(time.Second)
			fmt.Fprintf(std.out, "closed %s after %s\n", id, lived)
		}
	}
	return errors.Join(errs...)
}

type sessionListCmd struct {
	serverFlags
	Status  string `placeholder:"STATUS" help:"Only these: creating, ready, error, closed, terminated."`
	Dataset string `placeholder:"NAME" help:"Only those of a dataset."`
	Limit   int    `default:"50" placeholder:"N" help:"At most so many (50)."`
}

func (c *sessionListCmd) Run(ctx context.Context, std stdio) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	list, err := api.Sessions(ctx, client.SessionQuery{Status: assay.SessionStatus(c.Status), Dataset: c.Dataset, Limit: c.Limit})
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	if c.JSON {
		return writeJSON(std.out, list)
	}
	t := newTable(std.out, "SESSION", "STATUS", "DATASET", "SAMPLE", "REQUESTED", "EXPIRES")
	for _, s := range list.Sessions {
		t.row(s.SessionID, string(s.Status), s.Dataset, s.SampleID, when(s.RequestedAt), when(s.ExpiresAt))
	}
	if err := t.flush(); err != nil {
		return err
	}
	if list.HasMore {
		fmt.Fprintf(std.err, "%d of %d are shown; --limit shows more\n", len(list.Sessions), list.TotalCount)
	}
	return nil
}

type sessionShowCmd struct {
	serverFlags
	Session string `arg:"" help:"Id of the session."`
}

func (c *sessionShowCmd) Run(ctx context.Context, std stdio) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	s, err := api.Session(ctx, c.Session)
	if err != nil {
		return fmt.Errorf("show session %s: %w", c.Session, err)
	}
	if c.JSON {
		return writeJSON(std.out, s)
	}
	t := newTable(std.out, "session", s.SessionID)
	t.row("status", string(s.Status))
	t.row("sample", fmt.Sprintf("%s/%s, version %d", s.Dataset, s.SampleID, s.SampleVersion))
	t.row("requested", when(s.RequestedAt))
	if s.CreatedAt != nil {
		t.row("ready", when(*s.CreatedAt))
	}
	t.row("expires", when(s.ExpiresAt))
	if s.ContainerInfo != nil {
		t.row("runs at", s.ContainerInfo.Location)
	}
	if s.Error != nil {
		t.row("ended by", failure(s.Error))
	}
	return t.flush()
}

// failure says in a line why something ended.
func failure(f *wire.Failure) string {
	if f == nil {
		return "no reason was given"
	}
	return strings.TrimSpace(fmt.Sprintf("%s (%s)", f.Message, f.Code))
}
