package httpapi

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"assay/client/wire"
	"assay/internal/identity"
)

// forger makes access tokens of its own. It may even have the server's signing key, to
// show that the signature is not all that counts.
type forger struct {
	t      *testing.T
	kid    string
	key    ed25519.PrivateKey // the server's
	header map[string]any     // of a good token
	claims map[string]any
}

func newForger(t *testing.T, a *auth, good string) *forger {
	t.Helper()
	text, err := os.ReadFile(a.keyring)
	if err != nil {
		t.Fatal(err)
	}
	var ring struct {
		Keys []struct {
			ID      string
			Private []byte
		}
	}
	if err := json.Unmarshal(text, &ring); err != nil {
		t.Fatal(err)
	}
	f := &forger{t: t, kid: ring.Keys[0].ID, key: ed25519.NewKeyFromSeed(ring.Keys[0].Private)}
	parts := strings.Split(good, ".")
	for i, into := range []*map[string]any{&f.header, &f.claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(text, into) != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return f
}

// change is a good token's header and claims with changes; nil removes.
type change struct{ header, claims map[string]any }

func (f *forger) signed(c change, sign func(string) []byte) string {
	f.t.Helper()
	encode := func(base, changes map[string]any) string {
		m := maps.Clone(base)
		for k, v := range changes {
			if m[k] = v; v == nil {
				delete(m, k)
			}
		}
		text, err := json.Marshal(m)
		if err != nil {
			f.t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	text := encode(f.header, c.header) + "." + encode(f.claims, c.claims)
	return text + "." + base64.RawURLEncoding.EncodeToString(sign(text))
}

// ours is a token that the server's own key signed.
func (f *forger) ours(c change) string {
	return f.signed(c, func(text string) []byte { return ed25519.Sign(f.key, []byte(text)) })
}

// theirs is a token that a key of the attacker's signed.
func (f *forger) theirs(c change) string {
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	return f.signed(c, func(text string) []byte { return ed25519.Sign(key, []byte(text)) })
}

// hmacWith is a token with the algorithm HS256 and a secret.
func (f *forger) hmacWith(secret []byte) string {
	return f.signed(change{header: map[string]any{"alg": "HS256"}}, func(text string) []byte {
		h := hmac.New(sha256.New, secret)
		h.Write([]byte(text))
		return h.Sum(nil)
	})
}

func (f *forger) rsa() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.signed(change{header: map[string]any{"alg": "RS256"}}, func(text string) []byte {
		sum := sha256.Sum256([]byte(text))
		sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			f.t.Fatal(err)
		}
		return sig
	})
}

func header(name string, value any) change { return change{header: map[string]any{name: value}} }
func claim(name string, value any) change  { return change{claims: map[string]any{name: value}} }

// attacks are tokens that open nothing, by what is wrong with them.
func attacks(f *forger, in, other wire.LoggedIn) map[string]string {
	public := f.key.Public().(ed25519.PublicKey)
	parts := strings.Split(in.AccessToken, ".")
	now := epoch.Unix()
	jwk := map[string]any{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(public)}
	nothing := func(string) []byte { return nil }
	all := map[string]string{
		"alg none":                       f.signed(header("alg", "none"), nothing),
		"alg None":                       f.signed(header("alg", "None"), nothing),
		"alg none with the signature":    f.signed(header("alg", "none"), func(string) []byte { return []byte(parts[2]) }),
		"no alg":                         f.ours(header("alg", nil)),
		"alg of another letter case":     f.ours(header("alg", "eddsa")),
		"HS256 with the public key":      f.hmacWith(public),
		"HS256 with the key's id":        f.hmacWith([]byte(f.kid)),
		"HS256 with nothing":             f.hmacWith(nil),
		"RS256":                          f.rsa(),
		"a key of the attacker's":        f.theirs(change{}),
		"no signature":                   parts[0] + "." + parts[1] + ".",
		"another token's signature":      parts[0] + "." + parts[1] + "." + strings.Split(other.AccessToken, ".")[2],
		"another token's claims":         parts[0] + "." + strings.Split(other.AccessToken, ".")[1] + "." + parts[2],
		"half a signature":               in.AccessToken[:len(in.AccessToken)-40],
		"a signature that is padded":     in.AccessToken + "==",
		"a fourth part":                  in.AccessToken + "." + parts[2],
		"dots alone":                     "..",
		"the refresh token":              in.RefreshToken,
		"the refresh token in three":     in.RefreshToken + "..",
		"wrong audience":                 f.ours(claim("aud", "https://elsewhere.test/api/v1")),
		"audience by its beginning":      f.ours(claim("aud", testAudience+".evil.test")),
		"no audience":                    f.ours(claim("aud", nil)),
		"an empty list of audiences":     f.ours(claim("aud", []string{})),
		"wrong issuer":                   f.ours(claim("iss", "https://elsewhere.test")),
		"no issuer":                      f.ours(claim("iss", nil)),
		"type JWT":                       f.ours(header("typ", "JWT")),
		"type of another letter case":    f.ours(header("typ", "AT+JWT")),
		"no type":                        f.ours(header("typ", nil)),
		"expired":                        f.ours(claim("exp", now-6)),
		"no end":                         f.ours(claim("exp", nil)),
		"an end that is a text":          f.ours(claim("exp", "never")),
		"an end beyond all time":         f.ours(claim("exp", -1)),
		"not yet":                        f.ours(claim("nbf", now+60)),
		"no beginning":                   f.ours(claim("nbf", nil)),
		"made in the future":             f.ours(claim("iat", now+60)),
		"no login":                       f.ours(claim("sid", nil)),
		"a login that never was":         f.ours(claim("sid", "log_00000000000000000000000000")),
		"SQL for a login":                f.ours(claim("sid", "' OR '1'='1")),
		"another user's login":           f.ours(claim("sub", other.UserID)),
		"no user":                        f.ours(claim("sub", nil)),
		"a list for a user":              f.ours(claim("sub", []string{in.UserID})),
		"kid that is a path":             f.theirs(header("kid", "../../../../dev/null")),
		"kid that is SQL":                f.theirs(header("kid", "x' UNION SELECT 'k")),
		"kid empty":                      f.ours(header("kid", "")),
		"no kid":                         f.ours(header("kid", nil)),
		"kid that is a number":           f.ours(header("kid", 0)),
		"kid huge":                       f.theirs(header("kid", strings.Repeat("k", 1000))),
		"kid that is the server's":       f.theirs(header("kid", f.kid)),
		"a jwk of the attacker's":        f.theirs(header("jwk", jwk)),
		"a jwk with the good signature":  f.ours(header("jwk", jwk)),
		"jku":                            f.theirs(header("jku", "https://evil.test/keys")),
		"x5u":                            f.theirs(header("x5u", "https://evil.test/cert")),
		"x5c":                            f.theirs(header("x5c", []string{"AAAA"})),
		"crit":                           f.ours(header("crit", []string{"exp"})),
		"b64":                            f.ours(header("b64", false)),
		"zip":                            f.ours(header("zip", "DEF")),
		"larger than any":                f.ours(claim("x", strings.Repeat("x", 8<<10))),
		"JSON that is no object":         base64.RawURLEncoding.EncodeToString([]byte(`[]`)) + "." + parts[1] + "." + parts[2],
		"in quotes":                      `"` + in.AccessToken + `"`,
		"with another one behind":        in.AccessToken + " " + in.AccessToken,
		"with another one and a comma":   in.AccessToken + ", Bearer " + in.AccessToken,
		"the id of the user":             in.UserID,
		"the prefix of a key and itself": "ask_" + in.AccessToken,
	}
	return all
}

func TestNoForgedTokenOpensAnything(t *testing.T) {
	a := newAuth(t)
	in, other := a.logIn(t, a.octocat("ada")), a.logIn(t, a.octocat("mallory"))
	f := newForger(t, a, in.AccessToken)
	if rec := a.do(t, as(f.ours(change{}), request{method: "GET", path: "/users/me"})); rec.Code != 200 {
		t.Fatalf("the forger cannot make a good token: %s", rec.Body) // then the rest proves nothing
	}
	for name, token := range attacks(f, in, other) {
		t.Run(name, func(t *testing.T) {
			rec := a.do(t, as(token, request{method: "GET", path: "/users/me"}))
			wantError(t, rec, 401, "unauthenticated")
			if rec.Header().Get("Www-Authenticate") != "Bearer" {
				t.Error("no WWW-Authenticate")
			}
		})
	}
	t.Run("refresh with an access token", func(t *testing.T) {
		wantError(t, a.do(t, request{method: "POST", path: "/auth/refresh", body: `{"refresh_token":"` + in.AccessToken + `"}`, anonymous: true}), 401, "unauthenticated")
	})
	t.Run("of a disabled user", func(t *testing.T) {
		if _, err := a.users.SetActive(t.Context(), identity.Operator, in.UserID, false); err != nil {
			t.Fatal(err)
		}
		wantError(t, a.do(t, as(in.AccessToken, request{method: "GET", path: "/users/me"})), 401, "unauthenticated")
	})
	t.Run("an hour later", func(t *testing.T) {
		a.lapsed = time.Hour + 6*time.Second
		wantError(t, a.do(t, as(other.AccessToken, request{method: "GET", path: "/users/me"})), 401, "unauthenticated")
	})
	if strings.Contains(a.log.String(), in.AccessToken) || strings.Contains(a.log.String(), f.kid) {
		t.Error("the log holds a token")
	}
}

func TestWhereATokenCounts(t *testing.T) {
	a := newAuth(t)
	in, other := a.logIn(t, a.octocat("ada")), a.logIn(t, a.octocat("mallory"))
	for name, tt := range map[string]struct {
		path    string
		headers []string // sent as they are, also twice
		want    int
	}{
		"as it should":              {"/users/me", []string{"Authorization: Bearer " + in.AccessToken}, 200},
		"a scheme in lower case":    {"/users/me", []string{"Authorization: bearer " + in.AccessToken}, 200}, // RFC 9110, section 11.1
		"another scheme":            {"/users/me", []string{"Authorization: Basic " + in.AccessToken}, 401},
		"no scheme":                 {"/users/me", []string{"Authorization: " + in.AccessToken}, 401},
		"two headers":               {"/users/me", []string{"Authorization: Bearer " + in.AccessToken, "Authorization: Bearer " + other.AccessToken}, 401},
		"the same header twice":     {"/users/me", []string{"Authorization: Bearer " + in.AccessToken, "Authorization: Bearer " + in.AccessToken}, 401},
		"a header and a proxy's":    {"/users/me", []string{"Proxy-Authorization: Bearer " + in.AccessToken}, 401},
		"an X-Forwarded header":     {"/users/me", []string{"X-Forwarded-Authorization: Bearer " + in.AccessToken}, 401},
		"the query":                 {"/users/me?access_token=" + in.AccessToken, nil, 401},
		"the query, as a header":    {"/users/me?Authorization=Bearer%20" + in.AccessToken, nil, 401},
		"a cookie":                  {"/users/me", []string{"Cookie: access_token=" + in.AccessToken + "; Authorization=Bearer " + in.AccessToken}, 401},
		"a bad header and a cookie": {"/users/me", []string{"Authorization: Bearer x", "Cookie: access_token=" + in.AccessToken}, 401},
	} {
		req := httptest.NewRequest("GET", wire.BasePath+tt.path, nil)
		for _, h := range tt.headers {
			key, value, _ := strings.Cut(h, ": ")
			req.Header.Add(key, value)
		}
		rec := httptest.NewRecorder()
		a.api.Handler().ServeHTTP(rec, req)
		if rec.Code != tt.want {
			t.Errorf("%s: %d, want %d: %s", name, rec.Code, tt.want, rec.Body)
		}
	}
}
