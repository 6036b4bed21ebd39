package e2e_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/client/wire"
	"assay/e2e/harness"
	"assay/internal/github/githubtest"
	"assay/internal/store/pgtest"
)

// vault is secrets, and what was printed where none of them belongs.
type vault struct {
	shop    *shop
	gh      *githubtest.Server
	names   []string // what a secret is, for the test's own output
	secrets []string
	printed bytes.Buffer
}

// keep adds a secret. It returns it, to be used at once.
func (v *vault) keep(name, secret string) string {
	v.names, v.secrets = append(v.names, name), append(v.secrets, secret)
	return secret
}

// run runs a verb of the command line, which may fail, and keeps all that it prints.
func (v *vault) run(t *testing.T, p harness.Program, args ...string) {
	t.Helper()
	cmd := p.Command(t.Context(), args...)
	cmd.Stdout, cmd.Stderr = &v.printed, &v.printed
	_ = cmd.Run() // what it prints then matters as much
}

// found names the secrets that a text holds.
func (v *vault) found(text []byte) (names []string) {
	for i, secret := range v.secrets {
		if secret == "" || bytes.Contains(text, []byte(secret)) {
			names = append(names, v.names[i])
		}
	}
	return names
}

// TestSecretsAreInNoLogAndNoOutput runs through everything that knows a secret, with a
// log that tells all it can. Each was shown to whom it belongs, once, and stands nowhere
// else.
func TestSecretsAreInNoLogAndNoOutput(t *testing.T) {
	t.Parallel()
	v := openVault(t)
	c := v.logsIn(t)
	v.usesKeys(t, c)
	v.pays(t, c)
	v.downloads(t, c)
	v.failsToConnect(t)
	p := v.shop.Program
	for _, verb := range []string{
		"config", "config --log-level debug", "user list --json", "user show " + c.user, "user show --json " + c.user, "audit --limit 1000", "audit --json",
		"billing check", "keys rotate", "user credit " + c.user + " 5 --reason kindness", "migrate", "version", "dataset list", "image list",
		"session list --server " + v.shop.srv.URL, "user disable " + c.user, "keys rotate --forget",
	} {
		v.run(t, p, strings.Fields(verb)...)
	}
	if err := v.shop.srv.Stop(); err != nil {
		t.Error(err)
	}
	log, err := os.ReadFile(filepath.Join(filepath.Dir(p.DataDir), "log"))
	ok(t, err)
	for where, text := range map[string][]byte{"the server's log": log, "what the command line printed": v.printed.Bytes()} {
		if !bytes.Contains(text, []byte(c.user)) {
			t.Errorf("%s does not tell of the user: too little to prove anything", where)
		}
		for _, name := range v.found(text) {
			t.Errorf("%s is in %s", name, where)
		}
	}
}

// openVault starts a shop with every secret that a configuration can have.
func openVault(t *testing.T) *vault {
	t.Helper()
	v := &vault{gh: githubtest.New()}
	t.Cleanup(v.gh.Close)
	database := strings.Replace(pgtest.Database(t), "@", ":"+v.keep("the database's password", "correct-horse-battery")+"@", 1)
	env := []string{
		"ASSAY_GITHUB_CLIENT_ID=" + githubtest.ClientID, "ASSAY_GITHUB_BASE_URL=" + v.gh.URL,
		"ASSAY_GITHUB_CLIENT_SECRET=" + v.keep("GitHub's client secret", githubtest.ClientSecret),
	}
	v.shop = newShopWith(t, database, env, "--log-level", "debug", "--dataset-prices", "e2e=0", "--require-state", "--rate-limit-auth-per-minute=-1")
	return v
}

