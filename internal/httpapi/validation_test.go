package httpapi

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/client/wire"
)

func TestEveryFaultIsToldAtOnce(t *testing.T) {
	long := strings.Repeat("x", 300)
	tests := []struct {
		name string
		request
		want []string // "loc type msg", sorted
	}{
		{"missing fields", request{method: "POST", path: "/sessions", body: `{}`}, []string{
			"body.dataset missing Field required",
			"body.sample_id missing Field required",
		}},
		{"all kinds at once", request{method: "POST", path: "/sessions", body: `{"dataset":7,"sample_id":"","ttl_minutes":"soon"}`, headers: []string{"Idempotency-Key: " + long}}, []string{
			"body.dataset string_type Input should be a valid string",
			"body.sample_id string_too_short String should have at least 1 character(s)",
			"body.ttl_minutes int_type Input should be a valid integer",
			"header.Idempotency-Key string_too_long String should have at most 255 characters",
		}},
		{"ttl 0", request{method: "POST", path: "/sessions", body: `{"dataset":"d","sample_id":"s","ttl_minutes":0}`}, []string{
			"body.ttl_minutes greater_than_equal Input should be greater than or equal to 1",
		}},
		{"ttl negative", request{method: "POST", path: "/sessions", body: `{"dataset":"d","sample_id":"s","ttl_minutes":-5}`}, []string{
			"body.ttl_minutes greater_than_equal Input should be greater than or equal to 1",
		}},
		{"ttl huge", request{method: "POST", path: "/sessions", body: `{"dataset":"d","sample_id":"s","ttl_minutes":1e300}`}, []string{
			"body.ttl_minutes less_than_equal Input should be less than or equal to 1440",
		}},
		{"ttl with a fraction", request{method: "POST", path: "/sessions", body: `{"dataset":"d","sample_id":"s","ttl_minutes":1.5}`}, []string{
			"body.ttl_minutes int_type Input should be a valid integer",
		}},
		{"no body", request{method: "POST", path: "/sessions"}, []string{"body missing Field required"}},
		{"no body, bad header", request{method: "POST", path: "/sessions", headers: []string{"Idempotency-Key: a b"}}, []string{
			"body missing Field required",
			"header.Idempotency-Key string_pattern_mismatch String should be visible ASCII characters",
		}},
		{"body is a list", request{method: "POST", path: "/sessions", body: `[]`}, []string{
			"body model_attributes_type Input should be a valid dictionary or object to extract fields from",
		}},
		{"null", request{method: "POST", path: "/sessions", body: `null`}, []string{"body missing Field required"}},
		{"field null", request{method: "POST", path: "/sessions", body: `{"dataset":null,"sample_id":"s"}`}, []string{
			"body.dataset string_type Input should be a valid string",
		}},
		{"a field twice", request{method: "POST", path: "/sessions", body: `{"dataset":"d","DATASET":4,"sample_id":"s"}`}, []string{
			"body.dataset value_error Input should be of the type of its field",
		}},
		{"NUL in a name", request{method: "POST", path: "/sessions", body: `{"dataset":"a\u0000b","sample_id":"s"}`}, []string{
			"body.dataset string_pattern_mismatch String should be free of NUL characters",
		}},
		{"empty command", request{method: "POST", path: "/sessions/ses_a/exec", body: `{"command":"","command_timeout":0}`}, []string{
			"body.command string_too_short String should have at least 1 character(s)",
			"body.command_timeout greater_than_equal Input should be greater than or equal to 1",
		}},
		{"NUL in a command", request{method: "POST", path: "/sessions/ses_a/exec", body: `{"command":"a\u0000"}`}, []string{
			"body.command string_pattern_mismatch String should be free of NUL characters",
		}},
		{"timeout beyond any session", request{method: "POST", path: "/sessions/ses_a/exec", body: `{"command":"a","command_timeout":86401}`}, []string{
			"body.command_timeout less_than_equal Input should be less than or equal to 86400",
		}},
		{"command longer than Linux takes", request{method: "POST", path: "/sessions/ses_a/exec", body: `{"command":"` + strings.Repeat("a", 131072) + `"}`}, []string{
			"body.command string_too_long String should have at most 131071 characters",
		}},
		{"command with more bytes than Linux takes", request{method: "POST", path: "/sessions/ses_a/exec", body: `{"command":"` + strings.Repeat("ä", 65536) + `"}`}, []string{
			"body.command string_too_long String should have at most 131071 bytes; write it to a file in parts and run that",
		}},
		{"empty str_to_replace", request{method: "POST", path: "/sessions/ses_a/str_replace", body: `{"file_path":"f","str_to_replace":"","str_to_insert":""}`}, []string{
			"body.str_to_replace string_too_short String should have at least 1 character(s)",
		}},
		{"NUL in a path", request{method: "POST", path: "/sessions/ses_a/str_replace", body: `{"file_path":"f\u0000","str_to_replace":"a","str_to_insert":"b"}`}, []string{
			"body.file_path string_pattern_mismatch String should be free of NUL characters",
		}},
		{"query", request{method: "GET", path: "/samples?page=x&page_size=101&dataset=" + long}, []string{
			"query.dataset string_too_long String should have at most 255 characters",
			"query.page int_parsing Input should be a valid integer, unable to parse string as an integer",
			"query.page_size less_than_equal Input should be less than or equal to 100",
		}},
		{"page 0", request{method: "GET", path: "/samples?page=0"}, []string{
			"query.page greater_than_equal Input should be greater than or equal to 1",
		}},
		{"NUL in a query", request{method: "GET", path: "/samples?search=%00"}, []string{
			"query.search string_pattern_mismatch String should be free of NUL characters",
		}},
		{"no UTF-8 in a query", request{method: "GET", path: "/samples?search=%ff"}, []string{
			"query.search string_unicode Input should be valid UTF-8",
		}},
		{"empty values", request{method: "GET", path: "/sessions?limit=&status=&dataset="}, []string{
			"query.limit int_parsing Input should be a valid integer, unable to parse string as an integer",
			"query.status enum Input should not be empty",
		}},
		{"a query that is none", request{method: "GET", path: "/samples?search=%zz"}, []string{
			"query value_error Query should be percent-encoded",
		}},
		{"unknown status", request{method: "GET", path: "/sessions?status=lost&limit=501"}, []string{
			"query.limit less_than_equal Input should be less than or equal to 500",
			`query.status enum Input should be one of "creating, ready, error, closed, terminated"`,
		}},
		{"wait", request{method: "GET", path: "/sessions/ses_a?wait=61"}, []string{
			"query.wait less_than_equal Input should be less than or equal to 60",
		}},
		{"version in a path", request{method: "GET", path: "/downloads/d/s/one"}, []string{
			"path.version int_parsing Input should be a valid integer, unable to parse string as an integer",
			"query.answers missing Field required",
			"query.expires missing Field required",
			"query.signature missing Field required",
		}},
		{"key", request{method: "DELETE", path: "/users/me/api-keys", body: `{"key_id":3}`}, []string{
			"body.key_id string_type Input should be a valid string",
		}},
	}
	s := newServer(t)
	s.ready("ses_a")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := s.do(t, tt.request)
			wantStatus(t, rec, 422)
			if ct := rec.Header().Get("Content-Type"); ct != "application/json" {
				t.Errorf("Content-Type %q", ct)
			}
			var got []string
			for _, f := range decodeAs[wire.ValidationBody](t, rec).Detail {
				got = append(got, strings.Join(f.Loc, ".")+" "+f.Type+" "+f.Msg)
			}
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsNoSchemaFault(t *testing.T) {
	tests := []struct {
		name string
		request
		status int
		code   assay.Code
	}{
		{"malformed JSON", request{method: "POST", path: "/sessions", body: `{"dataset":`}, 400, assay.CodeInvalid},
		{"two documents", request{method: "POST", path: "/sessions", body: `{} {}`}, 400, assay.CodeInvalid},
		{"not UTF-8", request{method: "POST", path: "/sessions", body: "{\"dataset\":\"\xff\"}"}, 400, assay.CodeInvalid},
		{"body of 1 MiB and a byte", request{method: "POST", path: "/sessions/ses_a/exec", body: padded(1<<20 + 1)}, 413, assay.CodeTooLarge},
		{"edit of 16 MiB and a byte", request{method: "POST", path: "/sessions/ses_a/str_replace", body: padded(16<<20 + 1)}, 413, assay.CodeTooLarge},
		{"NUL in a path", request{method: "GET", path: "/sessions/a%00b"}, 404, assay.CodeNotFound},
		{"no UTF-8 in a path", request{method: "GET", path: "/sessions/a%ffb"}, 404, assay.CodeNotFound},
		{"unknown session", request{method: "GET", path: "/sessions/ses_none"}, 404, assay.CodeSessionNotFound},
		{"unknown path", request{method: "GET", path: "/nothing"}, 404, assay.CodeNotFound},
		{"wrong method", request{method: "PUT", path: "/sessions/ses_a"}, 405, codeMethodNotAllowed},
	}
	s := newServer(t)
	s.ready("ses_a")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantError(t, s.do(t, tt.request), tt.status, string(tt.code)) })
	}
}

