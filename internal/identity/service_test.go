package identity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
)

// rig is a service over a store in memory, with a clock that a test turns.
type rig struct {
	*Service
	store *memoryStore
	clock time.Time
	log   bytes.Buffer
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{store: newMemoryStore(), clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	r.Service = r.open()
	t.Cleanup(func() { r.Close() })
	return r
}

// open returns a service over the store of the rig.
func (r *rig) open() *Service {
	return New(Config{
		Store: r.store,
		Now:   func() time.Time { return r.clock },
		Log:   slog.New(slog.NewTextHandler(&r.log, nil)),
	})
}

// key makes a user with a key.
func (r *rig) key(t *testing.T, email string) (*assay.User, string, *assay.APIKey) {
	t.Helper()
	u, err := r.CreateUser(t.Context(), Operator, "A. User", email)
	if err != nil {
		t.Fatal(err)
	}
	secret, key, err := r.CreateKey(t.Context(), Operator, u.ID, KeyRequest{Name: "laptop"})
	if err != nil {
		t.Fatal(err)
	}
	return u, secret, key
}

func TestAuthenticate(t *testing.T) {
	r := newRig(t)
	u, secret, key := r.key(t, "one@example.org")
	got, _, err := r.Authenticate(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != u.ID {
		t.Errorf("the key of %s opens for %s", u.ID, got.ID)
	}
	if !strings.HasPrefix(secret, key.Hint) || len(key.Hint) > 12 {
		t.Errorf("hint %q does not show the beginning of the secret", key.Hint)
	}
	if bytes.Contains(key.Hash, []byte(secret)) || len(key.Hash) != 32 {
		t.Error("what is stored is not a SHA-256")
	}
}

func TestRefusedTokensAreRefusedInTheSameWords(t *testing.T) {
	r := newRig(t)
	refuse := func(name, token string) string {
		t.Helper()
		_, _, err := r.Authenticate(t.Context(), token)
		if assay.CodeOf(err) != assay.CodeUnauthenticated {
			t.Fatalf("%s: got %v, want unauthenticated", name, err)
		}
		return err.Error()
	}
	unknown := refuse("unknown", newSecret(prefixAPIKey))

	u, revoked, key := r.key(t, "revoked@example.org")
	if err := r.RevokeKey(t.Context(), Operator, u.ID, key.ID); err != nil {
		t.Fatal(err)
	}
	_, expired, key := r.key(t, "expired@example.org")
	for _, k := range r.store.keys {
		if k.ID == key.ID {
			k.ExpiresAt = &r.clock
		}
	}
	u, disabled, _ := r.key(t, "disabled@example.org")
	r.store.users[u.ID].Active = false

	for name, token := range map[string]string{"revoked": revoked, "expired": expired, "disabled": disabled} {
		if msg := refuse(name, token); msg != unknown {
			t.Errorf("a key that is %s is refused with %q, an unknown one with %q", name, msg, unknown)
		}
	}
}

func TestMistypedKeysAreToldWithoutALookup(t *testing.T) {
	r := newRig(t)
	_, secret, _ := r.key(t, "one@example.org")
	r.store.fail = errors.New("the database was asked")
	for i := range secret {
		typo := []byte(secret)
		if typo[i]++; typo[i] == 'v'+1 {
			typo[i] = 'a'
		}
		_, _, err := r.Authenticate(t.Context(), string(typo))
		if assay.CodeOf(err) != assay.CodeUnauthenticated || !strings.Contains(err.Error(), "not an API key") {
			t.Fatalf("a typo at %d: %v", i, err)
		}
	}
	for _, token := range []string{"", "ask_", secret[:len(secret)-1], secret + "0", strings.ToUpper(secret), "eyJhbGciOi.e30.x"} {
		if _, _, err := r.Authenticate(t.Context(), token); assay.CodeOf(err) != assay.CodeUnauthenticated {
			t.Errorf("%q: %v", token, err)
		}
	}
}

func TestADatabaseThatFailsIsNoRefusal(t *testing.T) {
	r := newRig(t)
	_, secret, _ := r.key(t, "one@example.org")
	r.store.fail = errors.New("disk on fire")
	if _, _, err := r.Authenticate(t.Context(), secret); assay.CodeOf(err) != assay.CodeInternal {
		t.Errorf("got %v, want an internal error: the key may be good", err)
	}
}

func TestRevokedKeysOpenNothingAtOnce(t *testing.T) {
	r := newRig(t)
	u, secret, key := r.key(t, "one@example.org")
	other, _, _ := r.key(t, "two@example.org")
	if err := r.RevokeKey(t.Context(), Operator, other.ID, key.ID); assay.CodeOf(err) != assay.CodeAPIKeyNotFound {
		t.Errorf("somebody else's key: got %v, want api_key_not_found", err)
	}
	if _, _, err := r.Authenticate(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if err := r.RevokeKey(t.Context(), Operator, u.ID, key.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Authenticate(t.Context(), secret); assay.CodeOf(err) != assay.CodeUnauthenticated {
		t.Errorf("a revoked key: got %v", err)
	}
	if err := r.RevokeKey(t.Context(), Operator, u.ID, key.ID); assay.CodeOf(err) != assay.CodeAPIKeyNotFound {
		t.Errorf("revoked again: got %v, want api_key_not_found", err)
	}
}

func TestLastUseIsStoredOnceAMinute(t *testing.T) {
	r := newRig(t)
	_, secret, _ := r.key(t, "one@example.org")
	// use sends 20 requests at once to a server that stops then, or goes on.
	use := func(stop bool) int {
		t.Helper()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, _, err := r.Authenticate(t.Context(), secret); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if stop {
			r.Close()
			r.Service = r.open()
		}
		return r.store.count()
	}
	if n := use(true); n != 1 {
		t.Errorf("20 requests wrote the last use %d times", n)
	}
	r.clock = r.clock.Add(59 * time.Second)
	if n := use(true); n != 1 {
		t.Errorf("it was written again within the minute, by the next server")
	}
	r.clock = r.clock.Add(time.Second)
	use(false)
	if n := use(true); n != 2 {
		t.Errorf("after a minute it was written %d times in all, want 2", n)
	}
}

// failTouch is a store that cannot write.
type failTouch struct{ *memoryStore }

func (failTouch) TouchAPIKey(context.Context, string, time.Time) error {
	return errors.New("read-only file system")
}

func TestAFailedNoteTurnsNobodyAway(t *testing.T) {
	r := newRig(t)
	_, secret, key := r.key(t, "one@example.org")
	var log bytes.Buffer
	s := New(Config{Store: failTouch{r.store}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if _, _, err := s.Authenticate(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s.Close() // again does no harm
	if out := log.String(); !strings.Contains(out, key.ID) || strings.Contains(out, secret) {
		t.Errorf("the log must name the key and never hold the secret: %s", out)
	}
}

// stuckTouch is a store whose writes wait.
type stuckTouch struct {
	*memoryStore
	release chan struct{}
}

func (s stuckTouch) TouchAPIKey(context.Context, string, time.Time) error {
	<-s.release
	return nil
}

func TestAStuckDatabaseHoldsNeitherRequestsNorMemory(t *testing.T) {
	r := newRig(t)
	store := stuckTouch{r.store, make(chan struct{})}
	uses := newUseLog(store, slog.Default())
	for range maxNoted + maxPending {
		uses.note(&assay.APIKey{ID: assay.NewID(assay.PrefixAPIKey)}, r.clock)
	}
	if n := len(uses.pending); n > maxPending {
		t.Errorf("%d uses wait", n)
	}
	close(store.release)
	uses.close()
}

func TestNotedKeysAreBounded(t *testing.T) {
	r := newRig(t)
	uses := newUseLog(r.store, slog.Default())
	defer uses.close()
	for i := range maxNoted {
		uses.noted[string(rune(i))] = r.clock
	}
	uses.note(&assay.APIKey{ID: "key_new"}, r.clock)
	if n := len(uses.noted); n > maxNoted {
		t.Errorf("%d keys are remembered", n)
	}
}

func TestCreateUserRefusesWhatIsNone(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct{ name, email string }{
		{"", "a@example.org"},
		{"  ", "a@example.org"},
		{"bell\a", "a@example.org"},
		{strings.Repeat("x", 101), "a@example.org"},
		{"Ada", ""},
		{"Ada", "ada"},
		{"Ada", "ada@"},
		{"Ada", "@example.org"},
		{"Ada", "Ada <ada@example.org>"},
		{"Ada", "ada@example.org, eve@example.org"},
		{"Ada", "ada @example.org"},
		{"Ada", "ada@example.org\n"},
		{"Ada", strings.Repeat("a", 250) + "@example.org"},
	} {
		if _, err := r.CreateUser(t.Context(), Operator, c.name, c.email); assay.CodeOf(err) != assay.CodeInvalid {
			t.Errorf("CreateUser(%q, %q): got %v, want invalid_request", c.name, c.email, err)
		}
	}
	for _, email := range []string{"ada@example.org", "ada+x@example.org", "root@localhost"} {
		if _, err := r.CreateUser(t.Context(), Operator, " Ada Lovelace ", email); err != nil {
			t.Errorf("CreateUser(%q): %v", email, err)
		}
	}
}

func TestAtMostFiftyActiveKeys(t *testing.T) {
	r := newRig(t)
	u, _, key := r.key(t, "one@example.org")
	for range maxActiveKeys - 1 {
		if _, _, err := r.CreateKey(t.Context(), Operator, u.ID, KeyRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := r.CreateKey(t.Context(), Operator, u.ID, KeyRequest{}); assay.CodeOf(err) != assay.CodeConflict {
		t.Errorf("key 51: got %v, want conflict", err)
	}
	if err := r.RevokeKey(t.Context(), Operator, u.ID, key.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.CreateKey(t.Context(), Operator, u.ID, KeyRequest{}); err != nil {
		t.Errorf("with one revoked there is room: %v", err)
	}
}

func TestAKeyMayExpire(t *testing.T) {
	r := newRig(t)
	u, _, _ := r.key(t, "one@example.org")
	for _, wrong := range []time.Time{r.clock, r.clock.Add(-time.Hour), {}, r.clock.AddDate(9000, 0, 0)} {
		if _, _, err := r.CreateKey(t.Context(), Operator, u.ID, KeyRequest{ExpiresAt: &wrong}); assay.CodeOf(err) != assay.CodeInvalid {
			t.Errorf("a key that expires at %s: %v", wrong, err)
		}
	}
	secret, _, err := r.CreateKey(t.Context(), Operator, u.ID, KeyRequest{ExpiresAt: new(r.clock.Add(time.Hour))})
	if err != nil {
		t.Fatal(err)
	}
	r.clock = r.clock.Add(time.Hour - time.Microsecond)
	if _, _, err := r.Authenticate(t.Context(), secret); err != nil {
		t.Errorf("before its end: %v", err)
	}
	r.clock = r.clock.Add(time.Microsecond)
	if _, _, err := r.Authenticate(t.Context(), secret); assay.CodeOf(err) != assay.CodeUnauthenticated {
		t.Errorf("at its end: %v", err)
	}
}

func TestWhoDidWhatIsTold(t *testing.T) {
	r := newRig(t)
	by := Actor{ID: "usr_x", Address: "192.0.2.7"}
	u, err := r.CreateUser(t.Context(), Operator, "Ada", "ada@example.org")
	if err != nil {
		t.Fatal(err)
	}
	secret, key, err := r.CreateKey(t.Context(), by, u.ID, KeyRequest{Name: "laptop"})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.RevokeKey(t.Context(), Operator, u.ID, key.ID); err != nil {
		t.Fatal(err)
	}
	for _, active := range []bool{false, true} {
		if _, err := r.SetActive(t.Context(), Operator, u.ID, active); err != nil {
			t.Fatal(err)
		}
	}
	want := []assay.AuditEvent{
		{At: r.clock, Actor: assay.ActorOperator, Action: assay.AuditUserCreate, UserID: u.ID},
		{At: r.clock, Actor: "usr_x", Address: "192.0.2.7", Action: assay.AuditKeyCreate, UserID: u.ID, Subject: key.ID, Detail: "laptop"},
		{At: r.clock, Actor: assay.ActorOperator, Action: assay.AuditKeyRevoke, UserID: u.ID, Subject: key.ID},
		{At: r.clock, Actor: assay.ActorOperator, Action: assay.AuditUserDisable, UserID: u.ID},
		{At: r.clock, Actor: assay.ActorOperator, Action: assay.AuditUserEnable, UserID: u.ID},
	}
	if diff := cmp.Diff(want, r.store.events); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(fmt.Sprint(r.store.events), secret) {
		t.Error("the audit log holds the key")
	}
}

func TestTermsAreAcceptedOnce(t *testing.T) {
	r := newRig(t)
	u, _, _ := r.key(t, "one@example.org")
	first, err := r.AcceptTerms(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	r.clock = r.clock.Add(time.Hour)
	again, err := r.AcceptTerms(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !again.TermsAcceptedAt.Equal(*first.TermsAcceptedAt) {
		t.Error("accepting the terms again changed the time")
	}
}