// logsIn goes through logins that work and logins that do not.
func (v *vault) logsIn(t *testing.T) caller {
	t.Helper()
	v.gh.AddUser(githubtest.Verified("keeper", "keeper@example.org"))
	c := caller{base: v.shop.srv.APIBase()}
	var in wire.LoggedIn
	for _, again := range []string{"first", "second"} {
		code, state, cookie := browser(t, v.shop.srv, v.gh, "keeper")
		v.keep("the "+again+" code", code)
		v.keep("the "+again+" state", state)
		v.keep("the "+again+" cookie", cookie.Value)
		landing := v.shop.srv.URL + "/login?" + url.Values{"code": {code}, "state": {state}}.Encode()
		caller{base: landing}.call(t, "GET", "", nil) // where the browser lands, code and all
		post := func(state string) reply {
			return c.call(t, "POST", "/auth/github", wire.GitHubLogin{Code: code, State: state}, "Cookie", cookie.String())
		}
		refused(t, post(state[:len(state)-1]), 401, assay.CodeUnauthenticated)
		in = must[wire.LoggedIn](t, post(state), 200)
		refused(t, post(state), 401, assay.CodeUnauthenticated)
		v.keep("the "+again+" access token", in.AccessToken)
		v.keep("the "+again+" refresh token", in.RefreshToken)
		fresh := must[wire.TokenRefreshed](t, c.call(t, "POST", "/auth/refresh", wire.TokenRefresh{RefreshToken: in.RefreshToken}), 200)
		v.keep("the "+again+" fresh access token", fresh.AccessToken)
		c.key, c.user = in.AccessToken, in.UserID
		if again == "first" {
			must[wire.LoggedOut](t, c.call(t, "POST", "/auth/logout", wire.Logout{RefreshToken: in.RefreshToken}), 200)
			refused(t, c.call(t, "POST", "/auth/refresh", wire.TokenRefresh{RefreshToken: in.RefreshToken}), 401, assay.CodeUnauthenticated)
			refused(t, c.call(t, "GET", "/users/me", nil), 401, assay.CodeUnauthenticated)
			c.key = ""
		}
	}
	v.gh.Fail("", githubtest.Broken) // and what was sent to it comes back
	code, state, cookie := browserlessLogin(t, v, c)
	refused(t, c.call(t, "POST", "/auth/github", wire.GitHubLogin{Code: code, State: state}, "Cookie", cookie), 503, assay.CodeUnavailable)
	v.gh.Fail("", githubtest.None)
	for _, token := range v.gh.Tokens() {
		v.keep("a token of GitHub's", token)
	}
	wrong := caller{base: c.base, key: v.keep("an access token that was changed", in.AccessToken[:len(in.AccessToken)-4]+"AAAA")}
	refused(t, wrong.call(t, "GET", "/users/me", nil), 401, assay.CodeUnauthenticated)
	return c
}

// browserlessLogin begins a login while GitHub answers nobody.
func browserlessLogin(t *testing.T, v *vault, c caller) (code, state, cookie string) {
	t.Helper()
	r := c.call(t, "GET", "/auth/github/login", nil)
	to, err := url.Parse(r.header.Get("Location"))
	ok(t, err)
	set, err := http.ParseSetCookie(r.header.Get("Set-Cookie"))
	ok(t, err)
	return v.keep("the code that GitHub did not hear of", "a-code-of-nobody"), v.keep("the third state", to.Query().Get("state")),
		set.Name + "=" + v.keep("the third cookie", set.Value)
}

