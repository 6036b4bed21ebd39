package httpapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"assay/client/wire"
)

var update = flag.Bool("update", false, "write golden files anew")

const golden = "testdata/openapi.golden.json"

func TestOpenAPIIsTheGoldenDocument(t *testing.T) {
	s := newServer(t)
	rec := s.do(t, request{method: "GET", path: "/openapi.json", anonymous: true})
	wantStatus(t, rec, 200)
	var got bytes.Buffer
	if err := json.Indent(&got, rec.Body.Bytes(), "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the document is not %s; if the change of the wire is meant, run go test ./internal/httpapi -update and review it", golden)
	}
}

// operationOf returns the documented operation that a request goes to; nil for none.
func (s *server) operationOf(r *http.Request) *huma.Operation {
	_, pattern := s.api.mux.Handler(r)
	method, path, _ := strings.Cut(pattern, " ")
	item := s.api.huma.OpenAPI().Paths[strings.TrimPrefix(path, wire.BasePath)]
	if item == nil {
		return nil
	}
	return map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodDelete: item.Delete}[method]
}

// checkDocumented holds an answer against the document: its status must be there, and
// its body fit. Every request of every test goes through it.
func (s *server) checkDocumented(t testing.TB, r *http.Request, rec *httptest.ResponseRecorder) {
	t.Helper()
	op := s.operationOf(r)
	if op == nil || rec.Code == http.StatusMethodNotAllowed {
		return
	}
	response := op.Responses[strconv.Itoa(rec.Code)]
	if response == nil {
		t.Errorf("%s answers %d, which is not documented", op.OperationID, rec.Code)
		return
	}
	media := response.Content["application/json"]
	if rec.Header().Get("Content-Type") != "application/json" || rec.Body.Len() == 0 {
		return
	}
	if media == nil {
		t.Errorf("%s answers %d with JSON, which is not documented", op.OperationID, rec.Code)
		return
	}
	var body any
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
		t.Errorf("%s answers %d with what is no JSON: %v", op.OperationID, rec.Code, err)
		return
	}
	var result huma.ValidateResult
	huma.Validate(s.api.huma.OpenAPI().Components.Schemas, media.Schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, body, &result)
	for _, err := range result.Errors {
		t.Errorf("%s answers %d against its schema: %v", op.OperationID, rec.Code, err)
	}
}

func TestEveryOperationIsDescribed(t *testing.T) {
	for path, item := range newServer(t).api.huma.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Delete} {
			if op == nil {
				continue
			}
			if op.Summary == "" || op.Description == "" || len(op.Tags) != 1 || op.OperationID == "" {
				t.Errorf("%s %s: %+v", op.Method, path, op)
			}
			want := []string{"422", "500", "503"}
			if op.OperationID != "health" {
				want = append(want, "429")
			}
			if len(op.Security) > 0 {
				want = append(want, "401")
			}
			if op.RequestBody != nil {
				want = append(want, "400", "413")
			}
			for _, status := range want {
				if op.Responses[status] == nil {
					t.Errorf("%s: %s is not documented", op.OperationID, status)
				}
			}
			for _, p := range op.Parameters {
				if p.Description == "" {
					t.Errorf("%s: parameter %s is not described", op.OperationID, p.Name)
				}
			}
		}
	}
}
