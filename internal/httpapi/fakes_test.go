package httpapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"assay"
	"assay/client/wire"
	"assay/internal/attest"
	"assay/internal/dataset"
	"assay/internal/identity"
	"assay/internal/sandbox"
	"assay/internal/session"
	"assay/internal/telemetry"
	"assay/internal/verification"
	"assay/internal/wake"
)

// Tokens of the fake users.
const (
	tokenAda = "ada-secret-token"
	tokenBob = "bob-secret-token"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("CET", 3600))

// world is all services in memory: sessions whose commands end when a test says so.
type world struct {
	mu            sync.Mutex
	news          wake.Hub
	sessions      map[string]*assay.Session
	interactions  map[string]*assay.Interaction
	verifications map[string]*assay.Verification
	idem          map[session.Idempotency]string // to an id
	samples       []*assay.Sample
	feedback      assay.Feedback // of the dataset
	validation    assay.DatasetValidation
	alterations   assay.DatasetAlterations
	keys          []*assay.APIKey
	accepted      *time.Time

	fail     error  // what the next calls of sessions fail with
	panics   string // what Replace panics with
	lastExec session.ExecRequest
	lastEdit sandbox.ReplaceRequest
	lastList session.Query
	execs    int
	sick     error
	troubles Troubles
}

func newWorld() *world {
	w := &world{
		sessions:      map[string]*assay.Session{},
		interactions:  map[string]*assay.Interaction{},
		verifications: map[string]*assay.Verification{},
		idem:          map[session.Idempotency]string{},
	}
	w.samples = []*assay.Sample{{
		Dataset: "starter", ID: "mux-1", Version: 2, Latest: true, CreatedAt: epoch, Repo: "gorilla/mux",
		ProblemStatement: "it <breaks> & burns", FailToPass: []string{"TestA"}, Answers: assay.AnswersUsers,
		Task: assay.Task{Language: "go", Verifier: assay.Verifier{Kind: assay.VerifierTestSuite}},
	}}
	return w
}

