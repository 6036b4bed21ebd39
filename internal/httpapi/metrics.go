package httpapi

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics is what the API counts.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	held     prometheus.Gauge
	limited  *prometheus.CounterVec
}

// newMetrics registers the metrics; with nobody to ask for them they only count.
func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "assay_http_requests_total",
			Help: "Requests answered, by route pattern.",
		}, []string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "assay_http_request_duration_seconds",
			Help:    "Time to answer, held time included, by route pattern.",
			Buckets: []float64{.001, .005, .025, .1, .5, 1, 2.5, 5, 10, 25, 60},
		}, []string{"method", "route"}),
		held: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "assay_http_held_requests",
			Help: "Requests that wait for a session, a command or a verification.",
		}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "assay_http_limited_requests_total",
			Help: "Requests refused because too many came, by rule.",
		}, []string{"rule"}),
	}
	if registry == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.requests, m.duration, m.held, m.limited} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

// observe counts one request. A method that no route has is another's name for many.
func (m *metrics) observe(method, route string, status int, took time.Duration) {
	if route == "/" || route == "" {
		method, route = "other", "unknown"
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(method, route).Observe(took.Seconds())
}
