package e2e_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"assay"
	"assay/client/wire"
	"assay/e2e/harness"
)

// serverLog is what the servers of p have logged so far.
func serverLog(t *testing.T, p harness.Program) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(filepath.Dir(p.DataDir), "log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// fetch gets what is not of the API.
func fetch(t *testing.T, url string) (status int, body []byte) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err = io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, body
}

// families are the metrics of a server, by name.
type families map[string]*dto.MetricFamily

func scrape(t *testing.T, url string) families {
	t.Helper()
	status, body := fetch(t, url)
	if status != http.StatusOK {
		t.Fatalf("the metrics answer %d: %.500s", status, body)
	}
	problems, err := promlint.New(bytes.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("promlint: %s: %s", p.Metric, p.Text)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	all, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// value is that of the series of a metric that has a label; the count of a histogram.
func (f families) value(name, label, value string) float64 {
	var sum float64
	for _, m := range f[name].GetMetric() {
		if label != "" && !slices.ContainsFunc(m.GetLabel(), func(l *dto.LabelPair) bool { return l.GetName() == label && l.GetValue() == value }) {
			continue
		}
		sum += m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
	}
	return sum
}

func TestMetricsTellWhatHappened(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p, "--metrics-listen", "127.0.0.1:0", "--log-format", "json", "--destroy-on-exit")
	c := newCaller(t, p, srv)
	s := c.ready(t, c.create(t, "quick"))
	gone := c.ready(t, c.create(t, "quick"))
	c.output(t, s, "echo yes > answer")
	c.run(t, s, "exit 3")
	c.judge(t, s)
	c.session(t, c.create(t, "no-image"))
	c.close(t, gone)
	refused(t, c.call(t, "POST", "/billing/webhook", "{}"), 503, assay.CodePaymentsNotConfig)

	url := metricsURL(t, p)
	got := scrape(t, url)
	for _, want := range []struct {
		metric, label, value string
		count                float64
	}{
		{"assay_sessions", "status", "ready", 1},
		{"assay_sessions", "status", "creating", 0},
		{"assay_verifications", "status", "running", 0},
		{"assay_jobs", "state", "available", 0},
		{"assay_session_create_duration_seconds", "outcome", "ready", 2},
		{"assay_session_create_duration_seconds", "outcome", "image_unavailable", 1},
		{"assay_sessions_ended_total", "status", "closed", 1},
		{"assay_sessions_ended_total", "reason", "image_unavailable", 1},
		{"assay_command_duration_seconds", "outcome", "zero", 1},
		{"assay_command_duration_seconds", "outcome", "nonzero", 1},
		{"assay_verification_duration_seconds", "outcome", "solved", 1},
		{"assay_http_held_requests", "", "", 0},
		{"assay_orphan_sandboxes_destroyed_total", "", "", 0},
		{"assay_discrepancies_total", "", "", 0},
		{"assay_build_info", "", "", 1},
	} {
		if n := got.value(want.metric, want.label, want.value); got[want.metric] == nil || n != want.count {
			t.Errorf("%s with %s=%s is %v, want %v", want.metric, want.label, want.value, n, want.count)
		}
	}
	for _, name := range []string{"assay_image_store_bytes", "assay_image_store_images", "assay_image_store_layers", "assay_data_dir_free_bytes"} {
		if got.value(name, "", "") <= 0 {
			t.Errorf("%s is %v", name, got.value(name, "", ""))
		}
	}
	t.Run("dashboard", func(t *testing.T) { dashboardAsks(t, got) })
	t.Run("operations.md", func(t *testing.T) { operatorsKnow(t, got) })
	t.Run("profiles", func(t *testing.T) {
		if status, body := fetch(t, strings.TrimSuffix(url, "/metrics")+"/debug/pprof/goroutine?debug=1"); status != http.StatusOK || !bytes.Contains(body, []byte("goroutine profile")) {
			t.Errorf("the profile answers %d: %.200s", status, body)
		}
		if status, _ := fetch(t, strings.TrimSuffix(url, "/metrics")+"/debug/pprof/cmdline"); status != http.StatusNotFound {
			t.Errorf("the command line, which may hold secrets, answers %d", status)
		}
		for _, path := range []string{"/debug/pprof/", "/metrics"} {
			if status, _ := fetch(t, srv.URL+path); status != http.StatusNotFound {
				t.Errorf("the API's listener answers %s with %d", path, status)
			}
		}
	})
	c.close(t, s)
	if err := srv.Stop(); err != nil {
		t.Error(err)
	}
}

// metricName finds names of metrics in a query.
var metricName = regexp.MustCompile(`\b(assay|go|process)_[a-z0-9_]+`)

// dashboardAsks fails the test when the example dashboard asks for what no server has.
func dashboardAsks(t *testing.T, got families) {
	content, err := os.ReadFile("../docs/grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(content, &dashboard); err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			names := metricName.FindAllString(target.Expr, -1)
			if len(names) == 0 {
				t.Errorf("panel %q asks for no metric: %s", panel.Title, target.Expr)
			}
			for _, name := range names {
				if !got.has(name) {
					t.Errorf("panel %q asks for %s, which the server does not have", panel.Title, name)
				}
				asked[strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count")] = true
			}
		}
	}
	for name := range got {
		if strings.HasPrefix(name, "assay_") && !asked[name] {
			t.Errorf("no panel shows %s", name)
		}
	}
}

// has tells whether a name is that of a metric, or of a part of a histogram.
func (f families) has(name string) bool {
	if f[name] != nil {
		return true
	}
	for _, part := range []string{"_bucket", "_count", "_sum"} {
		if whole, ok := strings.CutSuffix(name, part); ok && f[whole].GetType() == dto.MetricType_HISTOGRAM {
			return true
		}
	}
	return false
}

// operatorsKnow fails the test unless the operator's guide explains every metric.
func operatorsKnow(t *testing.T, got families) {
	guide, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range got {
		if strings.HasPrefix(name, "assay_") && !bytes.Contains(guide, []byte("`"+name+"`")) {
			t.Errorf("docs/operations.md does not explain %s", name)
		}
	}
	for _, name := range regexp.MustCompile("`(assay_[a-z_]+)`").FindAllSubmatch(guide, -1) {
		if !got.has(string(name[1])) {
			t.Errorf("docs/operations.md explains %s, which the server does not have", name[1])
		}
	}
}

func TestARequestIsFoundInEveryLog(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p, "--destroy-on-exit")
	c := newCaller(t, p, srv)
	s := c.ready(t, c.create(t, "never-runs", wire.HeaderRequestID, "make-1"))
	r := c.call(t, "POST", "/sessions/"+s+"/exec", wire.ExecRequest{Command: "sleep 60", CommandTimeout: 1}, wire.HeaderRequestID, "slow-1")
	c.end(t, s, must[wire.ExecAccepted](t, r, 202).InteractionID)
	agentLog, err := os.ReadFile(filepath.Join(p.DataDir, "sandboxes", "sandboxes", s, "agent.log"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(agentLog), "request_id=slow-1 timed out") {
		t.Errorf("the agent's log does not name the request of the command: %s", agentLog)
	}
	r = c.call(t, "POST", "/sessions/"+s+"/verify", nil, wire.HeaderRequestID, "judge-1")
	c.job(t, s, must[wire.JobStarted](t, r, 202).JobID)
	c.call(t, "DELETE", "/sessions/"+s, nil, wire.HeaderRequestID, "close-1")
	if err := srv.Stop(); err != nil {
		t.Error(err)
	}
	log := serverLog(t, p)
	for message, request := range map[string]string{
		`msg="verification failed"`: "judge-1", // by a worker, of a job that was stored
		`msg="session ended"`:       "close-1",
		"route=/api/v1/sessions ":   "make-1",
	} {
		found := false
		for line := range strings.Lines(log) {
			found = found || strings.Contains(line, message) && strings.Contains(line, "request_id="+request+"\n")
		}
		if !found {
			t.Errorf("no line %s names request %s: %s", message, request, log)
		}
	}
}
