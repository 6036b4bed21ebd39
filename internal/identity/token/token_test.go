package token

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// clock is a clock that a test turns.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func openKeys(t testing.TB, path string, c *clock) *Keyring {
	t.Helper()
	k, err := OpenKeyring(path, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func authority(t testing.TB, keys *Keyring, c *clock) *Authority {
	t.Helper()
	a, err := NewAuthority(Config{Keys: keys, Issuer: "https://assay.test", Audience: "https://assay.test/api/v1", Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var ada = Claims{UserID: "usr_ada", LoginID: "log_1"}

func issue(t testing.TB, a *Authority) string {
	t.Helper()
	token, _, err := a.Issue(ada, a.cfg.Now().Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestATokenSaysWhoForAnHour(t *testing.T) {
	c := newClock()
	a := authority(t, openKeys(t, filepath.Join(t.TempDir(), "keys"), c), c)
	token := issue(t, a)
	got, err := a.Check(token)
	if err != nil || got != ada {
		t.Fatalf("%+v %v", got, err)
	}
	c.pass(time.Hour - time.Second)
	if _, err := a.Check(token); err != nil {
		t.Errorf("before its end: %v", err)
	}
	c.pass(time.Second + leeway + time.Second)
	if _, err := a.Check(token); !errors.Is(err, jwt.ErrTokenExpired) {
		t.Errorf("after its end: %v", err)
	}
	c.pass(-2 * time.Hour)
	if _, err := a.Check(token); err == nil {
		t.Error("a token from the future was taken")
	}
}

func TestAFirstKeyIsMadeOnceAndForItsOwnerAlone(t *testing.T) {
	c := newClock()
	dir := t.TempDir()
	path := filepath.Join(dir, "keys")
	rings := make([]*Keyring, 8)
	var wg sync.WaitGroup
	for i := range rings {
		wg.Go(func() { rings[i] = openKeys(t, path, c) })
	}
	wg.Wait()
	first := authority(t, rings[0], c)
	for _, k := range rings {
		if _, err := authority(t, k, c).Check(issue(t, first)); err != nil {
			t.Errorf("processes that started together have other keys: %v", err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left beside it: %v %v", left, err)
	}
}

func TestRotationOverlaps(t *testing.T) {
	c := newClock()
	path := filepath.Join(t.TempDir(), "keys")
	here, there := openKeys(t, path, c), openKeys(t, path, c) // two processes
	a, b := authority(t, here, c), authority(t, there, c)
	old := issue(t, a)

	id, err := there.Rotate(false)
	if err != nil {
		t.Fatal(err)
	}
	fresh := issue(t, b)
	if !strings.Contains(header(t, fresh), id) {
		t.Errorf("after the rotation %s does not sign: %s", id, header(t, fresh))
	}
	if _, err := a.Check(fresh); err != nil {
		t.Errorf("the other process does not know the new key at once: %v", err)
	}
	c.pass(checkEvery)
	if !strings.Contains(header(t, issue(t, a)), id) {
		t.Error("a second later the other process still signs with the old key")
	}
	for _, x := range []*Authority{a, b} {
		if _, err := x.Check(old); err != nil {
			t.Errorf("a token of before the rotation: %v", err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil || bytes.Count(text, []byte(`"private"`)) != 1 {
		t.Errorf("the retired key can still sign: %s %v", text, err)
	}

	c.pass(retiredFor)
	for _, x := range []*Authority{a, b} {
		if _, ok := x.cfg.Keys.checker(kidOf(t, old)); ok {
			t.Error("nothing that the old key signed can live, and it is still taken")
		}
	}
	if _, err := here.Rotate(false); err != nil {
		t.Fatal(err)
	}
	text, _ = os.ReadFile(path)
	if strings.Contains(string(text), kidOf(t, old)) {
		t.Errorf("the old key is still kept: %s", text)
	}
}

func TestKeysCanBeForgottenAtOnce(t *testing.T) {
	c := newClock()
	a := authority(t, openKeys(t, filepath.Join(t.TempDir(), "keys"), c), c)
	old := issue(t, a)
	if _, err := a.cfg.Keys.Rotate(true); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Check(old); err == nil {
		t.Error("a token of a forgotten key was taken")
	}
	if _, err := a.Check(issue(t, a)); err != nil {
		t.Error(err)
	}
}

func TestUnknownKeysCostAReadASecond(t *testing.T) {
	c := newClock()
	path := filepath.Join(t.TempDir(), "keys")
	k, other := openKeys(t, path, c), openKeys(t, path, c)
	k.checker("unknown") // this second's look
	id, err := other.Rotate(false)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, ok := k.checker(id); ok {
			t.Fatal("the file was read twice within a second")
		}
	}
	c.pass(checkEvery)
	if _, ok := k.checker(id); !ok {
		t.Error("a second later the new key is not known")
	}
}

func TestADamagedKeyringIsRefusedAndKept(t *testing.T) {
	c := newClock()
	good := filepath.Join(t.TempDir(), "keys")
	openKeys(t, good, c)
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"empty":         "",
		"no key":        `{"keys":[]}`,
		"half":          string(text[:len(text)/2]),
		"a short seed":  `{"keys":[{"id":"a","created_at":"2026-03-01T12:00:00Z","private":"AAAA"}]}`,
		"without an id": `{"keys":[{"private":"` + base64.StdEncoding.EncodeToString(make([]byte, 32)) + `"}]}`,
	} {
		path := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenKeyring(path, c.now); err == nil {
			t.Errorf("%s: it was taken", name)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != content {
			t.Errorf("%s: the file was changed", name)
		}
	}
	if err := os.Chmod(good, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeyring(good, c.now); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that others may read: %v", err)
	}
	if _, err := OpenKeyring(filepath.Join(good, "below"), c.now); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a path that cannot be: %v", err)
	}
}

func TestADamagedFileLeavesARunningServerItsKeys(t *testing.T) {
	c := newClock()
	path := filepath.Join(t.TempDir(), "keys")
	a := authority(t, openKeys(t, path, c), c)
	token := issue(t, a)
	if err := os.WriteFile(path, []byte("oops"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.pass(time.Minute)
	if _, err := a.Check(token); err != nil {
		t.Error(err)
	}
	if _, err := a.cfg.Keys.Rotate(false); err == nil {
		t.Error("a damaged file was replaced")
	}
}

func header(t testing.TB, token string) string {
	t.Helper()
	encoded, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func kidOf(t testing.TB, token string) string {
	t.Helper()
	var h struct{ Kid string }
	if err := json.Unmarshal([]byte(header(t, token)), &h); err != nil {
		t.Fatal(err)
	}
	return h.Kid
}

// FuzzAccessToken mutates tokens of a key that has signed for Ada alone: whatever is
// accepted names her.
func FuzzAccessToken(f *testing.F) {
	c := newClock()
	path := filepath.Join(f.TempDir(), "keys")
	seed := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)) // the same in every process that fuzzes
	if err := os.WriteFile(path, []byte(`{"keys":[{"id":"first","created_at":"2026-03-01T12:00:00Z","private":"`+seed+`"}]}`), 0o600); err != nil {
		f.Fatal(err)
	}
	a := authority(f, openKeys(f, path, c), c)
	good := issue(f, a)
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"first","typ":"at+jwt"}`))
	for _, seed := range []string{
		good, good + "=", good + "\n", " " + good, parts[0] + "." + parts[1] + ".", none + "." + parts[1] + ".",
		parts[0] + "." + none + "." + parts[2], "..", "", strings.Repeat("a.", 5000),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		got, err := a.Check(token)
		if err != nil {
			return
		}
		if got != ada || header(t, token) != `{"alg":"EdDSA","kid":"first","typ":"at+jwt"}` {
			t.Fatalf("%q passes as %+v", token, got)
		}
	})
}
