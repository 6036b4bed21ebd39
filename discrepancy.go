package assay

// Discrepancy is something in which the database and the world do not agree.
type Discrepancy struct {
	Kind DiscrepancyKind
	ID   string // of the row, or of the sandbox
}

// DiscrepancyKind says what does not agree.
type DiscrepancyKind string

// The kinds of discrepancies.
const (
	// SessionOverdue is a live session whose lifetime is over.
	SessionOverdue DiscrepancyKind = "session_overdue"
	// SessionUnowned is a live session that nobody watches.
	SessionUnowned DiscrepancyKind = "session_unowned"
	// SessionWithoutSandbox is a ready session of whose sandbox nothing is left on the host.
	SessionWithoutSandbox DiscrepancyKind = "session_without_sandbox"
	// SandboxOutlives is the sandbox of a session that has ended, and that is watched on.
	SandboxOutlives DiscrepancyKind = "sandbox_outlives_session"
	// SandboxUnowned is a sandbox that nobody uses.
	SandboxUnowned DiscrepancyKind = "sandbox_unowned"
	// InteractionAbandoned is a command without an end, for which nobody waits.
	InteractionAbandoned DiscrepancyKind = "interaction_abandoned"
	// VerificationAbandoned is a verification that has begun, and on which nobody works.
	VerificationAbandoned DiscrepancyKind = "verification_abandoned"
)

// DiscrepancyKinds returns all of them.
func DiscrepancyKinds() []DiscrepancyKind {
	return []DiscrepancyKind{SessionOverdue, SessionUnowned, SessionWithoutSandbox, SandboxOutlives, SandboxUnowned, InteractionAbandoned, VerificationAbandoned}
}
