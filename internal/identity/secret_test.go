package identity

import (
	"bytes"
	"strings"
	"testing"
)

func TestSecretsAreWellFormedAndDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		s := newSecret(prefixAPIKey)
		if !wellFormed(prefixAPIKey, s) || seen[s] {
			t.Fatalf("secret %q is malformed or was made twice", s)
		}
		seen[s] = true
	}
}

func FuzzSecret(f *testing.F) {
	good := newSecret(prefixAPIKey)
	for _, seed := range []string{good, newSecret(prefixRefresh), good[:61], good + "0", strings.ToUpper(good), "ask_", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, secret string) {
		key, refresh := wellFormed(prefixAPIKey, secret), wellFormed(prefixRefresh, secret)
		if key && refresh {
			t.Fatalf("%q is a key and a refresh token", secret)
		}
		if !key {
			return
		}
		encoded := strings.TrimPrefix(secret, prefixAPIKey)
		raw, err := secretEncoding.DecodeString(encoded)
		if err != nil || len(raw) != secretBytes || secretEncoding.EncodeToString(raw) != encoded {
			t.Fatalf("%q passes for a key", secret)
		}
		typo := []byte(secret)
		typo[len(prefixAPIKey)] ^= 1 // 0 and 1, a and b with their neighbours: always another letter
		if wellFormed(prefixAPIKey, string(typo)) {
			t.Fatalf("a typo in %q goes unseen", secret)
		}
	})
}

func FuzzState(f *testing.F) {
	key := stateKey(strings.Repeat("k", 32))
	issued := map[string]bool{}
	for i := range byte(3) {
		state := key.stateOf(bytes.Repeat([]byte{i}, stateRandomBytes)) // the same in every process that fuzzes
		issued[state] = true
		f.Add(state)
		f.Add(state[:len(state)-1])
		f.Add(state + "\n")
		f.Add(state + "=")
	}
	f.Add(stateKey(strings.Repeat("o", 32)).stateOf(make([]byte, stateRandomBytes)))
	f.Add("")
	f.Fuzz(func(t *testing.T, state string) {
		if key.made(state) && !issued[state] {
			t.Fatalf("%q passes for a state of ours", state)
		}
	})
}
