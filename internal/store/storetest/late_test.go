package storetest

import (
	"reflect"
	"slices"
	"testing"

	"assay/internal/billing"
	"assay/internal/session"
	"assay/internal/verification"
)

// A method that a port gains is named among the reads, or Late learns it.
func TestLateKnowsEveryWrite(t *testing.T) {
	known := slices.Concat(Reads, SessionWrites, VerificationWrites, BillingWrites)
	for _, port := range []reflect.Type{reflect.TypeFor[session.Store](), reflect.TypeFor[verification.Store](), reflect.TypeFor[billing.Store]()} {
		for m := range port.Methods() {
			if !slices.Contains(known, m.Name) {
				t.Errorf("%s.%s is neither a read nor a write", port, m.Name)
			}
		}
	}
}
