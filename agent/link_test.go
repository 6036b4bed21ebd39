package agent_test

import (
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"assay/agent"
	"assay/internal/sandbox"
)

// proxy stands between a client and the agent. It passes on the request of the
// first connection or drops it, and cuts that connection before the answer.
func (g *guest) proxy(drop bool) *agent.Client {
	g.t.Helper()
	path := filepath.Join(filepath.Dir(g.socket), "proxy.sock")
	l, err := net.Listen("unix", path)
	check(g.t, err)
	var conns sync.WaitGroup
	conns.Go(func() {
		for first := true; ; first = false {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("unix", g.socket)
			if err != nil {
				near.Close()
				continue
			}
			cut := first
			conns.Go(func() { relay(near, far, cut, drop) })
		}
	})
	c := agent.NewClient(path)
	g.t.Cleanup(func() {
		c.Close()
		l.Close()
		conns.Wait()
	})
	return c
}

func relay(near, far net.Conn, cut, drop bool) {
	defer near.Close()
	defer far.Close()
	if cut {
		request := make([]byte, 64<<10)
		n, err := near.Read(request)
		if err != nil || drop {
			return
		}
		far.Write(request[:n]) // the test sees what came of it
		far.Read(request[:1])  //nolint:errcheck // the request was carried out
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		io.Copy(near, far) //nolint:errcheck // either side may hang up
		near.Close()
	})
	io.Copy(far, near) //nolint:errcheck // either side may hang up
	far.Close()
	back.Wait()
}

func TestExecSurvivesABrokenConnection(t *testing.T) {
	for name, drop := range map[string]bool{"before the request": true, "before the answer": false} {
		t.Run(name, func(t *testing.T) {
			g := start(t, nil)
			res, err := g.proxy(drop).Exec(testContext(t), sandbox.Command{ID: "a", Argv: []string{"bash", "-c", "echo x >>count; exit 3"}})
			check(t, err)
			if res.Exit.Code != 3 || g.read("count") != "x\n" {
				t.Errorf("%+v, ran: %q", res, g.read("count"))
			}
		})
	}
}

func TestABrokenConnectionIsNoResult(t *testing.T) {
	g := start(t, nil)
	g.write("f", "old")
	if res, err := g.proxy(false).Replace(testContext(t), sandbox.ReplaceRequest{Path: "f", Old: "old", New: "new"}); err == nil {
		t.Errorf("an answer that nobody saw: %+v", res)
	}
}

func TestTooManyConnections(t *testing.T) {
	g := start(t, nil)
	var conns []net.Conn
	for range 256 {
		conn, err := net.Dial("unix", g.socket)
		check(t, err)
		conns = append(conns, conn)
	}
	if h, err := g.Hello(testContext(t)); err == nil {
		t.Errorf("one connection too many: %+v", h)
	}
	for _, conn := range conns {
		conn.Close()
	}
	eventually(t, "the agent answers again", func() bool { _, err := g.Hello(testContext(t)); return err == nil })
}

// A runtime that passes no descriptors names a path.
func TestAgentListens(t *testing.T) {
	g := start(t, func(c *agent.Config) { c.Listen = filepath.Join(c.Workdir, "agent.sock") })
	g.await("agent.sock")
	c := agent.NewClient(filepath.Join(g.work, "agent.sock"))
	defer c.Close()
	eventually(t, "the agent answers", func() bool { _, err := c.Hello(testContext(t)); return err == nil })
}
