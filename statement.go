package assay

import "time"

// StatementType is the payload type of a signed verdict (DSSE).
const StatementType = "application/vnd.assay.verdict+json"

// Statement is what is signed of a verification. Its form is public and only ever grows;
// durations are in nanoseconds.
type Statement struct {
	VerificationID string        `json:"verification_id"`
	SessionID      string        `json:"session_id"`
	Dataset        string        `json:"dataset"`
	SampleID       string        `json:"sample_id"`
	SampleVersion  int           `json:"sample_version"`
	CreatedAt      time.Time     `json:"created_at"`
	CompletedAt    time.Time     `json:"completed_at"`
	Server         string        `json:"server"` // version of the program that judged
	Verdict        SignedVerdict `json:"verdict"`
}

// SignedVerdict is a verdict with digests in the place of the verifier's output.
type SignedVerdict struct {
	Verdict
	Stdout Digest `json:"stdout"`
	Stderr Digest `json:"stderr"`
}

// Digest is what is signed of an output.
type Digest struct {
	SHA256    string `json:"sha256"` // of the text that was kept, in hex
	Bytes     int64  `json:"bytes"`  // of all that was written
	Truncated bool   `json:"truncated"`
}
