package httpapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// What handlers are given can do what the connection below can, also for those that ask it
// for the interfaces by themselves.
func TestTheWriterOfACallPassesOnWhatItsConnectionCan(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{ResponseWriter: w}
		switch r.URL.Path {
		case "/flush":
			flusher, ok := http.ResponseWriter(c).(http.Flusher)
			if !ok {
				t.Error("it cannot flush")
				return
			}
			flusher.Flush()
			if c.status != http.StatusOK {
				t.Errorf("a header was sent, and the status is %d", c.status)
			}
			<-r.Context().Done() // the client has what was flushed, or waits for ever
		case "/hijack":
			hijacker, ok := http.ResponseWriter(c).(http.Hijacker)
			if !ok {
				t.Error("it cannot be hijacked")
				return
			}
			conn, _, err := hijacker.Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			io.WriteString(conn, "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n") // the client tells
			if c.status == 0 {
				t.Error("it counts as not answered")
			}
		}
	}))
	defer server.Close()
	for path, want := range map[string]int{"/flush": http.StatusOK, "/hijack": http.StatusTeapot} {
		resp, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, resp.StatusCode, want)
		}
	}
}

func TestAWriterThatCannotBeHijackedSaysSo(t *testing.T) {
	c := &call{ResponseWriter: httptest.NewRecorder()}
	if _, _, err := http.NewResponseController(c).Hijack(); err == nil {
		t.Error("it was hijacked")
	}
	if c.status != 0 {
		t.Error("it counts as answered")
	}
}
