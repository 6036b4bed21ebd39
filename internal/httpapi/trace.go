package httpapi

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// beginSpan starts the span of a request, which is named when its route is known. A
// trace that the client has begun is linked and not continued: its id, and whether it is
// to be kept, are a stranger's word.
func (a *API) beginSpan(ctx context.Context, r *http.Request, requestID string) (context.Context, trace.Span) {
	if a.cfg.Tracer == nil {
		return ctx, trace.SpanFromContext(ctx) // the one that does nothing
	}
	opts := []trace.SpanStartOption{
		trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("assay.request.id", requestID)),
	}
	theirs := propagation.TraceContext{}.Extract(context.Background(), propagation.HeaderCarrier(r.Header))
	if link := trace.LinkFromContext(theirs); link.SpanContext.IsValid() {
		opts = append(opts, trace.WithLinks(link))
	}
	return a.cfg.Tracer.Start(ctx, "request", opts...)
}

// endSpan names and ends the span of a request.
func endSpan(span trace.Span, method, route, userID string, status int) {
	if !span.IsRecording() {
		return
	}
	span.SetName(method + " " + route)
	span.SetAttributes(
		attribute.String("http.request.method", method), attribute.String("http.route", route),
		attribute.Int("http.response.status_code", status), attribute.String("assay.user.id", userID),
	)
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, http.StatusText(status))
	}
	span.End()
}
