package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/client"
	"assay/client/wire"
	"assay/internal/dataset"
	"assay/internal/session"
)

// dial starts s and returns a client of it.
func (s *server) dial(t *testing.T, token string) *client.Client {
	t.Helper()
	srv := httptest.NewServer(s.api.Handler())
	t.Cleanup(srv.Close)
	c, err := client.New(srv.URL, token)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// must returns a function that fails the test unless err is nil.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestClientLivesASession(t *testing.T) {
	s := newServer(t, func(c *Config) { c.Sessions = prompt{c.Sessions.(*world)} })
	c, ctx := s.dial(t, tokenAda), t.Context()

	created := must[*wire.SessionCreated](t)(c.CreateSession(ctx, wire.SessionCreate{Dataset: "starter", SampleID: "mux-1", TTLMinutes: 5}))
	go s.ready(created.SessionID)
	if got := must[*wire.Session](t)(c.WaitReady(ctx, created.SessionID)); got.Status != assay.SessionReady {
		t.Errorf("%+v", got)
	}
	in := must[*wire.Interaction](t)(c.ExecWait(ctx, created.SessionID, wire.ExecRequest{Command: "echo hello"}))
	if *in.Stdout != "hello" || *in.ExitCode != 0 {
		t.Errorf("%+v", in)
	}
	edit := must[*wire.EditResult](t)(c.Replace(ctx, created.SessionID, wire.ReplaceRequest{FilePath: "f", StrToReplace: "a", StrToInsert: "b"}))
	if !edit.Success {
		t.Errorf("%+v", edit)
	}
	if edit := must[*wire.EditResult](t)(c.Apply(ctx, created.SessionID, "--- a")); !edit.Success {
		t.Errorf("%+v", edit)
	}
	started := must[*wire.JobStarted](t)(c.Verify(ctx, created.SessionID))
	go judge{s.world}.putJob(&assay.Verification{ID: started.JobID, SessionID: created.SessionID, Status: assay.VerificationCompleted, Verdict: &assay.Verdict{Solved: true}})
	if job := must[*wire.Job](t)(c.WaitJob(ctx, created.SessionID, started.JobID)); !job.Result.IsSuccess {
		t.Errorf("%+v", job)
	}
	if list := must[*wire.SessionList](t)(c.Sessions(ctx, client.SessionQuery{Limit: 5})); len(list.Sessions) != 1 {
		t.Errorf("%+v", list)
	}
	must[*wire.SessionClosed](t)(c.CloseSession(ctx, created.SessionID))
}

// prompt is sessions whose commands end as soon as they have begun.
type prompt struct{ *world }

func (p prompt) Exec(ctx context.Context, userID, sessionID string, req session.ExecRequest) (*assay.Interaction, error) {
	in, err := p.world.Exec(ctx, userID, sessionID, req)
	if err == nil {
		p.end(in.ID, assay.InteractionCompleted, 0, "hello")
	}
	return in, err
}

func TestErrorsAreTheSameAcrossHTTP(t *testing.T) {
	s := newServer(t)
	s.ready("ses_a")
	ctx := t.Context()
	ada, bob, nobody := s.dial(t, tokenAda), s.dial(t, tokenBob), s.dial(t, "")
	for _, tt := range []struct {
		call func() error
		code assay.Code
	}{
		{func() error { _, err := ada.Session(ctx, "ses_none"); return err }, assay.CodeSessionNotFound},
		{func() error { _, err := bob.Session(ctx, "ses_a"); return err }, assay.CodeSessionNotFound},
		{func() error { _, err := nobody.Session(ctx, "ses_a"); return err }, assay.CodeUnauthenticated},
		{func() error { _, err := ada.Interaction(ctx, "ses_a", "../ses_a"); return err }, assay.CodeInteractionNotFound},
		{func() error { _, err := ada.Job(ctx, "ses_a", "ver_none"); return err }, assay.CodeJobNotFound},
		{func() error { return ada.RevokeAPIKey(ctx, "key_none") }, assay.CodeAPIKeyNotFound},
		{func() error { return ada.Samples(ctx, client.SampleQuery{Dataset: "none"}, nil) }, assay.CodeDatasetNotFound},
		{func() error { _, err := ada.Download(ctx, "starter", "none", 0, io.Discard); return err }, assay.CodeSampleNotFound},
	} {
		if err := tt.call(); !errors.Is(err, &assay.Error{Code: tt.code}) {
			t.Errorf("%v, want %s", err, tt.code)
		}
	}
	_, err := ada.CreateSession(ctx, wire.SessionCreate{TTLMinutes: -1})
	var refusal *client.Error
	if !errors.As(err, &refusal) || len(refusal.Faults) != 3 {
		t.Errorf("%v", err)
	}
}

