package attest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

const kind = "application/x"

func open(t *testing.T) *Keyring {
	t.Helper()
	k, err := OpenKeyring(filepath.Join(t.TempDir(), "verdicts.keys"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestWhatWasSignedOpens(t *testing.T) {
	k := open(t)
	for _, payload := range []string{"", "{}", "a\x00b\xff"} {
		opened, err := Open(k.Sign(kind, []byte(payload)), kind, k.Public())
		if err != nil || string(opened.Payload) != payload || opened.KeyID != k.Public().Keys[0].ID {
			t.Errorf("%q: %+v, %v", payload, opened, err)
		}
	}
}

// Any other byte at any place, any byte less and any more is refused.
func TestEnvelopeThatWasTouchedIsRefused(t *testing.T) {
	k := open(t)
	keys, sealed := k.Public(), k.Sign(kind, []byte(`{"solved":false}`))
	refused := func(what string, at int, text []byte) {
		if opened, err := Open(text, kind, keys); err == nil {
			t.Errorf("%s byte %d: %s opens as %s", what, at, text, opened.Payload)
		}
	}
	for i := range sealed {
		for b := range 256 {
			if changed := bytes.Clone(sealed); byte(b) != sealed[i] {
				changed[i] = byte(b)
				refused("changed", i, changed)
			}
		}
		refused("without", i, append(bytes.Clone(sealed[:i]), sealed[i+1:]...))
		refused("space before", i, append(append(bytes.Clone(sealed[:i]), ' '), sealed[i:]...))
	}
	refused("more after", len(sealed), append(bytes.Clone(sealed), '\n'))
}

func TestOnlyKnownKeysAndTypesOpen(t *testing.T) {
	ours, other := open(t), open(t)
	sealed := ours.Sign(kind, []byte("{}"))
	if _, err := Open(sealed, kind, other.Public()); err == nil {
		t.Error("an envelope opens with somebody else's keys")
	}
	if _, err := Open(sealed, "application/y", ours.Public()); err == nil {
		t.Error("an envelope opens as another type")
	}
	var e envelope
	if err := json.Unmarshal(sealed, &e); err != nil {
		t.Fatal(err)
	}
	e.Signatures = append(e.Signatures, e.Signatures[0])
	if _, err := Open(encode(e), kind, ours.Public()); err == nil {
		t.Error("an envelope with two signatures opens")
	}
}

func TestRotatedKeysCheckForEver(t *testing.T) {
	k := open(t)
	before := k.Sign(kind, []byte("1"))
	id, err := k.Rotate(false)
	if err != nil {
		t.Fatal(err)
	}
	after := k.Sign(kind, []byte("2"))
	again, err := OpenKeyring(k.path, nil) // another process
	if err != nil {
		t.Fatal(err)
	}
	if keys := again.Public().Keys; len(keys) != 2 || keys[0].ID != id {
		t.Errorf("keys are %+v, want the new one %s first", keys, id)
	}
	for _, sealed := range [][]byte{before, after} {
		if _, err := Open(sealed, kind, again.Public()); err != nil {
			t.Error(err)
		}
	}
	if _, err := again.Rotate(true); err != nil {
		t.Fatal(err)
	}
	for _, sealed := range [][]byte{before, after} { // k sees what the other process did
		if _, err := Open(sealed, kind, k.Public()); err == nil {
			t.Error("a forgotten key checks")
		}
	}
	if text, err := os.ReadFile(k.path); err != nil || bytes.Count(text, []byte("private")) != 1 {
		t.Errorf("the file keeps more than one private key: %v", err)
	}
}

func TestKeysAreMadeOnceAndForTheirOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verdicts.keys")
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wg.Go(func() {
			k, err := OpenKeyring(path, nil)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = k.Public().Keys[0].ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("keys %s and %s were made", id, ids[0])
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("beside the keys there is %v, %v", entries, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeyring(path, nil); err == nil {
		t.Error("keys that others may read are opened")
	}
}

func TestDamagedKeysDoNotStopAServerThatRuns(t *testing.T) {
	k := open(t)
	if err := os.WriteFile(k.path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(k.Sign(kind, []byte("1")), kind, k.Public()); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"{", `{"keys":[]}`, `{"keys":[{"private":"AA=="}]}`} {
		if err := os.WriteFile(k.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenKeyring(k.path, nil); err == nil {
			t.Errorf("%s is opened", text)
		}
	}
}

// The example of RFC 8037, appendices A.2 and A.3.
func TestThumbprint(t *testing.T) {
	if got := thumbprint("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"); got != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" {
		t.Errorf("got %s", got)
	}
}

// The example of DSSE's protocol.md.
func TestPreAuthEncoding(t *testing.T) {
	if got := preAuthEncoding("http://example.com/HelloWorld", []byte("hello world")); string(got) != "DSSEv1 29 http://example.com/HelloWorld 11 hello world" {
		t.Errorf("got %q", got)
	}
}

func TestPublicKeysTravel(t *testing.T) {
	k := open(t)
	text, err := json.Marshal(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ParseKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(k.Sign(kind, []byte("1")), kind, keys); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"", "[]", `{"keys":[]}`, `{"keys":[{"kty":"RSA"}]}`} {
		if _, err := ParseKeys([]byte(text)); err == nil {
			t.Errorf("%q is taken for keys", text)
		}
	}
}
