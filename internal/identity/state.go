package identity

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
)

// stateKey makes and knows the states of browsers that log in. A state is random bytes
// and their MAC, so that one that this server made is known for what it is also when
// nothing is stored of it any more: it was used, or it has expired.
type stateKey []byte

const (
	stateRandomBytes = 24
	stateBytes       = stateRandomBytes + sha256.Size
)

// newState returns a state: 75 characters that a URL takes as they are.
func (k stateKey) newState() string {
	b := make([]byte, stateRandomBytes)
	rand.Read(b)
	return k.stateOf(b)
}

// stateOf is the state of some random bytes.
func (k stateKey) stateOf(b []byte) string {
	return base64.RawURLEncoding.EncodeToString(slices.Concat(b, k.mac("state", b)))
}

// made tells whether a state is one of newState's.
func (k stateKey) made(state string) bool {
	b, err := base64.RawURLEncoding.DecodeString(state)
	if err != nil || len(b) != stateBytes || base64.RawURLEncoding.EncodeToString(b) != state {
		return false // also other ways to write the same bytes
	}
	return hmac.Equal(b[stateRandomBytes:], k.mac("state", b[:stateRandomBytes]))
}

// verifier returns the PKCE verifier (RFC 7636) of a state in a browser. It is stored
// nowhere: it takes this key and the browser's cookie to make it.
func (k stateKey) verifier(state, browser string) string {
	return base64.RawURLEncoding.EncodeToString(k.mac("verifier", []byte(state+" "+browser)))
}

// challengeOf returns the challenge of a PKCE verifier, of the method S256.
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// mac is a MAC of what is said for a purpose.
func (k stateKey) mac(purpose string, said []byte) []byte {
	h := hmac.New(sha256.New, k)
	h.Write([]byte(purpose + " "))
	h.Write(said)
	return h.Sum(nil)
}
