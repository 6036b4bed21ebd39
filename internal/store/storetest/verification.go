package storetest

import (
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/session"
	"assay/internal/verification"
)

var verificationTests = []test{
	{"a verification is read as it was stored", testVerification},
	{"a verification of another session or user does not exist", testVerificationOwner},
	{"broken rules are told apart", testVerificationConstraints},
	{"open verifications are limited, also under concurrency", testVerificationLimit},
	{"an idempotency key stores one verification", testVerificationIdempotency},
	{"a move sets what it names and no more", testMoveVerification},
	{"one of many moves wins", testMoveVerificationRace},
	{"a move that is forbidden is refused", testMoveVerificationForbidden},
	{"verdicts are listed, some at a time", testCompleted},
	{"a handle is stored while the verification is open", testVerificationHandle},
}

func newVerification(s *assay.Session) *assay.Verification {
	return &assay.Verification{
		ID: assay.NewID(assay.PrefixVerification), SessionID: s.ID, UserID: s.UserID, Dataset: s.Dataset, SampleID: s.SampleID,
		SampleVersion: s.SampleVersion, Status: assay.VerificationPending, CreatedAt: kept, Location: "here",
	}
}

func (f fixture) pending(s *assay.Session) *assay.Verification {
	f.Helper()
	v, _, err := f.InsertVerification(f.ctx, newVerification(s), session.Idempotency{}, 0, "")
	f.must(err)
	return v
}

func testVerification(f fixture) {
	s := f.ready()
	want := newVerification(s)
	want.CreatedAt, want.Feedback = at, assay.FeedbackVerdict
	got, created, err := f.InsertVerification(f.ctx, want, session.Idempotency{}, 1, "")
	f.must(err)
	if !created {
		f.Error("the first verification was not created")
	}
	want.CreatedAt = kept
	read, err := f.Verification(f.ctx, s.UserID, s.ID, want.ID)
	f.must(err)
	byServer, err := f.Verification(f.ctx, "", "", want.ID)
	f.must(err)
	for _, v := range []*assay.Verification{got, read, byServer} {
		if diff := cmp.Diff(want, v); diff != "" {
			f.Error(diff)
		}
	}
}

func testVerificationOwner(f fixture) {
	s, other := f.ready(), f.ready()
	v := f.pending(s)
	for _, ids := range [][3]string{
		{other.UserID, s.ID, v.ID}, {s.UserID, other.ID, v.ID}, {s.UserID, s.ID, "ver_none"}, {"", s.ID, v.ID}, {s.UserID, "", v.ID},
	} {
		_, err := f.Verification(f.ctx, ids[0], ids[1], ids[2])
		f.code(err, assay.CodeJobNotFound)
	}
}

func testCompleted(f fixture) {
	s := f.ready()
	var want []string
	for range 5 {
		want = append(want, f.completed(s, "", false).ID)
	}
	f.pending(s)
	f.ended(f.pending(s), verification.Change{Status: assay.VerificationError, Failure: &assay.Failure{Code: assay.CodeInternal, Message: "x"}})
	for _, dataset := range []string{"", s.Dataset} {
		var got []string
		after := want[0]
		for {
			some, err := f.Completed(f.ctx, dataset, after, 3)
			f.must(err)
			if len(some) == 0 {
				break
			}
			for _, v := range some {
				if v.Verdict == nil || v.Status != assay.VerificationCompleted {
					f.Errorf("it is read as %+v", v)
				}
				if after = v.ID; v.SessionID == s.ID { // the database may hold others
					got = append(got, v.ID)
				}
			}
		}
		if !slices.Equal(got, want[1:]) {
			f.Errorf("of dataset %q after %s: %q, want %q", dataset, want[0], got, want[1:])
		}
	}
	if some, err := f.Completed(f.ctx, "none", "", 3); err != nil || len(some) > 0 {
		f.Errorf("of no dataset: %d, %v", len(some), err)
	}
}

func testVerificationConstraints(f fixture) {
	s := f.ready()
	insert := func(change func(*assay.Verification)) error {
		v := newVerification(s)
		change(v)
		_, _, err := f.InsertVerification(f.ctx, v, session.Idempotency{}, 0, "")
		return err
	}
	first := f.pending(s)
	f.code(insert(func(v *assay.Verification) { v.ID = first.ID }), assay.CodeConflict)
	f.code(insert(func(v *assay.Verification) { v.SessionID = "ses_none" }), assay.CodeSessionNotFound)
	f.code(insert(func(v *assay.Verification) { v.UserID = "usr_none" }), assay.CodeUserNotFound)
	f.code(insert(func(v *assay.Verification) { v.SampleVersion = 9 }), assay.CodeSampleNotFound)
}

func testVerificationLimit(f fixture) {
	s, other := f.ready(), f.ready()
	f.pending(other)
	stored := race(8, func(int) bool {
		_, created, err := f.InsertVerification(f.ctx, newVerification(s), session.Idempotency{}, 3, "")
		if err != nil {
			f.code(err, assay.CodeTooManyJobs)
		}
		return created
	})
	if stored != 3 {
		f.Errorf("%d verifications were stored, want 3", stored)
	}
	open, err := f.OpenVerifications(f.ctx)
	f.must(err)
	if len(open) != 4 {
		f.Fatalf("%d verifications are open, want 4", len(open))
	}
	i := slices.IndexFunc(open, func(v *assay.Verification) bool { return v.SessionID == s.ID })
	_, _, err = f.MoveVerification(f.ctx, open[i].ID, assay.VerificationPending, verification.Change{Status: assay.VerificationCancelled})
	f.must(err)
	_, _, err = f.InsertVerification(f.ctx, newVerification(s), session.Idempotency{}, 3, "")
	f.must(err)
}

