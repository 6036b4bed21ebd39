package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/e2e/harness"
)

// A server keeps nothing of sessions that are over: no descriptors, no threads that
// are stuck, no files that wait.
func TestServerFreesSessions(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p, "--alterations", "off") // a search has sandboxes, too, for as long as it takes
	c := newCaller(t, p, srv)
	live := func() {
		s := c.ready(t, c.create(t, "quick"))
		c.output(t, s, "echo yes > answer")
		c.exec(t, s, "sleep 1000")
		c.judge(t, s)
		c.close(t, s)
	}
	live() // what is made once is made now
	if err := nothingLeft(p); err != nil {
		t.Fatal(err)
	}
	transport.CloseIdleConnections()
	before := descriptors(t, srv)
	for range 10 {
		live()
	}
	if err := nothingLeft(p); err != nil {
		t.Error(err)
	}
	eventually(t, "the server has closed what it opened", func() bool {
		transport.CloseIdleConnections()
		return descriptors(t, srv) <= before+2 // a connection that is just being closed
	})
}

// descriptors counts the open files of a server, those of its database aside: it keeps up to four
// connections that read, and opens each when so many read at once for the first time.
func descriptors(t *testing.T, s *harness.Server) (n int) {
	t.Helper()
	folder := fmt.Sprintf("/proc/%d/fd", s.Pid())
	open, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range open {
		name, err := os.Readlink(filepath.Join(folder, fd.Name()))
		if err == nil && !strings.Contains(name, "/assay.db") { // it may be closed by now
			n++
		}
	}
	return n
}
