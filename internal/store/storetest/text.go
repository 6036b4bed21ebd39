package storetest

import (
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/dataset"
	"assay/internal/session"
)

var textTests = []test{
	{"commands and outputs are bytes", testBytes},
	{"texts that cannot be kept are refused", testTextRefused},
	{"nothing is found by a text that cannot be kept", testTextNotFound},
	{"messages are kept, whatever they quote", testMessages},
}

// Texts that PostgreSQL does not take, and SQLite must not.
var unfit = []string{"a\x00b", "a\xffb", "\xed\xa0\x80"} // zero; no UTF-8; half of a surrogate pair

func testBytes(f fixture) {
	s := f.ready()
	want := "\x00\xff" + strings.Join(unfit, "") + "\u2028\U0001f600\x00"
	in, _, err := f.InsertInteraction(f.ctx, &assay.Interaction{
		ID: assay.NewID(assay.PrefixInteraction), SessionID: s.ID, CreatedAt: kept, Command: want, Timeout: time.Second,
	}, session.Idempotency{}, 0)
	f.must(err)
	in.Status = assay.InteractionCompleted
	in.Stdout, in.Stderr = assay.Output{Text: want, Bytes: int64(len(want))}, assay.Output{Text: "\x00", Bytes: 1}
	_, err = f.FinishInteraction(f.ctx, in)
	f.must(err)
	got, err := f.Interaction(f.ctx, s.UserID, s.ID, in.ID)
	f.must(err)
	if diff := cmp.Diff(in, got); diff != "" {
		f.Error(diff)
	}
}

func testTextRefused(f fixture) {
	s := f.ready()
	for _, text := range unfit {
		u := &assay.User{ID: assay.NewID(assay.PrefixUser), Name: text, CreatedAt: kept}
		f.code(f.InsertUser(f.ctx, u, assay.AuditEvent{}), assay.CodeInvalid)
		u.Name, u.GitHubID = "Ada", text
		f.code(f.InsertUser(f.ctx, u, assay.AuditEvent{}), assay.CodeInvalid)

		k := newKey(s.UserID, 1)
		k.Name = text
		f.code(f.InsertAPIKey(f.ctx, k, 0, assay.AuditEvent{}), assay.CodeInvalid)
		f.code(f.RevokeAPIKey(f.ctx, s.UserID, text, assay.AuditEvent{At: kept}), assay.CodeInvalid)

		idem := session.Idempotency{Key: text, RequestHash: "hash"}
		_, _, err := f.InsertSession(f.ctx, newSession(s.UserID, "starter", "one"), idem, session.LiveLimits{})
		f.code(err, assay.CodeInvalid)
		in := &assay.Interaction{ID: assay.NewID(assay.PrefixInteraction), SessionID: s.ID, CreatedAt: kept}
		_, _, err = f.InsertInteraction(f.ctx, in, idem, 0)
		f.code(err, assay.CodeInvalid)
		_, _, err = f.InsertVerification(f.ctx, newVerification(s), idem, 0, "")
		f.code(err, assay.CodeInvalid)

		_, err = f.ImportDataset(f.ctx, &assay.Dataset{Name: "d"}, []*assay.Sample{{Dataset: "d", ID: "one", ProblemStatement: text}})
		f.code(err, assay.CodeInvalid)

		_, err = f.Sessions(f.ctx, session.Query{UserID: s.UserID, Dataset: text})
		f.code(err, assay.CodeInvalid)
		f.code(f.Samples(f.ctx, dataset.Query{Search: text}, func(*assay.Sample) error { return nil }), assay.CodeInvalid)
	}
}

func testTextNotFound(f fixture) {
	s := f.ready()
	for _, text := range unfit {
		_, err := f.User(f.ctx, text)
		f.code(err, assay.CodeUserNotFound)
		_, err = f.Session(f.ctx, s.UserID, text)
		f.code(err, assay.CodeSessionNotFound)
		_, err = f.Interaction(f.ctx, s.UserID, s.ID, text)
		f.code(err, assay.CodeInteractionNotFound)
		_, err = f.Interaction(f.ctx, s.UserID, text, "int_1")
		f.code(err, assay.CodeInteractionNotFound)
		_, err = f.Verification(f.ctx, s.UserID, s.ID, text)
		f.code(err, assay.CodeJobNotFound)
		_, err = f.Dataset(f.ctx, text)
		f.code(err, assay.CodeDatasetNotFound)
		_, err = f.Sample(f.ctx, "starter", text, 0)
		f.code(err, assay.CodeSampleNotFound)
		_, err = f.Sample(f.ctx, text, "one", 1)
		f.code(err, assay.CodeDatasetNotFound)
	}
}

func testMessages(f fixture) {
	for _, text := range unfit {
		s := f.creating()
		got, _, err := f.MoveSession(f.ctx, s.ID, assay.SessionCreating, session.SessionChange{
			Status: assay.SessionError, EndedAt: later(kept), Error: &assay.Failure{Code: assay.CodeSandboxFailed, Message: "it said: " + text},
		})
		f.must(err)
		if got.Error == nil || !strings.HasPrefix(got.Error.Message, "it said: ") || strings.Contains(got.Error.Message, text) {
			f.Errorf("the error is %+v", got.Error)
		}
	}
}
