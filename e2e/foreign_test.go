package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/client/wire"
	"assay/internal/github/githubtest"
)

// person is a user who logged in, and has one of everything.
type person struct {
	caller
	things ids
	secret []string // what nobody else may be told
}

// logIn logs a user in and returns the login.
func logIn(t *testing.T, c caller, code string) wire.LoggedIn {
	t.Helper()
	return must[wire.LoggedIn](t, c.call(t, "POST", "/auth/github", wire.GitHubLogin{Code: code}), 200)
}

// newPerson makes one.
func newPerson(t *testing.T, s *shop, gh *githubtest.Server, login string) person {
	t.Helper()
	c := caller{base: s.srv.APIBase()}
	in := logIn(t, c, gh.Code(gh.AddUser(githubtest.Verified(login, login+"@example.org"))))
	c.key, c.user = in.AccessToken, in.UserID
	session := c.ready(t, c.create(t, "quick", wire.HeaderIdempotencyKey, sameKey))
	c.output(t, session, "echo secret > f")
	command := c.exec(t, session, "echo of "+login)
	c.end(t, session, command)
	verification := c.verify(t, session)
	c.job(t, session, verification)
	closed := c.ready(t, c.create(t, "quick"))
	c.close(t, closed)
	key := must[wire.APIKeyCreated](t, c.call(t, "POST", "/users/me/api-keys", nil), 201).APIKey
	deposit := must[wire.DepositCreated](t, c.call(t, "POST", "/billing/deposit", wire.DepositCreate{AmountCents: 500}, wire.HeaderIdempotencyKey, sameKey), 200)
	check(s.stripe.Pay(checkoutOf(deposit)))(t)
	s.deliver(t)
	return person{
		caller: c,
		things: ids{"session_id": session, "interaction_id": command, "job_id": verification, "key_id": key.KeyID, "refresh_token": in.RefreshToken},
		secret: []string{
			in.UserID, login, session, closed, command, verification, key.KeyID, key.Key, deposit.DepositID, checkoutOf(deposit),
			*c.balance(t).StripeCustomerID,
		},
	}
}

// nobodys are things that never were.
var nobodys = func() ids {
	none := strings.Repeat("0", 26)
	return ids{"session_id": "ses_" + none, "interaction_id": "int_" + none, "job_id": "ver_" + none, "key_id": "key_" + none}
}()

// mixtures are all ways to name things of which at least one is the owner's. Each
// comes with the same in which that one is nobody's.
func mixtures(names []string, owner, own ids) (foreign, absent []ids) {
	foreign, absent = []ids{{}}, []ids{{}}
	for _, name := range names {
		var f, a []ids
		for i := range foreign {
			for _, pair := range [][2]string{{owner[name], nobodys[name]}, {own[name], own[name]}, {nobodys[name], nobodys[name]}} {
				f, a = append(f, maps.Clone(foreign[i])), append(a, maps.Clone(absent[i]))
				f[len(f)-1][name], a[len(a)-1][name] = pair[0], pair[1]
			}
		}
		foreign, absent = f, a
	}
	for i := len(foreign) - 1; i >= 0; i-- {
		if maps.Equal(foreign[i], absent[i]) {
			foreign, absent = slices.Delete(foreign, i, i+1), slices.Delete(absent, i, i+1)
		}
	}
	return foreign, absent
}

// withLogins starts a shop that people log in to, and whose sessions are free.
func withLogins(t *testing.T) (*shop, *githubtest.Server) {
	t.Helper()
	gh := githubtest.New()
	t.Cleanup(gh.Close)
	return newShop(t, "", "--dataset-prices", "e2e=0", "--github-client-id", githubtest.ClientID,
		"--github-client-secret", githubtest.ClientSecret, "--github-base-url", gh.URL, "--rate-limit-auth-per-minute=-1"), gh
}

