package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// GET session is measured in rounds, each with the clients' connections warm.
const (
	getClients = 64
	getRounds  = 5
	getRound   = 2 * time.Second
)

// get measures how many GETs of a session are answered a second. The clients share the
// cores with the server, so they do as little as they can: see conn.
func (b *bench) get(ctx context.Context) ([]Result, error) {
	session, err := b.open(ctx, anySample)
	if err != nil {
		return nil, err
	}
	conns := make([]*conn, getClients)
	for i := range conns {
		if conns[i], err = b.dial(ctx); err != nil {
			return nil, err
		}
		defer conns[i].Close()
	}
	request := b.request("GET", "/sessions/"+session, nil)
	var rates, p50s, p99s []float64
	for round := range 1 + getRounds { // the first warms up
		times, took, err := together(conns, request, getRound)
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

// together makes a request on all connections again and again for a while, and returns the
// time of each answer in milliseconds and how long it was in all.
func together(conns []*conn, request []byte, d time.Duration) (times []float64, took time.Duration, err error) {
	began := time.Now()
	all := make([][]float64, len(conns))
	var group errgroup.Group
	for i, c := range conns {
		group.Go(func() (err error) {
			for last := time.Now(); last.Sub(began) < d; {
				if _, err := c.ask(request, http.StatusOK); err != nil {
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
