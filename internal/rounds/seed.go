package rounds

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
)

// Seed is where all choices of a play come from: with the same seed and the same
// alterations, a play makes the same choices, whatever happened in between. It is a secret.
type Seed [32]byte

// DeriveSeed makes the seed of a play from a secret of the server and from what the play is
// of: who asks, the sample in its version, the digest of the work.
func DeriveSeed(secret []byte, parts ...string) Seed {
	return Seed(digest(secret, parts))
}

// digest is a keyed digest of parts, such that no two lists of parts are the same.
func digest(key []byte, parts []string) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		fmt.Fprintf(mac, "%d:%s", len(part), part)
	}
	return mac.Sum(nil)
}

// stream returns the random numbers for a purpose. They depend on no other purpose's.
func (s Seed) stream(purpose ...string) *rand.Rand {
	return rand.New(rand.NewChaCha8([32]byte(digest(s[:], purpose)))) //nolint:gosec // ChaCha8 under a secret key
}

// sequence says in which of the rounds something is altered, one bit a round.
type sequence uint64

// altered tells whether something is altered in the nth round, from 0.
func (s sequence) altered(n int) bool { return s>>n&1 == 1 }

// sequence draws one of so many rounds for a unit, for the nth time: each of those with at
// least one altered round is as likely as any other.
func (s Seed) sequence(unit string, nth, rounds int) sequence {
	return 1 + sequence(s.stream("sequence", unit, fmt.Sprint(nth)).Uint64N(1<<rounds-1))
}

// order ranks what a unit has where nothing else tells what goes first: its alterations, or
// its tests.
func order[T comparable](s Seed, unit, what string, all []T) map[T]int {
	rank := make(map[T]int, len(all))
	for i, n := range s.stream("order", what, unit).Perm(len(all)) {
		rank[all[i]] = n
	}
	return rank
}
