package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"assay/client/wire"
)

// GET session is measured in rounds, each with the clients' connections warm.
const (
	getClients = 64
	getRounds  = 5
	getRound   = 2 * time.Second
)

// get measures how many GETs of a session are answered a second. The clients share the
// cores with the server, so they do as little as they can: a request is bytes that were
// made before, and of an answer the status and the length are read.
func (b *bench) get(ctx context.Context) ([]Result, error) {
	session, err := b.open(ctx, anySample)
	if err != nil {
		return nil, err
	}
	getters := make([]*getter, getClients)
	for i := range getters {
		if getters[i], err = b.newGetter(ctx, session); err != nil {
			return nil, err
		}
		defer getters[i].conn.Close()
	}
	var rates, p50s, p99s []float64
	for round := range 1 + getRounds { // the first warms up
		times, took, err := together(getters, getRound)
		if err != nil {
			return nil, err
		}
		if round > 0 {
			rates = append(rates, float64(len(times))/took.Seconds())
			p50s, p99s = append(p50s, median(times)), append(p99s, quantile(times, 0.99))
		}
	}
	rate := Result{Name: fmt.Sprintf("GET session, %d clients", getClients), Unit: "1/s", P50: median(rates)}
	slow := Result{Name: fmt.Sprintf("GET session, %d clients: latency", getClients), Unit: "ms", P50: median(p50s), P99: new(quantile(p99s, 1))}
	return []Result{
		rate.target(">= 10000 1/s", rate.P50 >= 10_000),
		slow.target("no p99 > 20 ms", *slow.P99 <= 20),
	}, b.close(ctx, session)
}

// together lets all getters ask for a while, and returns the time of each answer in
// milliseconds and how long it was in all.
func together(getters []*getter, d time.Duration) (times []float64, took time.Duration, err error) {
	began := time.Now()
	all := make([][]float64, len(getters))
	var group errgroup.Group
	for i, g := range getters {
		group.Go(func() (err error) {
			for last := time.Now(); last.Sub(began) < d; {
				if err := g.get(); err != nil {
					return err
				}
				now := time.Now()
				all[i] = append(all[i], milliseconds(now.Sub(last)))
				last = now
			}
			return nil
		})
	}
	err = group.Wait()
	took = time.Since(began)
	for _, some := range all {
		times = append(times, some...)
	}
	return times, took, err
}

// getter makes one request again and again on one connection.
type getter struct {
	conn    net.Conn
	in      *bufio.Reader
	request []byte
}

func (b *bench) newGetter(ctx context.Context, session string) (*getter, error) {
	u, err := url.Parse(b.server.URL)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	return &getter{conn, bufio.NewReader(conn), fmt.Appendf(nil,
		"GET %s/sessions/%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", wire.BasePath, session, u.Host, b.user.Key)}, nil
}

// answerBound is how long an answer may take.
const answerBound = 10 * time.Second

// get makes a request and reads its answer, which must be 200 and say its length.
func (g *getter) get() error {
	if err := g.conn.SetDeadline(time.Now().Add(answerBound)); err != nil {
		return err
	}
	if _, err := g.conn.Write(g.request); err != nil {
		return err
	}
	status, err := g.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("GET session: %s", bytes.TrimSpace(status))
	}
	length := -1
	for {
		line, err := g.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length <= 0 {
		return errors.New("GET session: the answer has no length")
	}
	_, err = io.CopyN(io.Discard, g.in, int64(length))
	return err
}
