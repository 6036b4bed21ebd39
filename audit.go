package assay

import "time"

// AuditEvent is one line of the audit log: who did what. It is stored in the
// transaction of what it tells, and never changed. No secret is ever in it.
type AuditEvent struct {
	ID      string
	At      time.Time
	Actor   string // a user's id, or one of the Actor constants
	Action  AuditAction
	UserID  string // whom it is about; "" for nobody
	Subject string // id of what it is about, such as a key; "" when the user is all
	Address string // network address of the actor; "" for the command line
	Detail  string // in words
}

// Actors that are no users.
const (
	ActorOperator = "operator" // whoever runs the command line on the server's data
	ActorStripe   = "stripe"   // the payment provider, by a signed event or an answer of its API
	ActorServer   = "server"   // the server itself
)

// AuditAction is what was done.
type AuditAction string

// The actions of the audit log.
const (
	AuditLogin       AuditAction = "login"
	AuditLogout      AuditAction = "logout"
	AuditUserCreate  AuditAction = "user.create"
	AuditUserDisable AuditAction = "user.disable"
	AuditUserEnable  AuditAction = "user.enable"
	AuditKeyCreate   AuditAction = "key.create"
	AuditKeyRevoke   AuditAction = "key.revoke"
	AuditKeysRotate  AuditAction = "keys.rotate" // those that sign access tokens
	AuditCredit      AuditAction = "credit"      // money given by an operator, or as a welcome
	AuditDeposit     AuditAction = "deposit"     // a checkout was opened
	AuditPayment     AuditAction = "payment"     // a deposit was paid and credited
	AuditRefund      AuditAction = "refund"
	AuditDispute     AuditAction = "dispute"

	AuditVerdictWithdraw AuditAction = "verdict.withdraw"
)
