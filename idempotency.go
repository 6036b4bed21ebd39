package assay

// Idempotency is a client's Idempotency-Key and the hash of the request it came
// with. The zero value is a request without a key.
type Idempotency struct {
	Key         string
	RequestHash string
}
