package storetest

import (
	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/identity"
	"assay/internal/verification"
)

var withdrawalTests = []test{
	{"a verdict is withdrawn once, and tells it from then on", testWithdraw},
	{"what is no verdict is not withdrawn", testWithdrawNothing},
}

var byOperator = assay.AuditEvent{At: at, Actor: assay.ActorOperator, Action: assay.AuditVerdictWithdraw, Detail: "a forgery"}

func testWithdraw(f fixture) {
	s := f.ready()
	v, other := f.completed(s, "k", true), f.completed(s, "k", true)
	if w, err := f.Withdrawal(f.ctx, v.ID); w != nil || err != nil {
		f.Errorf("withdrawn before it was: %+v, %v", w, err)
	}
	event := byOperator
	event.Subject = v.ID
	want := &assay.Withdrawal{At: kept, Reason: "a \x00 forgery"}
	f.must(f.Withdraw(f.ctx, v.ID, *want, event))
	want.Reason = "a \uFFFD forgery"
	got, err := f.Withdrawal(f.ctx, v.ID)
	f.must(err)
	if diff := cmp.Diff(want, got); diff != "" {
		f.Error(diff)
	}
	read, err := f.Verification(f.ctx, v.UserID, v.SessionID, v.ID)
	f.must(err)
	if diff := cmp.Diff(want, read.Withdrawn); diff != "" || read.Verdict == nil || read.Status != assay.VerificationCompleted {
		f.Errorf("it is read as %+v: %s", read, diff)
	}
	f.code(f.Withdraw(f.ctx, v.ID, *want, event), assay.CodeConflict)

	// It stands for no other work; the next one does, and is as it was.
	reused, err := f.ReusableVerification(f.ctx, "k")
	f.must(err)
	if reused.ID != other.ID || reused.Withdrawn != nil {
		f.Errorf("%+v is reused, want %s", reused, other.ID)
	}
	events, err := f.Audit(f.ctx, identity.AuditQuery{Action: assay.AuditVerdictWithdraw, UserID: v.UserID, Limit: 10})
	f.must(err)
	if len(events) != 1 || events[0].Subject != v.ID || events[0].Actor != assay.ActorOperator || events[0].Detail != "a forgery" {
		f.Errorf("the audit log tells %+v", events)
	}
}

func testWithdrawNothing(f fixture) {
	v := f.pending(f.ready())
	f.code(f.Withdraw(f.ctx, v.ID, assay.Withdrawal{At: at, Reason: "x"}, byOperator), assay.CodeConflict)
	f.ended(v, verification.Change{Status: assay.VerificationError})
	f.code(f.Withdraw(f.ctx, v.ID, assay.Withdrawal{At: at, Reason: "x"}, byOperator), assay.CodeConflict)
	f.code(f.Withdraw(f.ctx, "ver_none", assay.Withdrawal{At: at, Reason: "x"}, byOperator), assay.CodeJobNotFound)
	if w, err := f.Withdrawal(f.ctx, v.ID); w != nil || err != nil {
		f.Errorf("withdrawn: %+v, %v", w, err)
	}
	events, err := f.Audit(f.ctx, identity.AuditQuery{Action: assay.AuditVerdictWithdraw, UserID: v.UserID, Limit: 10})
	f.must(err)
	if len(events) != 0 {
		f.Errorf("the audit log tells %+v", events)
	}
}
