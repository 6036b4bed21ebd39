package billing

// Observer hears what the service did, for metrics. Its methods do not block.
type Observer interface {
	// PaymentEvent tells what became of a notification of the payment provider. Its
	// type is as the provider calls it; "other" for those that do not concern deposits, and
	// "unknown" for one that is not signed.
	PaymentEvent(kind, outcome string)
}

// What becomes of a notification.
const (
	EventApplied = "applied"
	EventAgain   = "again"   // it was dealt with before
	EventForeign = "foreign" // it is of no deposit that is known
	EventIgnored = "ignored" // it does not concern deposits
	EventRefused = "refused" // its signature does not fit
	EventFailed  = "failed"  // the provider sends it again
)

func outcomeOf(s Settled) string {
	switch {
	case s.Foreign:
		return EventForeign
	case s.Again:
		return EventAgain
	}
	return EventApplied
}

type nobody struct{}

func (nobody) PaymentEvent(string, string) {}
