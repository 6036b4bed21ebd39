package e2e_test

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"assay/client/wire"
)

// receiver is an OTLP/HTTP receiver of traces.
type receiver struct {
	mu      sync.Mutex
	spans   []*trace.Span
	service []string
}

func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var req collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &req) != nil {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	rc.mu.Lock()
	defer rc.mu.Unlock()
	for _, resource := range req.GetResourceSpans() {
		for _, kv := range resource.GetResource().GetAttributes() {
			if kv.GetKey() == "service.name" {
				rc.service = append(rc.service, kv.GetValue().GetStringValue())
			}
		}
		for _, scope := range resource.GetScopeSpans() {
			rc.spans = append(rc.spans, scope.GetSpans()...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// lineage names a span and those above it in its trace, the lowest first.
func (rc *receiver) lineage(s *trace.Span) string {
	names := []string{s.GetName()}
	for parent := s.GetParentSpanId(); len(parent) > 0; {
		i := slices.IndexFunc(rc.spans, func(o *trace.Span) bool {
			return string(o.GetSpanId()) == string(parent) && string(o.GetTraceId()) == string(s.GetTraceId())
		})
		if i < 0 {
			return strings.Join(append(names, "a span that was not sent"), " < ")
		}
		names, parent = append(names, rc.spans[i].GetName()), rc.spans[i].GetParentSpanId()
	}
	return strings.Join(names, " < ")
}

func TestTracesFollowARequestToTheAgent(t *testing.T) {
	t.Parallel()
	rc := &receiver{}
	otlp := httptest.NewServer(rc)
	defer otlp.Close()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p, "--otlp-endpoint", otlp.URL, "--destroy-on-exit")
	c := newCaller(t, p, srv)
	s := c.ready(t, c.create(t, "quick"))
	const theirs = "0af7651916cd43dd8448eb211c80319c"
	r := c.call(t, "POST", "/sessions/"+s+"/exec", wire.ExecRequest{Command: "echo yes > answer"}, "traceparent", "00-"+theirs+"-b7ad6b7169203331-01")
	c.end(t, s, must[wire.ExecAccepted](t, r, 202).InteractionID)
	c.judge(t, s)
	if err := srv.Stop(); err != nil { // sends what is left
		t.Error(err)
	}
	rc.mu.Lock()
	defer rc.mu.Unlock()
	var got []string
	for _, span := range rc.spans {
		got = append(got, rc.lineage(span))
		if hex.EncodeToString(span.GetTraceId()) == theirs {
			t.Errorf("%s is in the trace of a stranger", span.GetName())
		}
	}
	const exec, verify = "POST /api/v1/sessions/{session_id}/exec", "POST /api/v1/sessions/{session_id}/verify"
	for _, want := range []string{
		exec,
		"agent.exec < session.exec < " + exec,
		"sandbox.create < session.create < POST /api/v1/sessions",
		"agent.exec < verification.run < " + verify,
		"sandbox.create < verification.run < " + verify,
	} {
		if !slices.Contains(got, want) {
			t.Errorf("there is no span %s, but\n  %s", want, strings.Join(got, "\n  "))
		}
	}
	linked := slices.ContainsFunc(rc.spans, func(s *trace.Span) bool {
		return s.GetName() == exec && len(s.GetLinks()) == 1 && hex.EncodeToString(s.GetLinks()[0].GetTraceId()) == theirs
	})
	if !linked {
		t.Error("the client's trace is not linked")
	}
	if !slices.Contains(rc.service, "assay") {
		t.Errorf("the spans are of service %q", rc.service)
	}
}

// A receiver that is away keeps nobody waiting.
func TestTracesThatNobodyTakesAreDropped(t *testing.T) {
	t.Parallel()
	away := httptest.NewServer(http.NotFoundHandler())
	url := away.URL
	away.Close()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p, "--otlp-endpoint", url)
	c := newCaller(t, p, srv)
	must[wire.Health](t, c.call(t, "GET", "/health", nil), 200)
	if err := srv.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if log := serverLog(t, p); !strings.Contains(log, "traces were not sent") {
		t.Errorf("the log does not say that traces are lost: %s", log)
	}
}
