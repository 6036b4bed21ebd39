package e2e_test

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay/client/wire"
	"assay/internal/store/pgtest"
)

// A database is served by one process, and by none that lost its hold on it: PostgreSQL
// is stopped under a server, which ends, and whose sandboxes the next one adopts.
func TestDatabaseOfOneServer(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	url := database.Database(t)
	p := programOn(t, url)
	clean(t, p)
	srv := start(t, p)
	c := newCaller(t, p, srv)
	session := c.ready(t, c.create(t, "quick"))
	c.output(t, session, "echo here > file")

	status, stderr := serve(t, filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0", "--database-url", url)
	if status != 1 || !strings.Contains(stderr, "another assay server uses this database") {
		t.Errorf("a second server ends with status %d: %s", status, stderr)
	}
	must[wire.Health](t, c.call(t, "GET", "/health", nil), 200)

	if err := database.Stop(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var exit *exec.ExitError
	if err := srv.Wait(ctx); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("the server ended with %v, want status 1", err)
	}
	if !strings.Contains(showLog(p).Error(), "the connection that kept the database for this server is lost") {
		t.Error("the log does not say why")
	}
	if err := database.Start(); err != nil {
		t.Fatal(err)
	}
	c = c.at(start(t, p))
	if got := c.output(t, session, "cat file"); got != "here\n" {
		t.Errorf("the session's file is %q", got)
	}
}
