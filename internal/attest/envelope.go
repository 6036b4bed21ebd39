// Package attest signs verdicts, and checks what was signed: DSSE envelopes with
// Ed25519, JSON Web Keys, and the file that keeps the keys.
package attest

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// MediaType is that of an envelope.
const MediaType = "application/vnd.dsse.envelope.v1+json"

// envelope is a DSSE envelope (github.com/secure-systems-lab/dsse, envelope.md) with one
// signature.
type envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     string      `json:"payload"` // standard base64
	Signatures  []signature `json:"signatures"`
}

type signature struct {
	KeyID string `json:"keyid"`
	Sig   string `json:"sig"` // standard base64
}

// preAuthEncoding is what is signed (DSSE, protocol.md):
//
//	"DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload
func preAuthEncoding(payloadType string, payload []byte) []byte {
	b := []byte("DSSEv1 ")
	b = strconv.AppendInt(b, int64(len(payloadType)), 10)
	b = append(append(append(b, ' '), payloadType...), ' ')
	b = strconv.AppendInt(b, int64(len(payload)), 10)
	return append(append(b, ' '), payload...)
}

// seal returns the envelope of a payload, in the one form that Open takes: a line of
// JSON, without spaces.
func seal(payloadType string, payload []byte, keyID string, key ed25519.PrivateKey) []byte {
	return encode(envelope{
		PayloadType: payloadType,
		Payload:     base64.StdEncoding.EncodeToString(payload),
		Signatures: []signature{{
			KeyID: keyID,
			Sig:   base64.StdEncoding.EncodeToString(ed25519.Sign(key, preAuthEncoding(payloadType, payload))),
		}},
	})
}

func encode(e envelope) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		panic(err) // strings always encode
	}
	return b.Bytes()
}

// Opened is a payload whose signature holds.
type Opened struct {
	Payload []byte
	KeyID   string
}

// Open checks an envelope of a payload type against keys and returns what it holds. It
// is stricter than DSSE: one signature, by the key that it names, and no byte otherwise
// than Keyring.Sign writes it, so that an envelope that was touched at all is refused.
func Open(text []byte, payloadType string, keys KeySet) (*Opened, error) {
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, fmt.Errorf("it is no envelope: %w", err)
	}
	switch {
	case len(e.Signatures) != 1:
		return nil, fmt.Errorf("it has %d signatures instead of one", len(e.Signatures))
	case e.PayloadType != payloadType:
		return nil, fmt.Errorf("it is of type %q, not %s", e.PayloadType, payloadType)
	case !bytes.Equal(text, encode(e)):
		return nil, errors.New("it is not written as the server writes envelopes: it was changed, if only in its form")
	}
	key, err := keys.find(e.Signatures[0].KeyID)
	if err != nil {
		return nil, err
	}
	strict := base64.StdEncoding.Strict()
	payload, err := strict.DecodeString(e.Payload)
	if err != nil {
		return nil, fmt.Errorf("its payload: %w", err)
	}
	sig, err := strict.DecodeString(e.Signatures[0].Sig)
	if err != nil {
		return nil, fmt.Errorf("its signature: %w", err)
	}
	if !ed25519.Verify(key, preAuthEncoding(payloadType, payload), sig) {
		return nil, fmt.Errorf("its signature does not hold: it was changed, or key %s did not sign it", e.Signatures[0].KeyID)
	}
	return &Opened{Payload: payload, KeyID: e.Signatures[0].KeyID}, nil
}
