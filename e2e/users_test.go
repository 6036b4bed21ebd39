package e2e_test

import (
	"strings"
	"testing"

	"assay"
	"assay/client/wire"
)

// request is a method, a path and a body that fits its operation.
type request struct {
	method, path string
	body         any
}

// requestsTo are all operations on a session, a command and a verification.
func requestsTo(session, command, verification string) []request {
	of := "/sessions/" + session
	return []request{
		{"GET", of, nil},
		{"GET", of + "?wait=5", nil},
		{"DELETE", of, nil},
		{"POST", of + "/exec", wire.ExecRequest{Command: "true"}},
		{"GET", of + "/interactions/" + command, nil},
		{"GET", of + "/interactions/" + command + "?wait=5", nil},
		{"POST", of + "/str_replace", wire.ReplaceRequest{FilePath: "f", StrToReplace: "a", StrToInsert: "b"}},
		{"POST", of + "/apply", wire.ApplyRequest{Diff: "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n"}},
		{"POST", of + "/verify", nil},
		{"GET", of + "/verify/" + verification, nil},
		{"GET", of + "/verify/" + verification + "?wait=5", nil},
		{"GET", of + "/verify/" + verification + "/verdict", nil},
		{"GET", of + "/diff", nil},
		{"GET", of + "/diff?job_id=" + verification, nil},
	}
}

// What a user has leads to nobody else's.
func TestUsersDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	owner, other := sharedCaller(t), sharedCaller(t)
	session := owner.open(t, "quick")
	command := owner.exec(t, session, "echo secret > f; sleep 1000")
	verification := owner.verify(t, session)
	owner.job(t, session, verification)

	own := other.open(t, "quick")
	refused(t, other.call(t, "GET", "/sessions/"+own+"/interactions/"+command, nil), 404, assay.CodeInteractionNotFound)
	refused(t, other.call(t, "GET", "/sessions/"+own+"/verify/"+verification, nil), 404, assay.CodeJobNotFound)

	list := must[wire.SessionList](t, other.call(t, "GET", "/sessions", nil), 200)
	if list.TotalCount != 1 || list.Sessions[0].SessionID != own {
		t.Errorf("the other user lists %+v", list)
	}
	after := must[wire.SessionList](t, other.call(t, "GET", "/sessions?cursor="+session, nil), 200)
	for _, s := range after.Sessions {
		if s.SessionID != own {
			t.Errorf("a foreign cursor shows session %s", s.SessionID)
		}
	}
	me := must[wire.User](t, owner.call(t, "GET", "/users/me", nil), 200)
	if me.UserID != owner.user || len(me.APIKeys) != 1 || strings.Contains(me.APIKeys[0].Key, owner.key) {
		t.Errorf("the owner is %+v", me)
	}
	refused(t, other.call(t, "DELETE", "/users/me/api-keys", wire.APIKeyRevoke{KeyID: me.APIKeys[0].KeyID}), 404, assay.CodeAPIKeyNotFound)

	// Idempotency keys are a user's own.
	a := owner.create(t, "quick", wire.HeaderIdempotencyKey, "same")
	b := other.create(t, "quick", wire.HeaderIdempotencyKey, "same")
	if a == b {
		t.Error("two users share an idempotency key")
	}
	owner.close(t, a)
	other.close(t, b)
	if s := owner.session(t, session); s.Status != assay.SessionReady {
		t.Errorf("the owner's session is %s", s.Status)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	created := must[wire.APIKeyCreated](t, c.call(t, "POST", "/users/me/api-keys", wire.APIKeyCreate{Name: "second"}), 201)
	second := c
	second.key = created.APIKey.Key
	must[wire.User](t, second.call(t, "GET", "/users/me", nil), 200)
	must[wire.APIKeyRevoked](t, c.call(t, "DELETE", "/users/me/api-keys", wire.APIKeyRevoke{KeyID: created.APIKey.KeyID}), 200)

	mistyped := c
	mistyped.key = c.key[:len(c.key)-1] + string(c.key[len(c.key)-1]^1)
	for name, bad := range map[string]caller{
		"none": {base: c.base}, "revoked": second, "mistyped": mistyped,
		"an id": {base: c.base, key: c.user}, "a long one": {base: c.base, key: strings.Repeat("a", 8000)},
	} {
		requests := append(requestsTo("ses_x", "int_x", "ver_x"),
			request{"POST", "/sessions", createOf("quick")}, request{"GET", "/sessions", nil},
			request{"GET", "/users/me", nil}, request{"POST", "/users/me/api-keys", nil},
			request{"GET", "/samples/e2e/quick/download", nil})
		for _, req := range requests {
			r := bad.call(t, req.method, req.path, req.body)
			refused(t, r, 401, assay.CodeUnauthenticated)
			if r.header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("token %s, %s %s: WWW-Authenticate is %q", name, req.method, req.path, r.header.Get("WWW-Authenticate"))
			}
		}
	}
	for _, open := range []string{"/health", "/datasets", "/samples?dataset=e2e", "/openapi.json"} {
		if r := (caller{base: c.base}).call(t, "GET", open, nil); r.status != 200 {
			t.Errorf("GET %s without a token: %d %s", open, r.status, r.body)
		}
	}
}
