package e2e_test

import (
	"slices"
	"strings"
	"testing"

	"assay/client/wire"
)

// operation is one of the document that the server serves.
type operation struct {
	id, method, path string
	public           bool
}

// operations reads them out of the document.
func operations(t *testing.T, c caller) (all []operation) {
	t.Helper()
	type described struct {
		ID       string                 `json:"operationId"`
		Security *[]map[string][]string `json:"security"`
	}
	doc := must[struct {
		Paths map[string]map[string]described `json:"paths"`
	}](t, c.call(t, "GET", "/openapi.json", nil), 200)
	for path, methods := range doc.Paths {
		for method, op := range methods {
			all = append(all, operation{op.ID, strings.ToUpper(method), path, op.Security != nil && public(*op.Security)})
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return all
}

// public tells whether one of the ways to call an operation asks for nothing: where there
// is another, a token answers more.
func public(ways []map[string][]string) bool {
	return len(ways) == 0 || slices.ContainsFunc(ways, func(way map[string][]string) bool { return len(way) == 0 })
}

// ids are names of things that belong to somebody, by the parameters that take them.
type ids map[string]string

// rule is how an operation is tried.
type rule struct {
	public bool
	names  []string // ids of things that it takes
	query  string   // with what might lead to somebody else's
	body   func(ids) any
}

func body(v any) func(ids) any { return func(ids) any { return v } }

// inSession are the names of a thing in a session.
func inSession(name ...string) []string { return append([]string{"session_id"}, name...) }

// rules are of all operations: who adds one says here how it keeps users apart.
var rules = map[string]rule{
	"health":             {public: true},
	"list-datasets":      {public: true},
	"list-samples":       {public: true, query: "?page_size=1"},
	"get-pricing":        {public: true},
	"begin-github-login": {public: true},
	"github-login":       {public: true, body: func(i ids) any { return wire.GitHubLogin{Code: i["code"]} }},
	"refresh-token":      {public: true, body: func(i ids) any { return wire.TokenRefresh{RefreshToken: i["refresh_token"]} }},
	"payment-webhook":    {public: true, body: body("{}")},                              // signed
	"fetch-download":     {public: true, query: "?expires=1&signature=of-another-link"}, // signed, too

	"download-sample": {},
	"get-user":        {},
	"accept-terms":    {},
	"create-api-key":  {body: body(wire.APIKeyCreate{Name: "another"})},
	"revoke-api-key":  {names: []string{"key_id"}, body: func(i ids) any { return wire.APIKeyRevoke{KeyID: i["key_id"]} }},
	"log-out":         {body: func(i ids) any { return wire.Logout{RefreshToken: i["refresh_token"]} }},
	"get-balance":     {},
	"get-usage":       {query: "?limit=100"},
	"deposit":         {body: body(wire.DepositCreate{AmountCents: 500})},

	"create-session":     {body: body(createOf("quick"))},
	"list-sessions":      {query: "?cursor={session_id}"},
	"get-session":        {names: inSession(), query: "?wait=5"},
	"close-session":      {names: inSession()},
	"exec":               {names: inSession(), body: body(wire.ExecRequest{Command: "touch f"})},
	"get-interaction":    {names: inSession("interaction_id"), query: "?wait=5"},
	"str-replace":        {names: inSession(), body: body(wire.ReplaceRequest{FilePath: "f", StrToReplace: "secret", StrToInsert: "b"})},
	"apply-diff":         {names: inSession(), body: body(wire.ApplyRequest{Diff: "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-secret\n+b\n"})},
	"start-verification": {names: inSession()},
	"get-verification":   {names: inSession("job_id"), query: "?wait=5"},
	"get-verdict":        {names: inSession("job_id")},
	"get-diff":           {names: inSession("job_id"), query: "?job_id={job_id}"},
}

// sameKey is an idempotency key of two users.
const sameKey = "same"

// try calls an operation with names.
func (op operation) try(t *testing.T, c caller, names ids) reply {
	t.Helper()
	path := op.path + rules[op.id].query
	for name, id := range names {
		path = strings.ReplaceAll(path, "{"+name+"}", id)
	}
	path = strings.NewReplacer("{dataset}", "e2e", "{sample_id}", "quick", "{version}", "1").Replace(path)
	var content any
	if rules[op.id].body != nil {
		content = rules[op.id].body(names)
	}
	return c.call(t, op.method, path, content, wire.HeaderIdempotencyKey, sameKey)
}
