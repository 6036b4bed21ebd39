package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"time"

	"assay/client/wire"
)

// conn is the leanest client there is, for what is measured in microseconds on cores that
// client and server share: one connection that is kept, requests that are bytes already,
// and of an answer the status, the length and the body.
type conn struct {
	net.Conn
	in   *bufio.Reader
	body []byte // of the last answer
}

func (b *bench) dial(ctx context.Context) (*conn, error) {
	u, err := url.Parse(b.server.URL)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, in: bufio.NewReader(c)}, nil
}

// request writes a request of the API, with a body of JSON unless it is nil.
func (b *bench) request(method, path string, body []byte) []byte {
	r := fmt.Appendf(nil, "%s %s%s HTTP/1.1\r\nHost: assay\r\nAuthorization: Bearer %s\r\n", method, wire.BasePath, path, b.user.Key)
	if body != nil {
		r = fmt.Appendf(r, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	return append(append(r, "\r\n"...), body...)
}

// answerBound is how long an answer may take.
const answerBound = time.Minute

// ask makes a request and returns the body of the answer, which is good until the next
// one. Its status must be as wanted, and it must say its length.
func (c *conn) ask(request []byte, want int) ([]byte, error) {
	if err := c.SetDeadline(time.Now().Add(answerBound)); err != nil {
		return nil, err
	}
	if _, err := c.Write(request); err != nil {
		return nil, err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	status := string(line)
	length := -1
	for len(line) > 2 {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return nil, err
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return nil, err
			}
		}
	}
	if length < 0 {
		return nil, fmt.Errorf("an answer without a length: %q", status)
	}
	c.body = append(c.body[:0], make([]byte, length)...)
	if _, err := io.ReadFull(c.in, c.body); err != nil {
		return nil, err
	}
	if got, ok := bytes.CutPrefix([]byte(status), []byte("HTTP/1.1 ")); !ok || !bytes.HasPrefix(got, []byte(strconv.Itoa(want)+" ")) {
		return nil, fmt.Errorf("want status %d, got %q: %s", want, status, c.body)
	}
	return c.body, nil
}