// hashed is a library whose bundles tell their true hash, unless lie.
type hashed struct {
	library
	lie bool
}

func (h hashed) Bundle(ctx context.Context, s *assay.Sample) (*dataset.Bundle, error) {
	b, err := h.library.Bundle(ctx, s)
	if err == nil && !h.lie {
		sum := sha256.Sum256([]byte("bundle of " + s.ID))
		b.SHA256 = hex.EncodeToString(sum[:])
	}
	return b, err
}

func TestClientReadsDatasets(t *testing.T) {
	s := newServer(t, func(c *Config) { c.Datasets = hashed{library: c.Datasets.(library)} })
	c, ctx := s.dial(t, tokenAda), t.Context()
	if got := must[*wire.Health](t)(c.Health(ctx)); got.Status != "healthy" {
		t.Errorf("%+v", got)
	}
	s.sick = errors.New("sick")
	if got := must[*wire.Health](t)(c.Health(ctx)); got.Status != "unhealthy" {
		t.Errorf("%+v", got)
	}
	if got := must[[]wire.Dataset](t)(c.Datasets(ctx)); len(got) != 1 {
		t.Errorf("%+v", got)
	}
	var ids []string
	err := c.Samples(ctx, client.SampleQuery{Dataset: "starter", Search: "MUX"}, func(one *wire.Sample) error {
		ids = append(ids, one.SampleID)
		return nil
	})
	if diff := cmp.Diff([]string{"mux-1"}, ids); diff != "" || err != nil {
		t.Errorf("%s%v", diff, err)
	}
	if got := must[*wire.SampleList](t)(c.SamplePage(ctx, client.SampleQuery{}, 1, 10)); got.TotalCount != 1 {
		t.Errorf("%+v", got)
	}
	var file bytes.Buffer
	got := must[*client.Downloaded](t)(c.Download(ctx, "starter", "mux-1", 2, &file))
	if file.String() != "bundle of mux-1" || got.Filename != "mux-1.tar.gz" || got.Size != 15 {
		t.Errorf("%+v %s", got, &file)
	}
	if got := must[*wire.Download](t)(c.DownloadLink(ctx, "starter", "mux-1", 0)); got.Version != 2 {
		t.Errorf("%+v", got)
	}
	s.api.cfg.Datasets = hashed{s.api.cfg.Datasets.(hashed).library, true}
	if _, err := c.Download(ctx, "starter", "mux-1", 2, io.Discard); err == nil {
		t.Error("a file with another hash was taken")
	}
}

func TestClientManagesKeys(t *testing.T) {
	s := newServer(t)
	c, ctx := s.dial(t, tokenAda), t.Context()
	key := must[*wire.APIKey](t)(c.CreateAPIKey(ctx, "laptop"))
	me := must[*wire.User](t)(c.Me(ctx))
	if len(me.APIKeys) != 1 || me.APIKeys[0].KeyID != key.KeyID || me.APIKeys[0].Key == key.Key {
		t.Errorf("%+v", me)
	}
	if me := must[*wire.User](t)(c.AcceptTerms(ctx)); me.TermsAcceptedAt == nil {
		t.Errorf("%+v", me)
	}
	if err := c.RevokeAPIKey(ctx, key.KeyID); err != nil {
		t.Error(err)
	}
}
