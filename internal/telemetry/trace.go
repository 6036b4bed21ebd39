package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// TraceConfig says where traces go.
type TraceConfig struct {
	// Endpoint is the base URL of an OTLP/HTTP receiver, such as
	// http://127.0.0.1:4318. Defaults to what OTEL_EXPORTER_OTLP_ENDPOINT and
	// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT say, and to no traces if they are not set. The
	// other variables of OpenTelemetry (headers, certificates, sampler, service name)
	// are obeyed in any case.
	Endpoint string
	Version  string       // of the program
	Log      *slog.Logger // hears of traces that could not be sent. Required
}

// Traces sends spans in batches. What cannot be sent is dropped: nothing waits for it,
// and no more than the SDK's queue (2048 spans) is kept.
type Traces struct {
	provider *sdktrace.TracerProvider // nil when traces are off
	log      *slog.Logger
}

// OpenTraces begins to send traces, if it is told where to. Close it at the end.
func OpenTraces(ctx context.Context, cfg TraceConfig) (*Traces, error) {
	if !wanted(cfg.Endpoint) {
		return &Traces{}, nil
	}
	var opts []otlptracehttp.Option
	if cfg.Endpoint != "" {
		target, err := url.JoinPath(cfg.Endpoint, "v1/traces")
		if err != nil {
			return nil, fmt.Errorf("send traces: %w", err)
		}
		opts = append(opts, otlptracehttp.WithEndpointURL(target))
	}
	exporter, err := otlptracehttp.New(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("send traces: %w", err)
	}
	about, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "assay"), attribute.String("service.version", cfg.Version)),
		resource.WithFromEnv(), // its service name wins
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("send traces: %w", err), exporter.Shutdown(ctx))
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(loggingExporter{exporter, cfg.Log}), sdktrace.WithResource(about))
	return &Traces{provider, cfg.Log}, nil
}

// wanted tells whether anybody has said where traces go.
func wanted(endpoint string) bool {
	return os.Getenv("OTEL_SDK_DISABLED") != "true" &&
		(endpoint != "" || os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "")
}

// Tracer makes spans. It is nil when traces are off, and then whoever would use it does
// nothing.
func (t *Traces) Tracer() trace.Tracer {
	if t.provider == nil {
		return nil
	}
	return t.provider.Tracer("assay")
}

// closeBound is how long the last spans may take: a receiver that is away must not keep a
// server from stopping.
const closeBound = 3 * time.Second

// Close sends what is left. The log hears if that fails.
func (t *Traces) Close() {
	if t.provider == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeBound)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.log.WarnContext(ctx, "the last traces were not sent", "err", err)
	}
}

// loggingExporter tells the log of spans that could not be sent. Left to itself, the SDK
// would tell a handler that all of the process shares.
type loggingExporter struct {
	sdktrace.SpanExporter
	log *slog.Logger
}

func (e loggingExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil {
		e.log.WarnContext(ctx, "traces were not sent", "spans", len(spans), "err", err)
	}
	return nil
}
