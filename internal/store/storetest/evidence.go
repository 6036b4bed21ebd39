package storetest

import (
	"strings"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/session"
	"assay/internal/verification"
)

var evidenceTests = []test{
	{"a judged work is read as it was stored last", testWork},
	{"the last verification of a session is found by its user alone", testLastVerification},
	{"an envelope is stored with the verdict that it signs", testEnvelope},
	{"a verdict is reused when it may be, the oldest first", testReusable},
}

func testWork(f fixture) {
	v := f.pending(f.ready())
	_, err := f.Work(f.ctx, v.ID)
	f.code(err, assay.CodeNotFound)
	for _, want := range []verification.Work{
		{CacheKey: "k", Patch: verification.StoredPatch{SHA256: "ab", Bytes: 1 << 40, Gzip: nil}},
		{CacheKey: "l", Patch: verification.StoredPatch{SHA256: "cd", Bytes: 3, Gzip: []byte("\x00\xff")}},
	} {
		f.must(f.SaveWork(f.ctx, v.ID, want))
		got, err := f.Work(f.ctx, v.ID)
		f.must(err)
		if diff := cmp.Diff(&want, got); diff != "" {
			f.Error(diff)
		}
	}
	f.code(f.SaveWork(f.ctx, "ver_none", verification.Work{}), assay.CodeJobNotFound)
}

func testLastVerification(f fixture) {
	s := f.ready()
	_, err := f.LastVerification(f.ctx, s.UserID, s.ID)
	f.code(err, assay.CodeJobNotFound)
	f.pending(s)
	last := f.pending(s)
	f.pending(f.ready()) // another's
	got, err := f.LastVerification(f.ctx, s.UserID, s.ID)
	f.must(err)
	if got.ID != last.ID {
		f.Errorf("got %s, want %s", got.ID, last.ID)
	}
	_, err = f.LastVerification(f.ctx, "usr_somebody_else", s.ID)
	f.code(err, assay.CodeJobNotFound)
}

// completed stores a verdict on a work with a cache key.
func (f fixture) completed(s *assay.Session, key string, reusable bool) *assay.Verification {
	f.Helper()
	v := f.pending(s)
	f.must(f.SaveWork(f.ctx, v.ID, verification.Work{CacheKey: key}))
	_, _, err := f.MoveVerification(f.ctx, v.ID, assay.VerificationPending, verification.Change{Status: assay.VerificationStarting})
	f.must(err)
	got, moved, err := f.MoveVerification(f.ctx, v.ID, assay.VerificationStarting, verification.Change{
		Status: assay.VerificationCompleted, CompletedAt: &kept, Verdict: &assay.Verdict{Solved: true}, Reusable: reusable,
	})
	f.must(err)
	if !moved {
		f.Error("it was not completed")
	}
	return got
}

func testEnvelope(f fixture) {
	s := f.ready()
	v, other := f.pending(s), f.pending(s)
	for _, v := range []*assay.Verification{v, other} {
		_, err := f.Envelope(f.ctx, v.ID)
		f.code(err, assay.CodeJobNotFound)
		_, _, err = f.MoveVerification(f.ctx, v.ID, assay.VerificationPending, verification.Change{Status: assay.VerificationStarting})
		f.must(err)
	}
	envelope := []byte(strings.Repeat("signed ", 100_000) + "\x00\n")
	change := verification.Change{Status: assay.VerificationCompleted, Verdict: &assay.Verdict{}, Envelope: envelope}
	_, moved, err := f.MoveVerification(f.ctx, v.ID, assay.VerificationRunning, change)
	f.must(err)
	if _, err = f.Envelope(f.ctx, v.ID); moved || err == nil {
		f.Error("the envelope of a move that did not happen was stored")
	}
	_, moved, err = f.MoveVerification(f.ctx, v.ID, assay.VerificationStarting, change)
	f.must(err)
	if got, err := f.Envelope(f.ctx, v.ID); err != nil || string(got) != string(envelope) || !moved {
		f.Errorf("got %d bytes, %v; moved: %t", len(got), err, moved)
	}
	_, err = f.Envelope(f.ctx, other.ID)
	f.code(err, assay.CodeJobNotFound)
}

func testReusable(f fixture) {
	s := f.ready()
	_, err := f.ReusableVerification(f.ctx, "k")
	f.code(err, assay.CodeJobNotFound)
	f.completed(s, "k", false)
	open, _, err := f.InsertVerification(f.ctx, newVerification(s), session.Idempotency{}, 0, "")
	f.must(err)
	f.must(f.SaveWork(f.ctx, open.ID, verification.Work{CacheKey: "k"}))
	_, err = f.ReusableVerification(f.ctx, "k")
	f.code(err, assay.CodeJobNotFound)

	want := f.completed(s, "k", true)
	f.completed(f.ready(), "k", true)
	f.completed(s, "other", true)
	f.completed(s, "", true) // a work that nothing is known of is like no other
	got, err := f.ReusableVerification(f.ctx, "k")
	f.must(err)
	if diff := cmp.Diff(want, got); diff != "" {
		f.Error(diff)
	}
	_, err = f.ReusableVerification(f.ctx, "")
	f.code(err, assay.CodeJobNotFound)
}
