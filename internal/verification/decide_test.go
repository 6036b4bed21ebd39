package verification_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/session"
	"assay/internal/verification"
)

// images are the sample's image on this host.
type images struct {
	dir    string // of its work tree
	digest string
	fault  error
	opened int
}

func (i *images) ImageDigest(_ context.Context, ref string) (string, error) {
	if ref != "img" {
		return "", errors.New("another image")
	}
	return i.digest, i.fault
}

func (i *images) OpenTree(_ context.Context, _, dir string) (*os.Root, func() error, error) {
	if dir != "/work" {
		return nil, nil, errors.New("another directory")
	}
	i.opened++
	root, err := os.OpenRoot(i.dir)
	return root, func() error { i.opened--; return root.Close() }, err
}

// signer signs with a word.
type signer struct{}

func (signer) Sign(payloadType string, payload []byte) []byte {
	return append([]byte("signed "+payloadType+"\n"), payload...)
}

// court is the service with all that its verdicts rest on.
type court struct {
	*fixture
	images *images
}

func newCourt(t *testing.T, change func(*verification.Config)) *court {
	t.Helper()
	c := &court{fixture: newFixture(t), images: &images{dir: t.TempDir(), digest: "sha256:one"}}
	for name, content := range map[string]string{"a.txt": "broken\n", "a_test.txt": "old test\n"} {
		if err := os.WriteFile(filepath.Join(c.images.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg := verification.Config{
		Store: c.store, Sessions: c.sessions, Samples: c.store, Runtime: c.runtime, Dir: c.dir,
		Images: c.images, Signer: signer{}, Version: "1.2",
	}
	if change != nil {
		change(&cfg)
	}
	service, err := verification.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		service.Close()
		if c.images.opened != 0 {
			t.Errorf("%d trees were not freed", c.images.opened)
		}
	})
	c.Service = service
	return c
}

func reusing(cfg *verification.Config) { cfg.ReuseVerdicts = true }

// judgedBy has a new session's work judged.
func (c *court) judgedBy(userID string, files map[string]string) *assay.Verification {
	c.t.Helper()
	sess, err := c.sessions.Create(c.t.Context(), userID, session.CreateRequest{Dataset: "d", SampleID: "s", TTL: time.Hour})
	if err == nil {
		sess, err = c.sessions.Await(c.t.Context(), userID, sess.ID)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(sess, files)
	v, err := c.Start(c.t.Context(), verification.Reader{UserID: userID}, sess.ID, session.Idempotency{})
	if err != nil {
		c.t.Fatal(err)
	}
	c.work()
	if v, err = c.Get(c.t.Context(), userID, sess.ID, v.ID); err != nil {
		c.t.Fatal(err)
	}
	if v.Verdict == nil {
		c.t.Fatalf("verification is %s: %+v", v.Status, v.Failure)
	}
	return v
}

func (c *court) diff(sessionID, jobID string) (text, sum string) {
	c.t.Helper()
	p, err := c.Diff(c.t.Context(), user, sessionID, jobID)
	if err != nil {
		c.t.Fatal(err)
	}
	defer p.Close()
	content, err := io.ReadAll(p)
	if err != nil {
		c.t.Fatal(err)
	}
	digest := sha256.Sum256(content)
	if p.SHA256 != hex.EncodeToString(digest[:]) || p.Bytes != int64(len(content)) {
		c.t.Errorf("the patch has %d bytes and digest %x, and is said to have %d and %s", len(content), digest, p.Bytes, p.SHA256)
	}
	return string(content), p.SHA256
}

func TestJudgedPatch(t *testing.T) {
	c := newCourt(t, nil)
	sess := c.session(map[string]string{"a.txt": "fixed\n"})
	v := c.started(sess)
	early, _ := c.diff(sess.ID, v.ID) // before it is judged
	c.write(sess, map[string]string{"later.txt": "more\n"})
	c.work()

	judged, sum := c.diff(sess.ID, v.ID)
	if !strings.Contains(judged, "\n-broken\n+fixed\n") || strings.Contains(judged, "later.txt") || early != judged {
		t.Errorf("before:\n%s\nafter:\n%s", early, judged)
	}
	got := c.outcome(v).Verdict.Evidence
	want := assay.Evidence{Grader: assay.GraderVersion, ImageDigest: "sha256:one", SampleVersion: 1, PatchSHA256: sum, AnswersOpen: true, Assurance: assay.AssuranceUncontrolled}
	got.Expected, got.Resources, got.Durations = want.Expected, want.Resources, want.Durations
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if live, _ := c.diff(sess.ID, ""); !strings.Contains(live, "later.txt") {
		t.Errorf("the session's diff is\n%s", live)
	}
	if _, err := c.sessions.Close(t.Context(), user, sess.ID); err != nil {
		t.Fatal(err)
	}
	if ended, _ := c.diff(sess.ID, ""); ended != judged {
		t.Errorf("after the session's end its diff is\n%s", ended)
	}
	c.onlySessionsLeft()
}

func TestDiffsThatThereAreNot(t *testing.T) {
	c := newCourt(t, nil)
	sess, other := c.session(nil), c.session(nil)
	v := c.started(other)
	for _, tt := range []struct {
		user, session, job string
		want               assay.Code
	}{
		{user, "ses_none", "", assay.CodeSessionNotFound},
		{"usr_bob", sess.ID, "", assay.CodeSessionNotFound},
		{user, sess.ID, v.ID, assay.CodeJobNotFound},
		{"usr_bob", other.ID, v.ID, assay.CodeJobNotFound},
	} {
		if _, err := c.Diff(t.Context(), tt.user, tt.session, tt.job); assay.CodeOf(err) != tt.want {
			t.Errorf("%+v: %v", tt, err)
		}
	}
	if _, err := c.sessions.Close(t.Context(), user, sess.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Diff(t.Context(), user, sess.ID, ""); assay.CodeOf(err) != assay.CodeJobNotFound {
		t.Errorf("a session that ended without a verification: %v", err)
	}
}

// A work is judged although no patch can be made of it, and its verdict says so.
func TestWorkWithoutAPatchIsJudged(t *testing.T) {
	c := newCourt(t, reusing)
	c.images.fault = errors.New("the image store is away")
	for range 2 {
		v := c.judgedBy(user, map[string]string{"a.txt": "fixed\n"})
		if e := v.Verdict.Evidence; !v.Verdict.Solved || e.PatchSHA256 != "" || e.ImageDigest != "" || e.CachedFrom != "" {
			t.Errorf("%+v", v.Verdict)
		}
		if _, err := c.Diff(t.Context(), user, v.SessionID, v.ID); assay.CodeOf(err) != assay.CodeNotFound {
			t.Errorf("its diff: %v", err)
		}
	}
}

func TestPatchThatIsTooLargeIsNamedOnly(t *testing.T) {
	c := newCourt(t, func(cfg *verification.Config) { cfg.MaxPatchBytes = 10_000 })
	noise := make([]byte, 100_000)
	rand.Read(noise)
	v := c.judgedBy(user, map[string]string{"a.txt": "fixed\n", "noise": string(noise)})
	if len(v.Verdict.Evidence.PatchSHA256) != 64 {
		t.Errorf("the patch has the digest %q", v.Verdict.Evidence.PatchSHA256)
	}
	if _, err := c.Diff(t.Context(), user, v.SessionID, v.ID); assay.CodeOf(err) != assay.CodeTooLarge {
		t.Errorf("its diff: %v", err)
	}
	if live, sum := c.diff(v.SessionID, ""); sum != v.Verdict.Evidence.PatchSHA256 {
		t.Errorf("the session's diff of %d bytes has the digest %s", len(live), sum)
	}
}

func TestSignedVerdict(t *testing.T) {
	c := newCourt(t, nil)
	v := c.started(c.session(map[string]string{"a.txt": "fixed\n"}))
	if _, err := c.Envelope(t.Context(), user, v.SessionID, v.ID); assay.CodeOf(err) != assay.CodeJobNotFound || !strings.Contains(err.Error(), "pending") {
		t.Errorf("before the verdict: %v", err)
	}
	c.work()
	v = c.outcome(v)
	envelope, err := c.Envelope(t.Context(), user, v.SessionID, v.ID)
	if err != nil {
		t.Fatal(err)
	}
	payload, ok := strings.CutPrefix(string(envelope), "signed application/vnd.assay.verdict+json\n")
	if !ok {
		t.Fatalf("it is %s", envelope)
	}
	var got assay.Statement
	if err := json.Unmarshal([]byte(payload), &got); err != nil {
		t.Fatal(err)
	}
	empty := "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // SHA-256 of nothing
	verdict := *v.Verdict
	verdict.Stdout, verdict.Stderr = assay.Output{}, assay.Output{}
	want := assay.Statement{
		VerificationID: v.ID, SessionID: v.SessionID, Dataset: "d", SampleID: "s", SampleVersion: 1,
		CreatedAt: v.CreatedAt, CompletedAt: *v.CompletedAt, Server: "1.2",
		Verdict: assay.SignedVerdict{Verdict: verdict, Stdout: assay.Digest{SHA256: empty}, Stderr: assay.Digest{SHA256: empty}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := c.Envelope(t.Context(), "usr_bob", v.SessionID, v.ID); assay.CodeOf(err) != assay.CodeJobNotFound {
		t.Errorf("to somebody else: %v", err)
	}
}

func TestSameWorkIsJudgedOnce(t *testing.T) {
	const bob = "usr_bob"
	c := newCourt(t, reusing)
	if err := c.store.InsertUser(t.Context(), &assay.User{ID: bob, Name: "Bob", Email: "bob@assay.invalid", CreatedAt: time.Now(), Active: true}, assay.AuditEvent{}); err != nil {
		t.Fatal(err)
	}
	fixed := map[string]string{"a.txt": "fixed\n"}
	first := c.judgedBy(user, fixed)
	if first.Verdict.Evidence.CachedFrom != "" {
		t.Fatalf("the first verdict comes from %s", first.Verdict.Evidence.CachedFrom)
	}
	hidden := sha256.Sum256([]byte(first.ID))
	for who, from := range map[string]string{user: first.ID, bob: "sha256:" + hex.EncodeToString(hidden[:])} {
		for range 2 { // copies are not copied
			v := c.judgedBy(who, fixed)
			want := *first.Verdict
			want.Evidence.CachedFrom = from
			if diff := cmp.Diff(&want, v.Verdict); diff != "" {
				t.Error(diff)
			}
			if text, err := c.Envelope(t.Context(), who, v.SessionID, v.ID); err != nil || !strings.Contains(string(text), from) || who == bob && strings.Contains(string(text), first.ID) {
				t.Errorf("its statement is %s, %v", text, err)
			}
		}
	}
	if v := c.judgedBy(user, map[string]string{"a.txt": "fixed\n", "b.txt": ""}); v.Verdict.Evidence.CachedFrom != "" {
		t.Error("a verdict on another work was taken")
	}
	c.images.digest = "sha256:two"
	if v := c.judgedBy(user, fixed); v.Verdict.Evidence.CachedFrom != "" {
		t.Error("a verdict from another image was taken")
	}
	c.images.digest = "sha256:one"
	sample, err := c.store.Sample(t.Context(), "d", "s", 0)
	if err != nil {
		t.Fatal(err)
	}
	sample.Task.Verifier.Quarantined = []string{"keep"}
	if _, err := c.store.ImportDataset(t.Context(), &assay.Dataset{Name: "d"}, []*assay.Sample{sample}); err != nil {
		t.Fatal(err)
	}
	if v := c.judgedBy(user, fixed); v.Verdict.Evidence.CachedFrom != "" || v.SampleVersion == first.SampleVersion {
		t.Errorf("a verdict by another version of the sample was taken: %d, %+v", v.SampleVersion, v.Verdict.Evidence)
	}
}

func TestVerdictsAreJudgedAnewUnlessTheServerSaysOtherwise(t *testing.T) {
	c := newCourt(t, nil)
	for range 2 {
		if v := c.judgedBy(user, map[string]string{"a.txt": "fixed\n"}); v.Verdict.Evidence.CachedFrom != "" {
			t.Errorf("a verdict was taken from %s", v.Verdict.Evidence.CachedFrom)
		}
	}
}

// What a suite did not do in its time, it may do in another hour.
func TestVerdictOfASuiteThatWasCutShortIsNotReused(t *testing.T) {
	c := newCourt(t, reusing)
	for range 2 {
		if v := c.judgedBy(user, map[string]string{"suite.txt": "slow"}); !v.Verdict.TimedOut || v.Verdict.Evidence.CachedFrom != "" {
			t.Errorf("%+v", v.Verdict)
		}
	}
}

// A verdict tells, and its signature covers, whether its user could read the answers when
// it was given: also one that an earlier verdict on the same work stands for.
func TestAVerdictTellsWhetherItsAnswersWereOpen(t *testing.T) {
	for name, change := range map[string]func(*verification.Config){"judged": nil, "reused": reusing} {
		t.Run(name, func(t *testing.T) {
			c := newCourt(t, change)
			for i, step := range []struct {
				answers assay.Answers
				open    bool
			}{{assay.AnswersUsers, true}, {assay.AnswersOperators, false}, {assay.AnswersPublic, true}} {
				if err := c.store.SetAnswers(t.Context(), "d", step.answers); err != nil {
					t.Fatal(err)
				}
				v := c.judgedBy(user, map[string]string{"a.txt": "fixed\n"})
				if reused := v.Verdict.Evidence.CachedFrom != ""; reused != (name == "reused" && i > 0) {
					t.Fatalf("reused: %v", reused)
				}
				envelope, err := c.Envelope(t.Context(), user, v.SessionID, v.ID)
				if err != nil {
					t.Fatal(err)
				}
				signed := fmt.Sprintf(`"answers_open":%v`, step.open)
				if v.Verdict.Evidence.AnswersOpen != step.open || !strings.Contains(string(envelope), signed) {
					t.Errorf("answers for %s: open is %v, and signed is %s", step.answers, v.Verdict.Evidence.AnswersOpen, envelope)
				}
			}
		})
	}
}

// They may be closed while the suite runs: what counts is the end.
func TestAnswersThatAreClosedDuringAVerification(t *testing.T) {
	c := newCourt(t, nil)
	v := c.started(c.session(map[string]string{"a.txt": "fixed\n"}))
	if err := c.store.SetAnswers(t.Context(), "d", assay.AnswersOperators); err != nil {
		t.Fatal(err)
	}
	c.work()
	if got := c.outcome(v); got.Verdict == nil || got.Verdict.Evidence.AnswersOpen {
		t.Errorf("%+v", got.Verdict)
	}
}