// padded is a valid edit, or command, of n bytes.
func padded(n int) string {
	const doc = `{"file_path":"f","str_to_replace":"a","str_to_insert":"b","command":"a"}`
	return doc[:len(doc)-1] + strings.Repeat(" ", n-len(doc)) + "}"
}

func TestBodiesThatAreTaken(t *testing.T) {
	tests := []struct {
		name string
		request
		status int
	}{
		{"unknown fields", request{method: "POST", path: "/sessions", body: `{"dataset":"starter","sample_id":"s","colour":"red"}`}, 201},
		{"an integer with a point", request{method: "POST", path: "/sessions", body: `{"dataset":"starter","sample_id":"s","ttl_minutes":30.0}`}, 201},
		{"an optional null", request{method: "POST", path: "/sessions", body: `{"dataset":"starter","sample_id":"s","ttl_minutes":null}`}, 201},
		{"any Content-Type", request{method: "POST", path: "/sessions", body: `{"dataset":"starter","sample_id":"s"}`, headers: []string{"Content-Type: application/x-www-form-urlencoded"}}, 201},
		{"exactly 1 MiB", request{method: "POST", path: "/sessions/ses_a/exec", body: padded(1 << 20)}, 202},
		{"exactly 16 MiB", request{method: "POST", path: "/sessions/ses_a/str_replace", body: padded(16 << 20)}, 200},
		{"no body where none is needed", request{method: "POST", path: "/users/me/api-keys"}, 201},
		{"a name", request{method: "POST", path: "/users/me/api-keys", body: `{"name":"laptop"}`}, 201},
	}
	s := newServer(t)
	s.ready("ses_a")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantStatus(t, s.do(t, tt.request), tt.status) })
	}
}