// TestNoOperationReachesSomebodyElses: whatever a user names of another's, it is as if
// it never was, and stays as it is.
func TestNoOperationReachesSomebodyElses(t *testing.T) {
	t.Parallel()
	s, gh := withLogins(t)
	owner, other := newPerson(t, s, gh, "owner"), newPerson(t, s, gh, "other")
	before := owner.everything(t)
	all := operations(t, owner.caller)
	for _, op := range all {
		t.Run(op.id, func(t *testing.T) {
			rule, known := rules[op.id]
			if !known {
				t.Fatalf("nothing says how %s %s keeps users apart", op.method, op.path)
			}
			if len(rule.names) > 0 {
				foreign, absent := mixtures(rule.names, owner.things, other.things)
				for i := range foreign {
					notThere(t, op, other, foreign[i], absent[i])
				}
				return
			}
			c := other.caller // logged in afresh: to log out is an operation, too
			c.key = logIn(t, c, gh.Code(gh.AddUser(githubtest.Verified("fresh"+op.id, "fresh@example.org")))).AccessToken
			names := maps.Clone(owner.things)
			names["code"] = gh.Code(gh.AddUser(githubtest.Verified("page"+op.id, "page@example.org")))
			for _, c := range []caller{other.caller, c} {
				if op.id == "log-out" && c == other.caller {
					continue
				}
				r := op.try(t, c, names)
				if r.status >= 300 && !rule.public {
					t.Errorf("%d %s", r.status, r.body)
				}
				for _, secret := range owner.secret {
					if op.id != "refresh-token" && strings.Contains(string(r.body), secret) {
						t.Errorf("the answer tells of %s: %.1000s", secret, r.body)
					}
				}
			}
		})
	}
	if after := owner.everything(t); after != before {
		t.Errorf("what the owner has changed (-before +after):\n%s", cmp.Diff(before, after))
	}
	must[wire.TokenRefreshed](t, owner.call(t, "POST", "/auth/refresh", wire.TokenRefresh{RefreshToken: owner.things["refresh_token"]}), 200)
	for id := range rules {
		if !slices.ContainsFunc(all, func(op operation) bool { return op.id == id }) {
			t.Errorf("there is a rule for %s, and no such operation", id)
		}
	}
}

// notThere checks that an operation on somebody else's is answered as one on nothing.
func notThere(t *testing.T, op operation, c person, foreign, absent ids) {
	t.Helper()
	got, want := op.try(t, c.caller, foreign), op.try(t, c.caller, absent)
	if got.status != 404 || !strings.HasSuffix(got.code(), "_not_found") {
		t.Errorf("with %v: %d %s", foreign, got.status, got.body)
	}
	told := string(got.body)
	for name, id := range foreign {
		told = strings.ReplaceAll(told, id, absent[name])
	}
	if want.status != got.status || told != string(want.body) {
		t.Errorf("somebody else's is told from none:\n%d %s%d %s", got.status, got.body, want.status, want.body)
	}
}

// everything is all that a user has, but for what changes by itself.
func (p person) everything(t *testing.T) string {
	t.Helper()
	var told strings.Builder
	of := "/sessions/" + p.things["session_id"]
	for _, path := range []string{
		"/users/me", "/billing/balance", of + "/interactions/" + p.things["interaction_id"], of + "/verify/" + p.things["job_id"],
	} {
		r := p.call(t, "GET", path, nil)
		fmt.Fprintf(&told, "%d %s", r.status, r.body)
	}
	as := json.NewEncoder(&told)
	for _, session := range p.listed(t) {
		session.DurationSeconds = nil
		ok(t, as.Encode(session))
	}
	for _, line := range p.lines(t) {
		if line.Status == "pending" {
			line.CreatedAt, line.DurationMinutes = time.Time{}, nil
		}
		ok(t, as.Encode(line))
	}
	return told.String() + p.output(t, p.things["session_id"], "cat f")
}

// TestNothingIsOpenButWhatIsPublic: without a token, every other operation says 401.
func TestNothingIsOpenButWhatIsPublic(t *testing.T) {
	t.Parallel()
	s, gh := withLogins(t)
	nobody := caller{base: s.srv.APIBase()}
	in := logIn(t, nobody, gh.Code(gh.AddUser(githubtest.Verified("somebody", "somebody@example.org"))))
	names := maps.Clone(nobodys)
	names["refresh_token"], names["code"] = in.RefreshToken, gh.Code(gh.AddUser(githubtest.Verified("next", "next@example.org")))
	for _, op := range operations(t, nobody) {
		r := op.try(t, nobody, names)
		switch public := rules[op.id].public; {
		case op.public != public:
			t.Errorf("%s: that the document says it is public is %t", op.id, op.public)
		case !public && (r.status != 401 || r.header.Get("WWW-Authenticate") != "Bearer"):
			t.Errorf("%s without a token: %d %s", op.id, r.status, r.body)
		case public && r.status == 401:
			t.Errorf("%s, which is public: %d %s", op.id, r.status, r.body)
		}
	}
}
