package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sys/unix"

	"assay/internal/telemetry"
)

// openMetrics makes the registry of this App, and the metrics of its services.
func (a *App) openMetrics() (err error) {
	a.registry = prometheus.NewRegistry()
	if a.metrics, err = telemetry.NewMetrics(a.registry, Version); err != nil {
		return fmt.Errorf("make the metrics: %w", err)
	}
	return nil
}

// watch registers what is asked when somebody reads the metrics, and opens the traces.
func (s *server) watch(ctx context.Context) (err error) {
	err = errors.Join(
		s.registry.Register(collectors.NewGoCollector()),
		s.registry.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})),
		telemetry.RegisterSources(s.registry, telemetry.Sources{
			Sessions:      s.store.CountLiveSessions,
			Verifications: s.store.CountOpenVerifications,
			Jobs:          func(ctx context.Context) (map[string]int, error) { return s.queue.Count(ctx) },
			Images:        s.imageUse,
			Unreachable:   func() int { return s.sessions.Unreachable() }, // which are made later
			Stuck:         s.runtime.Stuck,
			Reconciled:    s.reconciled,
			Free:          s.dir.free,
		}, s.Log.WarnContext),
	)
	if err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	s.traces, err = telemetry.OpenTraces(ctx, telemetry.TraceConfig{Endpoint: s.Config.OTLPEndpoint, Version: Version, Log: s.Log})
	return err
}

// reconciled tells when rows and sandboxes were last compared in whole.
func (s *server) reconciled() time.Time {
	if s.reconciler != nil { // it is made later
		if last := s.reconciler.Report().Last; last != nil {
			return *last
		}
	}
	return time.Time{}
}

func (s *server) imageUse(ctx context.Context) (telemetry.ImageUse, error) {
	use, err := s.Images.Use(ctx)
	return telemetry.ImageUse{Images: use.Images, Layers: use.Layers, Bytes: use.Bytes}, err
}

// free tells the bytes that are free on the file system of the data directory.
func (d dataDir) free() (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(string(d), &st); err != nil {
		return 0, fmt.Errorf("look at the file system of %s: %w", d, err)
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// scrapesAtOnce is how many readers of the metrics are answered at a time.
const scrapesAtOnce = 4

// metricsHandler serves what only operators may see: metrics, and profiles of the
// running program. It belongs on a listener of its own. The command line, which may hold
// secrets, is left out.
func (s *server) metricsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{
		ErrorHandling:       promhttp.ContinueOnError, // a database that is away hides nothing else
		MaxRequestsInFlight: scrapesAtOnce,
	}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// validateTraces checks the setting of the traces' receiver.
func (c Config) validateTraces() error {
	if c.OTLPEndpoint == "" {
		return nil
	}
	u, err := url.Parse(c.OTLPEndpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("otlp_endpoint: give the base URL of an OTLP/HTTP receiver, such as http://127.0.0.1:4318; headers with secrets belong into OTEL_EXPORTER_OTLP_HEADERS")
	}
	return nil
}

// logged makes the handler of a log know of requests.
func logged(h slog.Handler) *slog.Logger { return slog.New(telemetry.LogHandler(h)) }
