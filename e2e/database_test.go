package e2e_test

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/client/wire"
	"assay/e2e/harness"
	"assay/internal/store/pgtest"
)

// A database is served by one process. When PostgreSQL goes away, its server waits for it and
// goes on: clients are answered 503 meanwhile, and what runs runs on.
func TestServerWaitsForItsDatabase(t *testing.T) {
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

	command := c.exec(t, session, "until [ -e flag ]; do sleep 0.02; done; echo ended; exit 7")
	if err := database.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/sessions/" + session, "/sessions", "/datasets"} {
		if r := c.call(t, "GET", path, nil); r.status != 503 || r.header.Get("Retry-After") == "" {
			t.Errorf("GET %s is answered with %d, Retry-After %q: %s", path, r.status, r.header.Get("Retry-After"), r.body)
		}
	}
	if r := c.call(t, "POST", "/sessions/"+session+"/exec", wire.ExecRequest{Command: "true"}); r.status != 503 {
		t.Errorf("a command is answered with %d: %s", r.status, r.body)
	}
	if h := must[wire.Health](t, c.call(t, "GET", "/health", nil), 503); !strings.Contains(h.Reason, "the database cannot be reached") {
		t.Errorf("health says %+v", h)
	}
	touch(t, p, session, "flag") // the command ends while nobody can store that
	if err := database.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server answers again", func() bool { return c.call(t, "GET", "/health", nil).status == 200 })
	if in := c.end(t, session, command); *in.Stdout != "ended\n" || *in.ExitCode != 7 {
		t.Errorf("the command that ended meanwhile: %s", show(in))
	}
	if got := c.output(t, session, "cat file"); got != "here\n" {
		t.Errorf("the session's file is %q", got)
	}
	for _, want := range []string{"the database is lost", "the database is back"} {
		if !strings.Contains(showLog(p).Error(), want) {
			t.Errorf("the log does not say that %s", want)
		}
	}

	if err := database.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := srv.Stop(); err != nil {
		t.Errorf("a stop without a database: %v", err)
	}
	if err := database.Start(); err != nil {
		t.Fatal(err)
	}
	c = c.at(start(t, p))
	if got := c.output(t, session, "cat file"); got != "here\n" {
		t.Errorf("after the next start the session's file is %q", got)
	}
}

// A server that comes back to a database that another has taken stops at once: its sandboxes
// are lost to the other, and it touches nothing any more.
func TestServerWhoseDatabaseAnotherTook(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	proxy := pgtest.NewProxy(t, url)
	p := programOn(t, proxy.URL)
	clean(t, p)
	srv := start(t, p)
	c := newCaller(t, p, srv)
	session := c.ready(t, c.create(t, "quick"))
	c.exec(t, session, "sleep 1000")
	proxy.Away(true)
	eventually(t, "the server says that it has no database", func() bool { return c.call(t, "GET", "/health", nil).status == 503 })

	other := programOn(t, url)
	clean(t, other)
	var second *harness.Server
	eventually(t, "another server starts", func() (started bool) { // once PostgreSQL has noticed
		var err error
		second, err = other.Start(t.Context())
		return err == nil
	})
	t.Cleanup(func() {
		if err := second.Kill(); err != nil {
			t.Error(err)
		}
	})
	proxy.Away(false)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var exit *exec.ExitError
	if err := srv.Wait(ctx); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("the server ended with %v, want status 1", err)
	}
	if log := showLog(p).Error(); !strings.Contains(log, "another assay server took this database") {
		t.Errorf("the log does not say why:\n%s", log)
	}
	if len(processes(t, p, session)) == 0 {
		t.Error("it has destroyed a sandbox")
	}
	if got := c.at(second).session(t, session); got.Status != assay.SessionTerminated {
		t.Errorf("the session is %s for the other server", got.Status)
	}
}