func (w *world) session(userID, id string) (*assay.Session, error) {
	if w.fail != nil {
		return nil, w.fail
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.sessions[id]
	if s == nil || s.UserID != userID {
		return nil, assay.Errorf(assay.CodeSessionNotFound, "there is no session %s", id)
	}
	c := *s
	return &c, nil
}

// put stores a session and wakes who waits for it.
func (w *world) put(s *assay.Session) {
	w.mu.Lock()
	w.sessions[s.ID] = s
	w.mu.Unlock()
	w.news.Notify(s.ID)
}

// ready stores a ready session of Ada's.
func (w *world) ready(id string) {
	w.put(&assay.Session{
		ID: id, UserID: "usr_ada", Dataset: "starter", SampleID: "mux-1", SampleVersion: 2, Status: assay.SessionReady,
		RequestedAt: epoch, ReadyAt: new(epoch.Add(time.Second)), ExpiresAt: epoch.Add(time.Hour), Handle: "{}", Location: "here", Price: assay.MicrosPerCent,
	})
}

func (w *world) Create(_ context.Context, userID string, req session.CreateRequest) (*assay.Session, error) {
	if w.fail != nil {
		return nil, w.fail
	}
	if req.Dataset != "starter" {
		return nil, assay.Errorf(assay.CodeDatasetNotFound, "there is no dataset %s", req.Dataset)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if id, ok := w.idem[req.Idem]; ok && req.Idem.Key != "" {
		return w.sessions[id], nil
	}
	for k := range w.idem {
		if k.Key == req.Idem.Key && k.Key != "" {
			return nil, assay.Errorf(assay.CodeConflict, "the idempotency key was used for another request")
		}
	}
	s := &assay.Session{ID: fmt.Sprintf("ses_%d", len(w.sessions)+1), UserID: userID, Dataset: req.Dataset, SampleID: req.SampleID, Status: assay.SessionCreating, RequestedAt: epoch, ExpiresAt: epoch.Add(req.TTL)}
	w.sessions[s.ID] = s
	w.idem[req.Idem] = s.ID
	c := *s
	return &c, nil
}

func (w *world) Get(_ context.Context, userID, id string) (*assay.Session, error) {
	return w.session(userID, id)
}

func (w *world) Await(ctx context.Context, userID, id string) (*assay.Session, error) {
	return wake.Await(ctx, &w.news, id,
		func(context.Context) (*assay.Session, error) { return w.session(userID, id) },
		func(s *assay.Session) bool { return s.Status != assay.SessionCreating })
}

func (w *world) List(_ context.Context, q session.Query) (session.Page, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lastList = q
	var page session.Page
	for _, s := range w.sessions {
		if s.UserID == q.UserID {
			page.Total++
			if q.Before == "" || s.ID < q.Before {
				page.Sessions = append(page.Sessions, s)
			}
		}
	}
	slices.SortFunc(page.Sessions, func(a, b *assay.Session) int { return cmp.Compare(b.ID, a.ID) })
	if len(page.Sessions) > q.Limit {
		page.Sessions, page.More = page.Sessions[:q.Limit], true
	}
	return page, w.fail
}

func (w *world) Close(_ context.Context, userID, id string) (*assay.Session, error) {
	s, err := w.session(userID, id)
	if err != nil {
		return nil, err
	}
	s.Status, s.EndedAt = assay.SessionClosed, new(epoch.Add(91*time.Second))
	w.put(s)
	return s, nil
}

func (w *world) Exec(_ context.Context, userID, sessionID string, req session.ExecRequest) (*assay.Interaction, error) {
	s, err := w.session(userID, sessionID)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lastExec = req
	w.execs++
	in := &assay.Interaction{ID: fmt.Sprintf("int_%d", w.execs), SessionID: s.ID, CreatedAt: epoch, Timeout: req.Timeout, Status: assay.InteractionProcessing}
	w.interactions[in.ID] = in
	c := *in
	return &c, nil
}

// end ends a command.
func (w *world) end(id string, status assay.InteractionStatus, exit int, stdout string) {
	w.mu.Lock()
	in := *w.interactions[id]
	in.Status, in.ExitCode, in.Duration = status, exit, 1500*time.Millisecond
	in.Stdout = assay.Output{Text: stdout, Bytes: int64(len(stdout))}
	w.interactions[id] = &in
	w.mu.Unlock()
	w.news.Notify(id)
}

func (w *world) Interaction(_ context.Context, userID, sessionID, id string) (*assay.Interaction, error) {
	if _, err := w.session(userID, sessionID); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	in := w.interactions[id]
	if in == nil || in.SessionID != sessionID {
		return nil, assay.Errorf(assay.CodeInteractionNotFound, "there is no interaction %s", id)
	}
	c := *in
	return &c, nil
}

func (w *world) AwaitInteraction(ctx context.Context, userID, sessionID, id string) (*assay.Interaction, error) {
	return wake.Await(ctx, &w.news, id,
		func(ctx context.Context) (*assay.Interaction, error) {
			return w.Interaction(ctx, userID, sessionID, id)
		},
		func(in *assay.Interaction) bool { return in.Status.Final() })
}

func (w *world) Replace(_ context.Context, userID, sessionID string, req sandbox.ReplaceRequest) (sandbox.ReplaceResult, error) {
	if w.panics != "" {
		panic(w.panics)
	}
	w.lastEdit = req
	_, err := w.session(userID, sessionID)
	return sandbox.ReplaceResult{Replaced: req.Old == "a", Message: "said"}, err
}

func (w *world) Apply(_ context.Context, userID, sessionID, diff string) (string, bool, error) {
	_, err := w.session(userID, sessionID)
	return "applied; 1 files changed", strings.HasPrefix(diff, "---"), err
}

// judge is Verifications: its method names are those of sessions.
type judge struct{ *world }

func (j judge) Start(_ context.Context, by verification.Reader, sessionID string, _ session.Idempotency) (*assay.Verification, error) {
	if _, err := j.session(by.UserID, sessionID); err != nil {
		return nil, err
	}
	v := &assay.Verification{ID: "ver_1", SessionID: sessionID, UserID: by.UserID, SampleID: "mux-1", Status: assay.VerificationPending, CreatedAt: epoch}
	j.putJob(v)
	return v, nil
}

func (j judge) putJob(v *assay.Verification) {
	j.mu.Lock()
	j.verifications[v.ID] = v
	j.mu.Unlock()
	j.news.Notify(v.ID)
}

func (j judge) GetFor(_ context.Context, r verification.Reader, sessionID, id string) (*assay.Verification, error) {
	userID := r.UserID
	if _, err := j.session(userID, sessionID); err != nil {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	v := j.verifications[id]
	if v == nil || v.SessionID != sessionID {
		return nil, assay.Errorf(assay.CodeJobNotFound, "there is no verification %s", id)
	}
	return verification.ViewOf(v, r.Feedback.Least(j.feedback)), nil
}

func (j judge) AwaitFor(ctx context.Context, r verification.Reader, sessionID, id string) (*assay.Verification, error) {
	return wake.Await(ctx, &j.news, id,
		func(ctx context.Context) (*assay.Verification, error) { return j.GetFor(ctx, r, sessionID, id) },
		func(v *assay.Verification) bool { return v.Status.Final() })
}

// Diff hands out a diff that names what was asked for.
func (j judge) Diff(_ context.Context, userID, sessionID, id string) (*verification.Patch, error) {
	if _, err := j.session(userID, sessionID); err != nil {
		return nil, err
	}
	text := "diff of " + sessionID + " " + id
	return &verification.Patch{ReadCloser: io.NopCloser(strings.NewReader(text)), Bytes: int64(len(text)), SHA256: "abc123"}, nil
}

func (j judge) Withdrawal(_ context.Context, id string) (*assay.Withdrawal, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if v := j.verifications[id]; v != nil {
		return v.Withdrawn, j.fail
	}
	return nil, j.fail
}

func (j judge) EnvelopeFor(ctx context.Context, r verification.Reader, sessionID, id string) ([]byte, error) {
	v, err := j.GetFor(ctx, r, sessionID, id)
	if err == nil && v.Withheld {
		return nil, assay.Errorf(assay.CodeDetailsWithheld, "details are withheld")
	}
	if err == nil && v.Verdict == nil {
		err = assay.Errorf(assay.CodeJobNotFound, "verification %s has no verdict", id)
	}
	return []byte(`{"payload":"e30="}` + "\n"), err
}

// library is Datasets.
type library struct{ *world }

func (l library) Datasets(context.Context) ([]*assay.Dataset, error) {
	return []*assay.Dataset{{Name: "starter", SampleCount: len(l.samples), CreatedAt: epoch, Answers: assay.AnswersUsers, Judging: assay.DefaultJudging(), Validation: l.validation, Alterations: l.alterations}}, nil
}

func (l library) matching(q dataset.Query) ([]*assay.Sample, error) {
	if q.Dataset != "" && q.Dataset != "starter" {
		return nil, assay.Errorf(assay.CodeDatasetNotFound, "there is no dataset %s", q.Dataset)
	}
	var list []*assay.Sample
	for _, s := range l.samples {
		if strings.Contains(strings.ToLower(s.ID), strings.ToLower(q.Search)) {
			list = append(list, s)
		}
	}
	return list, nil
}

func (l library) SamplesFor(_ context.Context, reader dataset.Reader, q dataset.Query, fn func(*assay.Sample) error) error {
	list, err := l.matching(q)
	if err != nil {
		return err
	}
	list = list[min(q.Offset, len(list)):]
	if q.Limit > 0 {
		list = list[:min(q.Limit, len(list))]
	}
	for _, s := range list {
		if s.Repo == "broken" {
			return fmt.Errorf("read sample: disk on fire")
		}
		if err := fn(dataset.ViewOf(s, reader)); err != nil {
			return err
		}
	}
	return nil
}

func (l library) CountSamples(_ context.Context, q dataset.Query) (int, error) {
	list, err := l.matching(q)
	return len(list), err
}

func (l library) SampleFor(_ context.Context, reader dataset.Reader, name, id string, version int) (*assay.Sample, error) {
	for _, s := range l.samples {
		if s.Dataset == name && s.ID == id && (version == 0 || version == s.Version) {
			return dataset.ViewOf(s, reader), nil
		}
	}
	return nil, assay.Errorf(assay.CodeSampleNotFound, "there is no sample %s", id)
}

type closeReader struct{ *bytes.Reader }

func (closeReader) Close() error { return nil }

func (l library) Bundle(_ context.Context, s *assay.Sample) (*dataset.Bundle, error) {
	if s.Repo == "imageless" {
		return nil, assay.Errorf(assay.CodeImageUnavailable, "the image is not here")
	}
	return &dataset.Bundle{ReadSeekCloser: closeReader{bytes.NewReader([]byte("bundle of " + s.ID))}, Filename: s.ID + ".tar.gz", Size: int64(10 + len(s.ID)), SHA256: "abc123"}, nil
}

// people is Identity.
type people struct{ *world }

func (p people) Authenticate(_ context.Context, token string) (*assay.User, *assay.APIKey, error) {
	switch token {
	case tokenAda:
		return &assay.User{ID: "usr_ada"}, &assay.APIKey{}, nil
	case tokenBob:
		return &assay.User{ID: "usr_bob"}, &assay.APIKey{}, nil
	}
	return nil, nil, assay.Errorf(assay.CodeUnauthenticated, "the API key is unknown, revoked or expired; make a new one")
}

func (p people) User(_ context.Context, id string) (*assay.User, error) {
	return &assay.User{ID: id, Name: "Ada", Email: "ada@example.org", CreatedAt: epoch, Active: true, TermsAcceptedAt: p.accepted}, nil
}

func (p people) AcceptTerms(ctx context.Context, id string) (*assay.User, error) {
	p.accepted = &epoch
	return p.User(ctx, id)
}

func (p people) Keys(context.Context, string) ([]*assay.APIKey, error) { return p.keys, nil }

func (p people) CreateKey(_ context.Context, _ identity.Actor, userID string, r identity.KeyRequest) (string, *assay.APIKey, error) {
	k := &assay.APIKey{ID: "key_1", UserID: userID, Name: r.Name, ExpiresAt: r.ExpiresAt, Feedback: r.Feedback, Hint: "ask_abcd", CreatedAt: epoch}
	p.keys = append(p.keys, k)
	return "ask_abcdefgh-whole-secret", k, nil
}

func (p people) RevokeKey(_ context.Context, _ identity.Actor, _, keyID string) error {
	if keyID != "key_1" {
		return assay.Errorf(assay.CodeAPIKeyNotFound, "there is no such key")
	}
	return nil
}

// nobody is Logins of a server where nobody logs in; those of auth_test.go are real.
type nobody struct{ Logins }

// server is an API over a world, and its log.
type server struct {
	*world
	till till
	api  *API
	log  *bytes.Buffer
}

func newServer(t testing.TB, change ...func(*Config)) *server {
	t.Helper()
	s := &server{world: newWorld(), log: &bytes.Buffer{}}
	cfg := Config{
		Sessions: s.world, Verifications: judge{s.world}, Datasets: library{s.world},
		Identity: people{s.world}, Logins: nobody{}, Billing: &s.till,
		Health: func(context.Context) error { return s.sick },

		Troubles: func() Troubles { return s.troubles },
		Version:  "1.2.3", BaseURL: "http://assay.test", URLKey: []byte(strings.Repeat("k", 32)),
		VerdictKeys: func() attest.KeySet { return attest.KeySet{Keys: []attest.Key{{KeyType: "OKP", ID: "k"}}} },
		Log:         slog.New(telemetry.LogHandler(slog.NewTextHandler(s.log, nil))),
		Now:         func() time.Time { return epoch.Add(61 * time.Second) },
	}
	for _, f := range change {
		f(&cfg)
	}
	api, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.api = api
	return s
}

// request is one call of a test. Headers are "Name: value".
type request struct {
	method, path, body string
	headers            []string
	anonymous          bool
}

func (s *server) do(t testing.TB, r request) *httptest.ResponseRecorder {
	t.Helper()
	path := r.path
	if !strings.HasPrefix(path, "/docs") && !strings.HasPrefix(path, "//") {
		path = wire.BasePath + path
	}
	var body io.Reader
	if r.body != "" {
		body = strings.NewReader(r.body)
	}
	req := httptest.NewRequest(r.method, path, body)
	if !r.anonymous {
		req.Header.Set("Authorization", "Bearer "+tokenAda)
	}
	for _, h := range r.headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	s.api.Handler().ServeHTTP(rec, req)
	s.checkDocumented(t, req, rec)
	return rec
}

// decodeAs parses a body, which must be JSON of its type without unknown fields.
func decodeAs[T any](t testing.TB, rec *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	dec := json.NewDecoder(rec.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("body: %v", err)
	}
	return v
}

func wantStatus(t testing.TB, rec *httptest.ResponseRecorder, status int) {
	t.Helper()
	if rec.Code != status {
		t.Fatalf("status %d, want %d: %s", rec.Code, status, rec.Body)
	}
}

// wantError checks a refusal: its status, code and shape.
func wantError(t testing.TB, rec *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	wantStatus(t, rec, status)
	if ct := rec.Header().Get("Content-Type"); ct != "application/json" {
		t.Errorf("Content-Type %q", ct)
	}
	body := decodeAs[wire.ErrorBody](t, rec)
	if body.Detail.Code != code || body.Detail.Message == "" {
		t.Errorf("detail %+v, want code %s and a message", body.Detail, code)
	}
}
