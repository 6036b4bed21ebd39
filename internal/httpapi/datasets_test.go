package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"assay"
	"assay/client/wire"
	"assay/internal/dataset"
)

func TestDatasetsOnTheWire(t *testing.T) {
	s := newServer(t)
	rec := s.do(t, request{method: "GET", path: "/datasets"})
	wantJSON(t, rec.Body.Bytes(), `[{"name":"starter","description":null,"sample_count":1,"created_at":"2026-03-01T11:00:00.123456Z",
		"answers":"users","judging":{"rounds":3,"max_odds":1,"require_assurance":"uncontrolled","fresh":"inform","feedback":"full","known":"private"},
		"validated_at":null,"gold_pass_rate":null,"flaky_samples":null,"alterations":null}]`)
	for _, tt := range []struct {
		samples int // that were validated, of 1
		want    string
	}{
		{1, `"validated_at":"2026-03-01T11:00:00.123456Z","gold_pass_rate":0.75,"flaky_samples":1`},
		{0, `"validated_at":null,"gold_pass_rate":0.75,"flaky_samples":null`},
	} {
		s.validation = assay.DatasetValidation{Samples: tt.samples, At: epoch, ReferenceRuns: 4, ReferenceSolved: 3, Flaky: 1}
		rec := s.do(t, request{method: "GET", path: "/datasets"})
		if !strings.Contains(rec.Body.String(), tt.want) {
			t.Errorf("%d validated: %s, want %s", tt.samples, rec.Body, tt.want)
		}
	}
}

func TestDatasetsTellNumbersOfAlterations(t *testing.T) {
	s := newServer(t)
	for want, known := range map[string]assay.DatasetAlterations{
		`"alterations":{"searched":3,"samples":2,"blind_samples":1,"median_odds":1}`:                   {Searched: 3, Altered: 2, Blind: 1},
		`"alterations":{"searched":2,"samples":2,"blind_samples":1,"median_odds":0.5714285714285714}`:  {Searched: 2, Altered: 2, Blind: 1},
		`"alterations":{"searched":1,"samples":1,"blind_samples":1,"median_odds":0.14285714285714285}`: {Searched: 1, Altered: 1, Blind: 1},
		`"alterations":{"searched":1,"samples":0,"blind_samples":0,"median_odds":1}`:                   {Searched: 1},
		`"alterations":null`: {},
	} {
		s.alterations = known
		if rec := s.do(t, request{method: "GET", path: "/datasets"}); !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%+v: %s, want %s", known, rec.Body, want)
		}
	}
}

func TestSampleOnTheWire(t *testing.T) {
	s := newServer(t)
	want := `{"samples":[{"sample_id":"mux-1","dataset":"starter","version":2,"latest":true,"version_description":null,"created_at":"2026-03-01T11:00:00.123456Z",
		"description":null,"language":"go","verifier":"test_suite","instance_id":"mux-1","repo":"gorilla/mux","base_commit":"","environment_setup_commit":"",
		"problem_statement":"it <breaks> & burns","hints_text":"","patch":"","non_code_patch":"","test_patch":"",
		"fail_to_pass":["TestA"],"pass_to_pass":[],"fail_to_fail":[],"answers_withheld":false}],"total_count":1,"page":1,"page_size":%d,"has_more":false}`
	for query, size := range map[string]int{"": 1, "?page=1": 100, "?page_size=7": 7, "?page=1&page_size=1": 1, "?search=MUX": 1, "?dataset=starter": 1} {
		rec := s.do(t, request{method: "GET", path: "/samples" + query})
		wantStatus(t, rec, 200)
		if rec.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%q: %v", query, rec.Header())
		}
		wantJSON(t, rec.Body.Bytes(), fmt.Sprintf(want, size))
	}
	empty := `{"samples":[],"total_count":0,"page":1,"page_size":0,"has_more":false}`
	wantJSON(t, s.do(t, request{method: "GET", path: "/samples?search=zzz"}).Body.Bytes(), empty)
	for _, query := range []string{"?dataset=none", "?dataset=none&page=1"} {
		wantError(t, s.do(t, request{method: "GET", path: "/samples" + query}), 404, "dataset_not_found")
	}
}

