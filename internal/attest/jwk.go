package attest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// KeySet is public keys, as a JWK Set (RFC 7517) writes them.
type KeySet struct {
	Keys []Key `json:"keys"`
}

// Key is an Ed25519 public key as a JWK (RFC 8037).
type Key struct {
	KeyType   string `json:"kty"` // OKP
	Curve     string `json:"crv"` // Ed25519
	X         string `json:"x"`   // the key, base64url
	ID        string `json:"kid"` // its thumbprint
	Use       string `json:"use,omitempty"`
	Algorithm string `json:"alg,omitempty"`
}

func newKey(public ed25519.PublicKey) Key {
	x := base64.RawURLEncoding.EncodeToString(public)
	return Key{KeyType: "OKP", Curve: "Ed25519", X: x, ID: thumbprint(x), Use: "sig", Algorithm: "EdDSA"}
}

// thumbprint is that of RFC 7638, with the members that RFC 8037 requires.
func thumbprint(x string) string {
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// ParseKeys reads a JWK Set. Keys of other kinds are left out.
func ParseKeys(text []byte) (KeySet, error) {
	var set, ours KeySet
	if err := json.Unmarshal(text, &set); err != nil {
		return KeySet{}, fmt.Errorf("read a set of keys: %w", err)
	}
	for _, k := range set.Keys {
		if k.KeyType == "OKP" && k.Curve == "Ed25519" {
			ours.Keys = append(ours.Keys, k)
		}
	}
	if len(ours.Keys) == 0 {
		return KeySet{}, fmt.Errorf("read a set of keys: it has no Ed25519 key")
	}
	return ours, nil
}

// find returns the key with an id, which is what the key itself says it is.
func (s KeySet) find(id string) (ed25519.PublicKey, error) {
	for _, k := range s.Keys {
		if thumbprint(k.X) != id {
			continue
		}
		public, err := base64.RawURLEncoding.Strict().DecodeString(k.X)
		if err != nil || len(public) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("key %s is damaged", id)
		}
		return public, nil
	}
	return nil, fmt.Errorf("it is signed by key %q, which is none of the %d known", id, len(s.Keys))
}
