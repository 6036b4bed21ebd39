package verification

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"assay"
)

// Signer signs verdicts.
type Signer interface {
	// Sign returns an envelope with a payload and its signature.
	Sign(payloadType string, payload []byte) []byte
}

// attest adds to a change that stores a verdict the signed verdict, and whether it may
// be reused.
func (s *Service) attest(ctx context.Context, v *assay.Verification, change *Change) {
	if change.Verdict == nil {
		return
	}
	change.Reusable = reusable(change.Verdict)
	if s.cfg.Signer == nil {
		return
	}
	payload, err := canonical(s.statement(v, change))
	if err != nil { // a verdict that cannot be encoded cannot be stored either
		s.cfg.Log.ErrorContext(ctx, "cannot sign a verdict", "verification", v.ID, "err", err)
		return
	}
	change.Envelope = s.cfg.Signer.Sign(assay.StatementType, payload)
}

func (s *Service) statement(v *assay.Verification, change *Change) assay.Statement {
	at := func(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) } // as it is stored
	return assay.Statement{
		VerificationID: v.ID,
		SessionID:      v.SessionID,
		Dataset:        v.Dataset,
		SampleID:       v.SampleID,
		SampleVersion:  v.SampleVersion,
		CreatedAt:      at(v.CreatedAt),
		CompletedAt:    at(*change.CompletedAt),
		Server:         s.cfg.Version,
		Verdict: assay.SignedVerdict{
			Verdict: *change.Verdict,
			Stdout:  digestOf(change.Verdict.Stdout),
			Stderr:  digestOf(change.Verdict.Stderr),
		},
	}
}

func digestOf(out assay.Output) assay.Digest {
	sum := sha256.Sum256([]byte(out.Text))
	return assay.Digest{SHA256: hex.EncodeToString(sum[:]), Bytes: out.Bytes, Truncated: out.Truncated}
}

// canonical encodes a value as JSON in one form: names sorted, no spaces, nothing escaped
// that need not be.
func canonical(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var plain any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&plain); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(plain); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}
