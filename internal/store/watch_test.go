package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/session"
	"assay/internal/verification"
)

func TestWhatLivesIsCountedByStatus(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		s := open(t, database)
		check := func(sessions, verifications map[string]int) {
			t.Helper()
			gotSessions, err := s.CountLiveSessions(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			gotVerifications, err := s.CountOpenVerifications(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]map[string]int{sessions, verifications}, []map[string]int{gotSessions, gotVerifications}); diff != "" {
				t.Error(diff)
			}
		}
		check(map[string]int{"creating": 0, "ready": 0}, map[string]int{"pending": 0, "starting": 0, "running": 0})

		now := time.Now().UTC()
		must(t, s.InsertUser(t.Context(), &assay.User{ID: "usr_1", Name: "Ada", Email: "ada@example.org", CreatedAt: now, Active: true}, assay.AuditEvent{}))
		_, err := s.ImportDataset(t.Context(), &assay.Dataset{Name: "d"}, []*assay.Sample{{Dataset: "d", ID: "one"}})
		must(t, err)
		for _, id := range []string{"ses_1", "ses_2", "ses_3"} {
			_, _, err := s.InsertSession(t.Context(), &assay.Session{
				ID: id, UserID: "usr_1", Dataset: "d", SampleID: "one", SampleVersion: 1, Status: assay.SessionCreating, RequestedAt: now, ExpiresAt: now.Add(time.Hour),
			}, session.Idempotency{}, session.LiveLimits{})
			must(t, err)
		}
		for _, move := range []struct {
			id       string
			from, to assay.SessionStatus
		}{{"ses_1", assay.SessionCreating, assay.SessionReady}, {"ses_2", assay.SessionCreating, assay.SessionReady}, {"ses_2", assay.SessionReady, assay.SessionClosed}} {
			_, _, err := s.MoveSession(t.Context(), move.id, move.from, session.SessionChange{Status: move.to, ReadyAt: &now, EndedAt: &now})
			must(t, err)
		}
		_, _, err = s.InsertVerification(t.Context(), &assay.Verification{
			ID: "ver_1", SessionID: "ses_1", UserID: "usr_1", Dataset: "d", SampleID: "one", SampleVersion: 1, Status: assay.VerificationPending, CreatedAt: now,
		}, session.Idempotency{}, 0, "")
		must(t, err)
		check(map[string]int{"creating": 1, "ready": 1}, map[string]int{"pending": 1, "starting": 0, "running": 0})
		_, _, err = s.MoveVerification(t.Context(), "ver_1", assay.VerificationPending, verification.Change{Status: assay.VerificationStarting})
		must(t, err)
		check(map[string]int{"creating": 1, "ready": 1}, map[string]int{"pending": 0, "starting": 1, "running": 0})
	})
}
