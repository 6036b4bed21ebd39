package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay/e2e/harness"
)

// freezerOf is the file of the cgroup of a sandbox that says whether it is frozen, and the word
// for that.
func freezerOf(t *testing.T, p harness.Program, session string) (file, frozen string) {
	t.Helper()
	pids := processes(t, p, session)
	if len(pids) == 0 {
		t.Fatalf("session %s has no process", session)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pids[0]))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case parts[1] == "freezer":
			return filepath.Join("/sys/fs/cgroup/freezer", parts[2], "freezer.state"), "FROZEN"
		case parts[0] == "0" && strings.HasPrefix(parts[2], "/assay/"):
			file, frozen = filepath.Join("/sys/fs/cgroup", parts[2], "cgroup.freeze"), "1"
		}
	}
	return file, frozen
}

// A server is killed while it reads what changed in a sandbox, which is frozen for that: the
// sandbox goes on, though no server starts again.
func TestASandboxThatAKilledServerFrozeGoesOn(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p)
	c := newCaller(t, p, srv)
	session := c.ready(t, c.create(t, "quick"))
	c.output(t, session, "mkdir many && cd many && seq 1 1500 | xargs -n 1 sh -c 'head -c 20000 /dev/urandom | base64 > $0'")
	file, word := freezerOf(t, p, session)
	state := func() string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	read := make(chan struct{})
	go func() {
		defer close(read)
		for ctx.Err() == nil {
			if _, err := c.try(ctx, "GET", "/sessions/"+session+"/diff", nil); err != nil {
				return // the server is gone
			}
		}
	}()
	for state() != word {
		if ctx.Err() != nil {
			t.Fatal("the sandbox is never frozen")
		}
	}
	if err := srv.Kill(); err != nil {
		t.Fatal(err)
	}
	cancel()
	<-read
	eventually(t, "the sandbox goes on", func() bool { return state() != word })
}
