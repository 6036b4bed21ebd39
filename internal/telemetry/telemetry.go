// Package telemetry is how a server is watched: the ids by which its log lines are
// found, the metrics that Prometheus reads, and the traces that it sends when it is
// told where to.
//
// What belongs to a request is in its context: its id and its span. Work that outlives
// the request takes them along with Carry, and a job in the queue as an Origin.
package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

type requestKey struct{}

// WithRequest returns a context of the request with an id.
func WithRequest(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestID returns the id of the request that ctx belongs to; "" when it is of none.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// Carry returns base as a context of the request that from belongs to, for work on its
// behalf that outlives it: the end and all other values are those of base, so that
// nothing else of the request is kept.
func Carry(base, from context.Context) context.Context {
	if id := RequestID(from); id != "" {
		base = WithRequest(base, id)
	}
	if span := trace.SpanContextFromContext(from); span.IsValid() {
		base = trace.ContextWithSpanContext(base, span)
	}
	return base
}

// Origin is what is stored of a request with work that is done later, perhaps by
// another process. It is stored as JSON.
type Origin struct {
	RequestID   string `json:"request_id,omitempty"`
	TraceParent string `json:"traceparent,omitempty"` // W3C Trace Context, version 00
}

const traceParent = "traceparent"

// OriginOf returns what to store of the request that ctx belongs to.
func OriginOf(ctx context.Context) Origin {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return Origin{RequestID: RequestID(ctx), TraceParent: carrier[traceParent]}
}

// Context returns ctx as one of the request that o was stored of.
func (o Origin) Context(ctx context.Context) context.Context {
	if o.RequestID != "" {
		ctx = WithRequest(ctx, o.RequestID)
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceParent: o.TraceParent})
}

// LogHandler returns a handler that adds request_id, and trace_id when the request is
// traced, to the records of contexts that belong to a request.
func LogHandler(next slog.Handler) slog.Handler { return logHandler{next} }

type logHandler struct{ slog.Handler }

func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	id, span := RequestID(ctx), trace.SpanContextFromContext(ctx)
	if id != "" || span.IsSampled() {
		r = r.Clone() // other handlers may hold it
	}
	if id != "" {
		r.AddAttrs(slog.String("request_id", id))
	}
	if span.IsSampled() {
		r.AddAttrs(slog.String("trace_id", span.TraceID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs)}
}

func (h logHandler) WithGroup(name string) slog.Handler {
	return logHandler{h.Handler.WithGroup(name)}
}
