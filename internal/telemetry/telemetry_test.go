package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"
)

// traced is a context of a request that is traced.
func traced(t *testing.T) context.Context {
	t.Helper()
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	return trace.ContextWithSpanContext(WithRequest(t.Context(), "req_1"), span)
}

func TestLogLinesOfARequestNameIt(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(LogHandler(slog.NewTextHandler(&out, nil))).With("part", "x")
	log.InfoContext(traced(t), "one")
	log.InfoContext(t.Context(), "two")
	first, second, _ := strings.Cut(out.String(), "\n")
	if !strings.Contains(first, "part=x request_id=req_1 trace_id=01000000") {
		t.Errorf("a line of a request is %q", first)
	}
	if strings.Contains(second, "request_id") || strings.Contains(second, "trace_id") {
		t.Errorf("a line of no request is %q", second)
	}
}

func TestWorkThatOutlivesItsRequestKeepsItsIdsAndNothingElse(t *testing.T) {
	type key struct{}
	from, end := context.WithCancel(context.WithValue(traced(t), key{}, "of the request"))
	got := Carry(t.Context(), from)
	end()
	if RequestID(got) != "req_1" || trace.SpanContextFromContext(got).SpanID() != (trace.SpanID{2}) {
		t.Errorf("carried %q and %v", RequestID(got), trace.SpanContextFromContext(got))
	}
	if got.Err() != nil || got.Value(key{}) != nil {
		t.Errorf("the end or another value of the request was carried along")
	}
}

func TestAnOriginIsStoredAndComesBack(t *testing.T) {
	stored, err := json.Marshal(OriginOf(traced(t)))
	if err != nil {
		t.Fatal(err)
	}
	var o Origin
	if err := json.Unmarshal(stored, &o); err != nil {
		t.Fatal(err)
	}
	got := o.Context(context.Background())
	span := trace.SpanContextFromContext(got)
	if RequestID(got) != "req_1" || span.TraceID() != (trace.TraceID{1}) || span.SpanID() != (trace.SpanID{2}) || !span.IsSampled() {
		t.Errorf("%s came back as request %q, span %v", stored, RequestID(got), span)
	}
	if stored, err := json.Marshal(OriginOf(t.Context())); err != nil || string(stored) != "{}" {
		t.Errorf("no request is stored as %s, %v", stored, err)
	}
}
