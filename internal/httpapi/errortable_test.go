package httpapi

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"testing"

	"assay"
)

const errorsDoc = "../../docs/errors.md"

// TestErrorsAreDocumented holds docs/errors.md to the tables; -update writes it.
func TestErrorsAreDocumented(t *testing.T) {
	var doc bytes.Buffer
	doc.WriteString(`# Errors

A refused request is answered with ` + "`" + `{"detail":{"code":"...","message":"..."}}` + "`" + `. The code is stable; the message says what happened and what to do. A request
that does not fit the schema is answered with 422 and ` + "`" + `{"detail":[{"loc":["body","dataset"],"msg":"Field required","type":"missing"}]}` + "`" + `, all faults at once.

Every answer carries ` + "`X-Request-Id`" + `; a client may choose it (up to 128 letters, digits, dots, dashes and underscores). A 5xx message names it and tells no more:
the cause is in the server's log under that id. 409 carries ` + "`X-Should-Retry: false`" + `, 429 ` + "`Retry-After` and `X-RateLimit-*`" + `, 503 ` + "`Retry-After`" + `.

## Codes of refused requests

This table is made from the one in ` + "`internal/httpapi/errortable.go`" + `.

| status | code | |
|---|---|---|
`)
	codes := slices.SortedFunc(maps.Keys(errorTable), func(a, b assay.Code) int {
		return cmp.Or(errorTable[a].status-errorTable[b].status, cmp.Compare(a, b))
	})
	for _, code := range codes {
		fmt.Fprintf(&doc, "| %d | `%s` | %s |\n", errorTable[code].status, code, errorTable[code].doc)
	}
	doc.WriteString(`
## Why a session or a verification ended

These stand in the ` + "`error`" + ` of a session that is ` + "`terminated` or `error`" + `, and of a verification that is ` + "`error`" + `. None of them says anything about the agent's work.

| code | |
|---|---|
`)
	for _, code := range slices.Sorted(maps.Keys(reasonTable)) {
		fmt.Fprintf(&doc, "| `%s` | %s |\n", code, reasonTable[code])
	}
	doc.WriteString(`
## Trying again

- ` + "`Idempotency-Key`" + ` on the POST of a session, a command or a verification makes it safe to send again: the same key and the same request return what the first one
  made; the same key with another request is ` + "`conflict`" + `. Keys belong to a user. Up to 255 visible ASCII characters.
- A ` + "`str_replace`" + ` that is sent again finds its string gone, says so, and changes nothing. DELETE of a session may always be sent again.
- A new API key whose answer was lost is lost: revoke it and make another.
`)
	if *update {
		if err := os.WriteFile(errorsDoc, doc.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(errorsDoc)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(doc.Bytes(), want) {
		t.Errorf("%s does not tell the tables; run go test ./internal/httpapi -update", errorsDoc)
	}
}

func TestEveryStatusHasItsHeadersAndText(t *testing.T) {
	for code, kind := range errorTable {
		if http.StatusText(kind.status) == "" || kind.doc == "" {
			t.Errorf("%s: %+v", code, kind)
		}
		if again := kind.status == 429 || kind.status == 503; again != (kind.retryAfter > 0) {
			t.Errorf("%s: status %d with Retry-After %d", code, kind.status, kind.retryAfter)
		}
		if statusText[kind.status] == "" && kind.status != http.StatusMethodNotAllowed {
			t.Errorf("%s: status %d has no text for the document", code, kind.status)
		}
	}
	if _, kind := kindOf("never heard of"); kind.status != 500 {
		t.Errorf("an unknown code is %d", kind.status)
	}
}
