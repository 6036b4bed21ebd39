package catalog

import (
	"bytes"
	"compress/gzip"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// sealer encrypts what is stored, bound to what it is stored for: who has the database and
// not the key learns its size.
type sealer struct{ aead cipher.AEAD }

// newSealer makes a sealer of a key of 32 bytes (AES-256-GCM).
func newSealer(key []byte) (*sealer, error) {
	if len(key) != 32 {
		return nil, fmt.Errorf("the key of alterations has %d bytes instead of 32", len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &sealer{aead}, nil
}

// seal encrypts a value as JSON, compressed, for a purpose.
func (s *sealer) seal(value any, purpose string) ([]byte, error) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if err := errors.Join(json.NewEncoder(z).Encode(value), z.Close()); err != nil {
		return nil, fmt.Errorf("seal %s: %w", purpose, err)
	}
	nonce := make([]byte, s.aead.NonceSize())
	rand.Read(nonce)
	return s.aead.Seal(nonce, nonce, packed.Bytes(), []byte(purpose)), nil
}

// maxOpened bounds what one value may become when it is opened, in bytes.
const maxOpened = 256 << 20

// open reverses seal.
func (s *sealer) open(sealed []byte, purpose string, into any) error {
	size := s.aead.NonceSize()
	if len(sealed) < size {
		return fmt.Errorf("open %s: it is too short", purpose)
	}
	packed, err := s.aead.Open(nil, sealed[:size], sealed[size:], []byte(purpose))
	if err != nil {
		return fmt.Errorf("open %s: it was not sealed with this server's key (alterations.key), or for something else", purpose)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return fmt.Errorf("open %s: %w", purpose, err)
	}
	if err := json.NewDecoder(io.LimitReader(z, maxOpened)).Decode(into); err != nil {
		return fmt.Errorf("open %s: %w", purpose, err)
	}
	return nil
}