// usesKeys makes, uses, mistypes and revokes API keys.
func (v *vault) usesKeys(t *testing.T, c caller) {
	t.Helper()
	made := must[wire.APIKeyCreated](t, c.call(t, "POST", "/users/me/api-keys", wire.APIKeyCreate{Name: "by the API"}), 201).APIKey
	v.keep("a key of the API", made.Key)
	out, err := v.shop.Run(t.Context(), "key", "create", "--user", c.user, "--name", "by-the-operator", "--json")
	ok(t, err)
	var byOperator struct {
		Key   string `json:"key"`
		KeyID string `json:"key_id"`
	}
	ok(t, json.Unmarshal(out, &byOperator))
	v.keep("a key of the operator's", byOperator.Key)
	another, err := v.shop.NewUser(t.Context(), "Another")
	ok(t, err)
	v.keep("the key of a new user", another.Key)
	mistyped := v.keep("a key with a wrong end", made.Key[:len(made.Key)-1]+string(made.Key[len(made.Key)-1]^1))
	for key, status := range map[string]int{made.Key: 200, byOperator.Key: 200, another.Key: 200, mistyped: 401} {
		if r := (caller{base: c.base, key: key}).call(t, "GET", "/users/me", nil); r.status != status {
			t.Errorf("a key opens with %d: %s", r.status, r.body)
		}
		p := v.shop.Program
		p.Env = append(p.Env, "ASSAY_API_KEY="+key)
		v.run(t, p, "session", "list", "--server", v.shop.srv.URL)
		v.run(t, p, "session", "exec", "ses_of_nobody", "--server", v.shop.srv.URL, "--", "true")
		v.run(t, p, "session", "list", "--server", "http://127.0.0.1:1", "--retry", "1ms")
	}
	v.run(t, v.shop.Program, "key", "revoke", byOperator.KeyID)
	v.run(t, v.shop.Program, "key", "revoke", made.Key) // the key in place of its id, by mistake
	must[wire.APIKeyRevoked](t, c.call(t, "DELETE", "/users/me/api-keys", wire.APIKeyRevoke{KeyID: made.KeyID}), 200)
	refused(t, c.call(t, "DELETE", "/users/me/api-keys", wire.APIKeyRevoke{KeyID: made.Key}), 404, assay.CodeAPIKeyNotFound)
	refused(t, caller{base: c.base, key: made.Key}.call(t, "GET", "/users/me", nil), 401, assay.CodeUnauthenticated)
}

// pays makes deposits, with Stripe up and down, and sends events, true and forged.
func (v *vault) pays(t *testing.T, c caller) {
	t.Helper()
	stripe := v.shop.stripe
	v.keep("Stripe's secret key", stripe.SecretKey)
	v.keep("the webhook's secret", stripe.WebhookSecret)
	stripe.Cut(true)
	refused(t, c.call(t, "POST", "/billing/deposit", wire.DepositCreate{AmountCents: 500}), 503, assay.CodeUnavailable)
	stripe.Cut(false)
	payment := v.shop.paid(t, c, 500)
	ok(t, stripe.Refund(payment, 100))
	v.shop.deliver(t)
	forged := stripe.Sign([]byte("{}"), time.Now().Add(-time.Hour))
	_, mac, _ := strings.Cut(forged, "v1=")
	v.keep("a signature that was too old", mac)
	r := caller{base: v.shop.webhook()}.call(t, "POST", "", "{}", "Stripe-Signature", forged)
	refused(t, r, 400, assay.CodeInvalid)
}

// downloads follows a signed link, and one that was changed.
func (v *vault) downloads(t *testing.T, c caller) {
	t.Helper()
	d := must[wire.Download](t, c.call(t, "GET", "/samples/e2e/quick/download", nil, "Accept", "application/json"), 200)
	link, err := url.Parse(d.DownloadURL)
	ok(t, err)
	v.keep("the signature of a link", link.Query().Get("signature"))
	for link, status := range map[string]int{d.DownloadURL: 200, d.DownloadURL + "x": 404, strings.Replace(d.DownloadURL, "quick", "stale", 1): 404} {
		if r := (caller{base: link}).call(t, "GET", "", nil); r.status != status {
			t.Errorf("a link is answered by %d", r.status)
		}
	}
}

// failsToConnect runs the program with databases that are not there.
func (v *vault) failsToConnect(t *testing.T) {
	t.Helper()
	password := v.keep("the password of a database that is away", "hunter2-hunter2")
	for _, database := range []string{
		"postgres://assay:" + password + "@127.0.0.1:1/assay",
		"postgres://assay:" + password + "%zz@127.0.0.1/assay",
		"postgres://assay:" + password + "@127.0.0.1:port/assay",
		"postgres://127.0.0.1:1/assay?user=assay&password=" + password,
		"mysql://assay:" + password + "@127.0.0.1/assay",
		"host=127.0.0.1 port=1 password=" + password,
	} {
		p := v.shop.Program
		p.DatabaseURL = database
		v.run(t, p, "billing", "check")
		v.run(t, p, "config")
		v.run(t, p, "serve", "--listen", "127.0.0.1:0")
	}
}
