package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"assay/client/wire"
	"assay/e2e/harness"
)

// serve runs a server that is expected to end at once, and returns its exit status
// and what it wrote to standard error.
func serve(t *testing.T, dataDir string, args ...string) (status int, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(world.bin, "assay"), append([]string{"serve", "--data-dir", dataDir}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	var out bytes.Buffer
	cmd.Stderr = &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Errorf("assay serve %s runs instead of refusing", strings.Join(args, " "))
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	closed := filepath.Join(t.TempDir(), "closed")
	open := filepath.Join(t.TempDir(), "open")
	for dir, mode := range map[string]os.FileMode{closed: 0o700, open: 0o755} {
		if err := os.Mkdir(dir, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte("listen: 127.0.0.1:0\nno_such_setting: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, dir string
		args      []string
		says      []string
	}{
		{"a data directory that others may read", open, []string{"--listen", "127.0.0.1:0"}, []string{"chmod 700 " + open}},
		{"every interface without TLS", closed, []string{"--listen", "0.0.0.0:0"}, []string{"0.0.0.0:0", "--insecure-http"}},
		{"every interface by its short name", closed, []string{"--listen", ":0"}, []string{"--insecure-http"}},
		{"metrics for everybody", closed, []string{"--listen", "127.0.0.1:0", "--metrics-listen", ":0"}, []string{"metrics_listen"}},
		{"a certificate without its key", closed, []string{"--listen", "127.0.0.1:0", "--tls-cert", file}, []string{"tls_key"}},
		{"an unknown setting", closed, []string{"--config", file}, []string{"no_such_setting"}},
		{"an unknown flag", closed, []string{"--no-such-flag"}, []string{"no-such-flag"}},
		{"a data directory that is served", world.shared.DataDir, []string{"--listen", "127.0.0.1:0"}, []string{"another assay server"}},
		{"a runtime that is none", closed, []string{"--listen", "127.0.0.1:0", "--oci-runtime", "/bin/false"}, []string{"/bin/false"}},
		{"a missing agent", closed, []string{"--listen", "127.0.0.1:0", "--agent", "/no/such/agent"}, []string{"/no/such/agent"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, stderr := serve(t, tt.dir, tt.args...)
			if status == 0 {
				t.Error("the exit status is 0")
			}
			for _, part := range tt.says {
				if !strings.Contains(stderr, part) {
					t.Errorf("standard error does not say %q: %s", part, stderr)
				}
			}
		})
	}
	// The one that was asked to share its data directory goes on.
	if r := (caller{base: world.server.APIBase()}).call(t, "GET", "/health", nil); r.status != 200 {
		t.Errorf("health: %d %s", r.status, r.body)
	}
}

// A runtime that goes away while the server runs is told by /health, and by the sessions.
func TestLostRuntime(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	runtime := filepath.Join(t.TempDir(), "runtime")
	if err := os.WriteFile(runtime, []byte("#!/bin/sh\nexec runc \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	srv := start(t, p, "--oci-runtime", runtime)
	c := newCaller(t, p, srv)
	must[wire.Health](t, c.call(t, "GET", "/health", nil), 200)
	if err := os.Remove(runtime); err != nil {
		t.Fatal(err)
	}
	if r := c.call(t, "GET", "/health", nil); r.status != 503 || must[wire.Health](t, r, 503).Status != "unhealthy" {
		t.Errorf("health: %d %s", r.status, r.body)
	}
	s := c.session(t, c.create(t, "quick"))
	if s.Status != "error" || s.Error == nil || s.Error.Code != "sandbox_failed" || strings.Contains(s.Error.Message, p.DataDir) {
		t.Errorf("the session is %s: %+v", s.Status, s.Error)
	}
	if err := nothingLeft(p); err != nil {
		t.Error(err)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p, "--metrics-listen", "127.0.0.1:0", "--log-format", "json")
	c := newCaller(t, p, srv)
	must[wire.Health](t, c.call(t, "GET", "/health", nil), 200)
	url := metricsURL(t, p)
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`route="/api/v1/health"`, "go_goroutines", "process_open_fds"} {
		if !strings.Contains(body.String(), want) {
			t.Errorf("the metrics do not hold %s", want)
		}
	}
	if r := (caller{base: srv.URL}).call(t, "GET", "/metrics", nil); r.status != 404 {
		t.Errorf("the API serves metrics: %d", r.status)
	}
}

// metricsURL is where the log says that the metrics of the last start are.
func metricsURL(t *testing.T, p harness.Program) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(filepath.Dir(p.DataDir), "log"))
	if err != nil {
		t.Fatal(err)
	}
	url := ""
	for line := range strings.Lines(string(content)) {
		var entry struct{ Msg, URL string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "metrics" {
			url = entry.URL
		}
	}
	if url == "" {
		t.Fatalf("the log does not tell where the metrics are: %s", content)
	}
	return url
}

// Secrets are in no log.
func TestLogHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p, "--log-level", "debug")
	c := newCaller(t, p, srv)
	created := must[wire.APIKeyCreated](t, c.call(t, "POST", "/users/me/api-keys", wire.APIKeyCreate{Name: "second"}), 201)
	s := c.ready(t, c.create(t, "quick"))
	c.output(t, s, "echo a-secret-of-the-agent > f")
	c.edit(t, s, "f", "a-secret-of-the-agent", "another-secret-of-the-agent")
	wrong := c
	wrong.key = "a-mistyped-token"
	wrong.call(t, "GET", "/users/me?token=a-token-in-a-query", nil)
	content, err := os.ReadFile(filepath.Join(filepath.Dir(p.DataDir), "log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{c.key, created.APIKey.Key, "secret-of-the-agent", "a-mistyped-token", "a-token-in-a-query"} {
		if bytes.Contains(content, []byte(secret)) {
			t.Errorf("the log holds %s", secret)
		}
	}
	if !bytes.Contains(content, []byte(s)) {
		t.Error("the log does not hold the session's id")
	}
}