func testVerificationIdempotency(f fixture) {
	s := f.ready()
	idem := session.Idempotency{Key: "k", RequestHash: "h"}
	created := race(8, func(int) bool {
		_, created, err := f.InsertVerification(f.ctx, newVerification(s), idem, 1, "")
		f.code(err, "")
		return created
	})
	open, err := f.OpenVerifications(f.ctx)
	f.must(err)
	if created != 1 || len(open) != 1 {
		f.Fatalf("%d verifications were created and %d stored, want one", created, len(open))
	}
	got, err := f.VerificationByKey(f.ctx, s.UserID, s.ID, idem)
	f.must(err)
	if got.ID != open[0].ID {
		f.Errorf("the key finds %s, want %s", got.ID, open[0].ID)
	}
	_, err = f.VerificationByKey(f.ctx, s.UserID, s.ID, session.Idempotency{Key: "unused", RequestHash: "h"})
	f.code(err, assay.CodeJobNotFound)

	idem.RequestHash = "other"
	_, _, err = f.InsertVerification(f.ctx, newVerification(s), idem, 1, "")
	f.code(err, assay.CodeConflict)
	_, err = f.VerificationByKey(f.ctx, s.UserID, s.ID, idem)
	f.code(err, assay.CodeConflict)
	_, err = f.VerificationByKey(f.ctx, "usr_somebody_else", s.ID, idem)
	f.code(err, assay.CodeSessionNotFound)
}

func testMoveVerification(f fixture) {
	want := f.pending(f.ready())
	step := func(from assay.VerificationStatus, change verification.Change) {
		f.Helper()
		got, moved, err := f.MoveVerification(f.ctx, want.ID, from, change)
		f.must(err)
		if !moved {
			f.Errorf("not moved from %s to %s", from, change.Status)
		}
		want.Status = change.Status
		if diff := cmp.Diff(want, got); diff != "" {
			f.Error(diff)
		}
	}
	step(assay.VerificationPending, verification.Change{Status: assay.VerificationStarting})
	step(assay.VerificationStarting, verification.Change{Status: assay.VerificationRunning})
	verdict := &assay.Verdict{
		Tool: assay.VerifierTestSuite, Grading: assay.GradingSWEBench, Solved: true, Reason: "all passed", Passed: 2, Duration: 3 * time.Second,
		Passes: []assay.TestOutcome{{Name: "TestA", Expected: "fail_to_pass", Duration: time.Millisecond}},
		Stdout: assay.Output{Text: "ok \x00", Bytes: 4},
	}
	want.CompletedAt, want.Verdict = later(kept), verdict
	step(assay.VerificationRunning, verification.Change{Status: assay.VerificationCompleted, CompletedAt: later(at), Verdict: verdict})

	got, moved, err := f.MoveVerification(f.ctx, want.ID, assay.VerificationRunning, verification.Change{
		Status: assay.VerificationError, Failure: &assay.Failure{Code: assay.CodeSandboxLost, Message: "it died"},
	})
	f.must(err)
	if diff := cmp.Diff(want, got); diff != "" || moved {
		f.Errorf("moved %v from a state that it had left\n%s", moved, diff)
	}

	want = f.pending(f.ready())
	want.Failure, want.CompletedAt = &assay.Failure{Code: assay.CodePatchFailed, Message: "no"}, &kept
	step(assay.VerificationPending, verification.Change{Status: assay.VerificationError, CompletedAt: &kept, Failure: want.Failure})
	_, _, err = f.MoveVerification(f.ctx, "ver_none", assay.VerificationPending, verification.Change{Status: assay.VerificationStarting})
	f.code(err, assay.CodeJobNotFound)
}

func testMoveVerificationRace(f fixture) {
	v := f.pending(f.ready())
	won := race(12, func(int) bool {
		_, moved, err := f.MoveVerification(f.ctx, v.ID, assay.VerificationPending, verification.Change{Status: assay.VerificationStarting})
		f.code(err, "")
		return moved
	})
	if won != 1 {
		f.Errorf("%d moves won, want 1", won)
	}
}

func testMoveVerificationForbidden(f fixture) {
	v := f.pending(f.ready())
	for _, to := range []assay.VerificationStatus{assay.VerificationPending, assay.VerificationRunning, assay.VerificationCompleted} {
		if _, _, err := f.MoveVerification(f.ctx, v.ID, assay.VerificationPending, verification.Change{Status: to}); err == nil {
			f.Errorf("a verification that is pending became %s", to)
		}
	}
}

func testVerificationHandle(f fixture) {
	v := f.pending(f.ready())
	f.must(f.SetVerificationHandle(f.ctx, v.ID, "", "h", "there"))
	got, err := f.Verification(f.ctx, "", "", v.ID)
	f.must(err)
	if got.Handle != "h" || got.Location != "there" {
		f.Errorf("handle %q at %q, want h at there", got.Handle, got.Location)
	}
	_, _, err = f.MoveVerification(f.ctx, v.ID, assay.VerificationPending, verification.Change{Status: assay.VerificationCancelled})
	f.must(err)
	f.code(f.SetVerificationHandle(f.ctx, v.ID, "", "h", "there"), assay.CodeConflict)
	f.code(f.SetVerificationHandle(f.ctx, "ver_none", "", "h", "there"), assay.CodeJobNotFound)
}
