package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"assay"
)

// pipes is a listener whose connections are pipes: real connections with deadlines, in
// a bubble's time.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	p.conns <- far
	return near, nil
}

// overPipes serves s within a bubble. The returned function ends it.
func (s *server) overPipes(t *testing.T) (*pipes, func()) {
	t.Helper()
	p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	srv := &http.Server{Handler: s.api.Handler(), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error)
	go func() { ended <- srv.Serve(p) }()
	return p, func() {
		err := srv.Close()
		if served := <-ended; err != nil || !errors.Is(served, http.ErrServerClosed) {
			t.Errorf("serve: %v, close: %v", served, err)
		}
	}
}

func TestABodyThatWasReadDoesNotBoundTheHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.ready("ses_a")
		p, stop := s.overPipes(t)
		defer stop()
		transport := &http.Transport{DialContext: p.dial}
		defer transport.CloseIdleConnections()
		timer := time.AfterFunc(200*time.Second, func() { s.end("int_1", assay.InteractionCompleted, 0, "done") })
		defer timer.Stop()
		for range 2 { // the second on the same connection: no deadline of the first is left
			req, err := http.NewRequest("POST", "http://assay.test/api/v1/sessions/ses_a/exec", strings.NewReader(`{"command":"sleep 200"}`))
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range append(oldSDK, "Authorization: Bearer "+tokenAda) {
				name, value, _ := strings.Cut(h, ": ")
				req.Header.Set(name, value)
			}
			start := time.Now()
			res, err := transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || res.StatusCode != 202 || time.Since(start) != 200*time.Second || !strings.Contains(string(body), `"exit_code":0`) {
				t.Errorf("%s after %s: %s, %v", res.Status, time.Since(start), body, err)
			}
			time.AfterFunc(200*time.Second, func() { s.end("int_2", assay.InteractionCompleted, 0, "done") })
		}
	})
}

func TestSlowClientsAreCutOff(t *testing.T) {
	for token, status := range map[string]string{tokenAda: "400", "wrong": "401"} {
		t.Run("sending, to be answered "+status, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				p, stop := s.overPipes(t)
				defer stop()
				conn, _ := p.dial(t.Context(), "", "")
				defer conn.Close()
				start := time.Now()
				fmt.Fprintf(conn, "POST /api/v1/sessions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\n{", token)
				answer, err := io.ReadAll(conn)
				if took := time.Since(start); err != nil || took != bodyBound || !strings.HasPrefix(string(answer), "HTTP/1.1 "+status) {
					t.Errorf("after %s: %s, %v", took, answer, err)
				}
			})
		})
	}
	t.Run("reading", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			s.samples = append(s.samples, &assay.Sample{Dataset: "starter", ID: "big", ProblemStatement: strings.Repeat("x", 1<<20)})
			p, stop := s.overPipes(t)
			defer stop()
			conn, _ := p.dial(t.Context(), "", "")
			defer conn.Close()
			fmt.Fprintf(conn, "GET /api/v1/samples HTTP/1.1\r\nHost: a\r\n\r\n")
			r := bufio.NewReader(conn)
			if line, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 200") {
				t.Fatalf("%s, %v", line, err)
			}
			time.Sleep(writeBound + time.Second) //nolint:forbidigo // the bubble's clock
			synctest.Wait()
			if rest, err := io.ReadAll(r); err != nil || strings.Contains(string(rest), "total_count") {
				t.Errorf("a client that reads after %s still got all of it: %d bytes, %v", writeBound, len(rest), err)
			}
		})
	})
}

func TestBodiesAreRefusedBeforeTheyAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		p, stop := s.overPipes(t)
		defer stop()
		for token, want := range map[string]string{tokenAda: "413", "wrong": "401"} {
			conn, _ := p.dial(t.Context(), "", "")
			fmt.Fprintf(conn, "POST /api/v1/sessions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n", token)
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil || !strings.HasPrefix(line, "HTTP/1.1 "+want) {
				t.Errorf("%s: %s, %v", token, line, err)
			}
			conn.Close()
		}
	})
}
