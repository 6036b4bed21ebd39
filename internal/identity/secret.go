package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"hash/crc32"
	"strings"
)

// Prefixes of secrets, so that people and secret scanners know one when they see it.
const (
	prefixAPIKey  = "ask_"
	prefixRefresh = "art_" // refresh tokens
)

// A secret is a prefix and, in base32, 32 random bytes and their CRC-32: 62 characters.
// The checksum protects nothing; it tells a mistyped secret without a look at the
// database.
const (
	randomBytes = 32
	secretBytes = randomBytes + crc32.Size
)

var (
	secretEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)
	secretLength   = len(prefixAPIKey) + secretEncoding.EncodedLen(secretBytes)
)

// LooksSecret tells whether a text has the form of an API key or a refresh token, even
// of one that is mistyped: it must not be shown.
func LooksSecret(text string) bool {
	return strings.HasPrefix(text, prefixAPIKey) || strings.HasPrefix(text, prefixRefresh)
}

// hintLength is how many characters of a secret are kept to show: the prefix and 30
// of its 256 random bits.
const hintLength = len(prefixAPIKey) + 6

func newSecret(prefix string) string {
	var b [secretBytes]byte
	rand.Read(b[:randomBytes])
	binary.BigEndian.PutUint32(b[randomBytes:], crc32.ChecksumIEEE(b[:randomBytes]))
	return prefix + secretEncoding.EncodeToString(b[:])
}

// wellFormed tells whether secret could be one with that prefix: it has the form and
// its checksum fits.
func wellFormed(prefix, secret string) bool {
	encoded, ok := strings.CutPrefix(secret, prefix)
	if !ok || len(secret) != secretLength {
		return false
	}
	var b [secretBytes]byte
	if _, err := secretEncoding.Decode(b[:], []byte(encoded)); err != nil {
		return false
	}
	if secretEncoding.EncodeToString(b[:]) != encoded {
		return false // its last character has bits that no byte takes
	}
	return binary.BigEndian.Uint32(b[randomBytes:]) == crc32.ChecksumIEEE(b[:randomBytes])
}

// hashOf is what is stored of a secret. A fast hash is enough: 256 random bits cannot
// be guessed.
func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
