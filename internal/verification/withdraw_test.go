package verification_test

import (
	"strings"
	"testing"
	"time"

	"assay"
	"assay/internal/verification"
)

func TestWithdraw(t *testing.T) {
	c := newCourt(t, reusing)
	v := c.judgedBy(user, map[string]string{"a.txt": "fixed\n"})
	for _, reason := range []string{"", " \n", "a\x00b", "a\xff", strings.Repeat("x", 1001)} {
		if err := verification.Withdraw(t.Context(), c.store, v.ID, reason, time.Now()); assay.CodeOf(err) != assay.CodeInvalid {
			t.Errorf("reason %.10q: %v", reason, err)
		}
	}
	if w, err := c.Withdrawal(t.Context(), v.ID); w != nil || err != nil {
		t.Fatalf("withdrawn: %+v, %v", w, err)
	}
	envelope, err := c.Envelope(t.Context(), user, v.SessionID, v.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := verification.Withdraw(t.Context(), c.store, v.ID, "  it reads the test file ", time.Now()); err != nil {
		t.Fatal(err)
	}
	got, err := c.GetFor(t.Context(), verification.Reader{UserID: user, Feedback: assay.FeedbackVerdict}, v.SessionID, v.ID)
	if err != nil || got.Withdrawn == nil || got.Withdrawn.Reason != "it reads the test file" || !got.Verdict.Solved {
		t.Errorf("it is told as %+v, %v", got, err)
	}
	if w, err := c.Withdrawal(t.Context(), v.ID); err != nil || w == nil || *w != *got.Withdrawn {
		t.Errorf("withdrawn: %+v, %v", w, err)
	}
	if kept, err := c.Envelope(t.Context(), user, v.SessionID, v.ID); err != nil || string(kept) != string(envelope) {
		t.Errorf("what was signed is another: %v", err)
	}
	// The same work is judged anew, and not given the verdict that was taken back.
	again := c.judgedBy(user, map[string]string{"a.txt": "fixed\n"})
	if again.Verdict.Evidence.CachedFrom != "" || again.Withdrawn != nil {
		t.Errorf("the same work got %+v", again)
	}
}