func TestSamplePages(t *testing.T) {
	s := newServer(t)
	s.samples = nil
	for i := range 5 {
		s.samples = append(s.samples, &assay.Sample{Dataset: "starter", ID: fmt.Sprint("s", i), Version: 1, Task: assay.Task{Verifier: assay.Verifier{Kind: assay.VerifierLinter}}})
	}
	for _, tt := range []struct {
		query string
		n     int
		more  bool
	}{
		{"?page_size=2", 2, true}, {"?page_size=2&page=2", 2, true}, {"?page_size=2&page=3", 1, false},
		{"?page_size=2&page=4", 0, false}, {"?page_size=5", 5, false}, {"?page=1000000000&page_size=100", 0, false}, {"", 5, false},
	} {
		list := decodeAs[wire.SampleList](t, s.do(t, request{method: "GET", path: "/samples" + tt.query}))
		if len(list.Samples) != tt.n || list.HasMore != tt.more || list.TotalCount != 5 {
			t.Errorf("%q: %d samples of %d, more %v", tt.query, len(list.Samples), list.TotalCount, list.HasMore)
		}
	}
}

// endless is a library of very many samples, made as they are asked for.
type endless struct {
	library
	n int
}

func (e endless) SamplesFor(_ context.Context, _ dataset.Reader, _ dataset.Query, fn func(*assay.Sample) error) error {
	text := strings.Repeat("word ", 2000)
	for i := range e.n {
		if err := fn(&assay.Sample{Dataset: "starter", ID: fmt.Sprint(i), ProblemStatement: text}); err != nil {
			return err
		}
	}
	return nil
}

func TestAllSamplesAreStreamed(t *testing.T) {
	const n = 2000 // 20 MB
	s := newServer(t, func(c *Config) { c.Datasets = endless{c.Datasets.(library), n} })
	srv := httptest.NewServer(s.api.Handler())
	defer srv.Close()
	res, err := http.Get(srv.URL + "/api/v1/samples")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	dec := json.NewDecoder(res.Body)
	for range 2 { // {"samples":
		if _, err := dec.Token(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	count, most := 0, uint64(0)
	for dec.More() {
		var one wire.Sample
		if err := dec.Decode(&one); err != nil {
			t.Fatal(err)
		}
		if count++; count%400 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
		}
	}
	rest, err := io.ReadAll(io.MultiReader(dec.Buffered(), res.Body))
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf(`],"total_count":%d,"page":1,"page_size":%d,"has_more":false}`, n, n); count != n || strings.TrimSpace(string(rest)) != want {
		t.Errorf("%d samples, then %s", count, rest)
	}
	if grown := int64(most) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("memory grew by %d MiB", grown>>20)
	}
}

func TestABrokenStreamDoesNotLookWhole(t *testing.T) {
	s := newServer(t)
	s.samples = []*assay.Sample{{Dataset: "starter", ID: "big", ProblemStatement: strings.Repeat("x", 200<<10)}, {Dataset: "starter", ID: "bad", Repo: "broken"}}
	srv := httptest.NewServer(s.api.Handler())
	defer srv.Close()
	res, err := http.Get(srv.URL + "/api/v1/samples")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read %d bytes without noticing: %v", len(body), err)
	}

	s.samples = s.samples[1:] // fails before anything was written
	rec := s.do(t, request{method: "GET", path: "/samples"})
	if bytes.Contains(rec.Body.Bytes(), []byte("disk on fire")) {
		t.Errorf("leaks %s", rec.Body)
	}
	wantError(t, rec, 500, "internal")
}
