package httpapi

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// BenchmarkGetSession measures a GET of a ready session over TCP with 64 clients, through
// everything but a database: log, metrics and limits are on.
func BenchmarkGetSession(b *testing.B) {
	s := newServer(b, func(c *Config) {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
		c.Registry = prometheus.NewRegistry()
		c.Now = time.Now
		c.Limits.PerKey = 1 << 20 // on, and never reached
	})
	s.ready("ses_a")
	srv := httptest.NewServer(s.api.Handler())
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.SetParallelism(64 / 2)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		req, err := http.NewRequest(http.MethodGet, srv.URL+"/api/v1/sessions/ses_a", nil)
		if err != nil {
			b.Error(err)
			return
		}
		req.Header.Set("Authorization", "Bearer "+tokenAda)
		for pb.Next() {
			res, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, err = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if err != nil || res.StatusCode != http.StatusOK {
				b.Errorf("status %d, %v", res.StatusCode, err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

// BenchmarkServe measures the handler alone.
func BenchmarkServe(b *testing.B) {
	s := newServer(b, func(c *Config) {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
		c.Registry = prometheus.NewRegistry()
		c.Now = time.Now
		c.Limits.PerKey = 1 << 20 // on, and never reached
	})
	s.ready("ses_a")
	h := s.api.Handler()
	b.ReportAllocs()
	for b.Loop() {
		req := httptest.NewRequest(http.MethodGet, "/api/v1/sessions/ses_a", nil)
		req.Header.Set("Authorization", "Bearer "+tokenAda)
		h.ServeHTTP(httptest.NewRecorder(), req)
	}
}
