package httpapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
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
