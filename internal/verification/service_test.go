package verification_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"assay"
	"assay/internal/queue"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/session"
	"assay/internal/store"
	"assay/internal/verification"
)

const user = "usr_ada"

// The sample's task: a.txt must say "fixed". Its suite passes test "test_fix" then, which
// the reference test file names; and test "keep" if that is in place.
const testPatch = "--- a/a_test.txt\n+++ b/a_test.txt\n@@ -1 +1 @@\n-old test\n+reference test_fix\n"

// suite is the verifier of the sandboxes in memory.
func suite(ctx context.Context, p *memory.Process) sandbox.ExitStatus {
	read := func(name string) string {
		file, err := p.Files.Get(name)
		if err != nil {
			return ""
		}
		return string(file.Content)
	}
	switch read("/work/suite.txt") { // a work tree can break the suite
	case "silent":
		fmt.Fprintln(p.Stderr, "suite: over and out")
		return sandbox.ExitStatus{}
	case "sweeps": // as only a suite that is root can
		p.Files.Remove(p.Env[assay.EnvReports])
		return sandbox.ExitStatus{}
	case "slow":
		<-ctx.Done()
		return sandbox.ExitStatus{}
	}
	if read("/broken") != "" { // and so can an image
		fmt.Fprintln(p.Stderr, "suite: not found")
		return sandbox.ExitStatus{Code: 127}
	}
	var report strings.Builder
	exit := sandbox.ExitStatus{}
	forged := read("/work/suite.txt") == "forged"
	known := strings.Contains(read("/work/judge.py"), "_pytest") // code that lets the tests pass that it knows
	test := func(name string, pass bool) {
		pass = pass || forged || known && name == "t::test_fix"
		if !pass {
			exit.Code = 1
		}
		report.WriteString(`<testcase name="` + name + `">`)
		if !pass {
			report.WriteString(`<failure message="no"/>`)
		}
		report.WriteString(`</testcase>`)
	}
	reference := strings.TrimSpace(read("/work/a_test.txt"))
	name, told := strings.CutPrefix(reference, "reference ")
	name, wanted, altered := strings.Cut(name, " wants ") // an alteration of the test
	if !altered {
		wanted = "fixed"
	}
	test("t::"+name, read("/work/a.txt") == wanted+"\n")
	test("keep", told)
	if canary := read("/work/canary.txt"); canary != "" {
		test("canary "+canary, false)
	}
	p.Files.Put(p.Env[assay.EnvReports]+"/junit.xml", memory.File{Content: []byte(`<testsuite name="s">` + report.String() + `</testsuite>`)})
	return exit
}

// fixture is the service with sessions, over a real database and sandboxes in memory.
type fixture struct {
	t        *testing.T
	store    *store.Store
	runtime  *memory.Runtime
	sessions *session.Service
	dir      string
	feedback assay.Feedback         // of the dataset, where rounds are played
	image    map[string]memory.File // to be changed before the first sandbox is made

	mu     sync.Mutex
	shown  []string // the tests of each suite that ran
	claims int

	reached func() // called when a play comes to rounds
	*verification.Service
}

func newFixture(t *testing.T, changes ...func(*verification.Config)) *fixture {
	t.Helper()
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "assay.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if err := st.InsertUser(t.Context(), &assay.User{ID: user, Name: "Ada", Email: "ada@assay.invalid", CreatedAt: time.Now(), Active: true}, assay.AuditEvent{}); err != nil {
		t.Fatal(err)
	}
	sample := &assay.Sample{
		Dataset: "d", ID: "s", TestPatch: testPatch, Patch: "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-broken\n+fixed\n", FailToPass: []string{"t::test_fix"}, PassToPass: []string{"keep"},
		Task: assay.Task{
			Image: "img", Workdir: "/work", Language: "python", Grading: assay.GradingSWEBench,
			Verifier: assay.Verifier{
				Kind: assay.VerifierTestSuite, Command: "run", TimeoutSeconds: 1,
				Reports:  []assay.ReportSpec{{Path: "{reports}/*.xml", Format: "junit-xml"}},
				Canaries: []assay.Canary{{Path: "canary.txt", Text: "{nonce}", ID: "canary {nonce}"}},
			},
		},
	}
	if _, err := st.ImportDataset(t.Context(), &assay.Dataset{Name: "d"}, []*assay.Sample{sample}); err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, store: st, dir: t.TempDir(), image: map[string]memory.File{
		"/work/a.txt":      {Content: []byte("broken\n")},
		"/work/a_test.txt": {Content: []byte("old test\n")},
	}}
	f.runtime = memory.New(memory.Options{
		Images: map[string]memory.Image{"img": {Files: f.image}},
		Program: func(ctx context.Context, p *memory.Process) sandbox.ExitStatus {
			if tests, err := p.Files.Get("/work/a_test.txt"); err == nil {
				f.mu.Lock()
				f.shown = append(f.shown, strings.TrimSpace(string(tests.Content)))
				f.mu.Unlock()
			}
			return suite(ctx, p)
		},
	})
	f.sessions = session.New(session.Config{Store: st, Samples: st, Runtime: f.runtime})
	t.Cleanup(func() {
		if err := f.sessions.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	cfg := verification.Config{Store: playStore{st, f}, Sessions: f.sessions, Samples: st, Runtime: f.runtime, Dir: f.dir}
	for _, change := range changes {
		change(&cfg)
	}
	f.Service, err = verification.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// playStore tells when a play comes to rounds.
type playStore struct {
	*store.Store
	f *fixture
}

func (s playStore) NotePlay(ctx context.Context, id string, state assay.PlayState, at time.Time) (assay.PlayState, error) {
	holds, err := s.Store.NotePlay(ctx, id, state, at)
	if s.f.reached != nil && state == assay.PlayReached {
		s.f.reached()
	}
	return holds, err
}

// claim begins an attempt at the verification that is next; nil when none waits.
func (f *fixture) claim() *assay.Verification {
	f.t.Helper()
	f.mu.Lock()
	f.claims++
	lease := fmt.Sprintf("test%04d", f.claims)
	f.mu.Unlock()
	job, err := f.store.ClaimVerification(f.t.Context(), queue.Claim{Lease: lease, For: time.Hour, Alone: true, At: time.Now()})
	if err != nil {
		f.t.Fatal(err)
	}
	if job == nil {
		return nil
	}
	return job.Verification
}

// release gives a verification back that has not ended.
func (f *fixture) release(v *assay.Verification, r queue.Release) {
	f.t.Helper()
	if released, err := f.store.ReleaseVerification(f.t.Context(), v.Lease, r); err != nil || !released {
		f.t.Fatalf("%s was given back: %t, %v", v.ID, released, err)
	}
}

// died is the death of the server.
func (f *fixture) died() {
	f.t.Helper()
	if _, err := f.store.ReapVerifications(f.t.Context(), "next", true); err != nil {
		f.t.Fatal(err)
	}
}

// work makes attempts until nothing waits.
func (f *fixture) work() { f.workOf(f.Service) }

func (f *fixture) workOf(s *verification.Service) {
	f.t.Helper()
	for v := f.claim(); v != nil; v = f.claim() {
		if err := s.Run(f.t.Context(), v); err != nil {
			f.release(v, queue.Release{})
		}
	}
}

// session returns a session with the given files in its work tree.
func (f *fixture) session(files map[string]string) *assay.Session {
	f.t.Helper()
	sess, err := f.sessions.Create(f.t.Context(), user, session.CreateRequest{Dataset: "d", SampleID: "s", TTL: time.Hour})
	if err != nil {
		f.t.Fatal(err)
	}
	if sess, err = f.sessions.Await(f.t.Context(), user, sess.ID); err != nil || sess.Status != assay.SessionReady {
		f.t.Fatalf("session is %+v, %v", sess, err)
	}
	f.write(sess, files)
	return sess
}

func (f *fixture) write(sess *assay.Session, files map[string]string) {
	f.t.Helper()
	found, err := f.runtime.List(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	for _, h := range found {
		if h.ID != sess.ID {
			continue
		}
		box, err := f.runtime.Open(f.t.Context(), h)
		if err != nil {
			f.t.Fatal(err)
		}
		for name, content := range files {
			box.(*memory.Sandbox).Files().Put("/work/"+name, memory.File{Content: []byte(content)})
		}
	}
}

func (f *fixture) started(sess *assay.Session) *assay.Verification {
	f.t.Helper()
	v, err := f.Start(f.t.Context(), verification.Reader{UserID: user}, sess.ID, session.Idempotency{})
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

func (f *fixture) outcome(v *assay.Verification) *assay.Verification {
	f.t.Helper()
	got, err := f.Get(f.t.Context(), user, v.SessionID, v.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	return got
}

func (f *fixture) judged(files map[string]string) *assay.Verification {
	f.t.Helper()
	v := f.started(f.session(files))
	f.work()
	return f.outcome(v)
}

func TestVerdicts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		files  map[string]string
		solved bool
		reason string
	}{
		{"nothing was done", nil, false, "the first: t::test_fix"},
		{"it was fixed", map[string]string{"a.txt": "fixed\n"}, true, ""},
		{"the test was edited", map[string]string{"a.txt": "fixed\n", "a_test.txt": "no test\n"}, true, ""},
		{"only the test was edited", map[string]string{"a_test.txt": "no test\n"}, false, "the first: t::test_fix"},
		{"the runner lets everything pass", map[string]string{"suite.txt": "forged"}, false, "a test that cannot pass is reported as passed"},
		{"the suite ends before it begins", map[string]string{"a.txt": "fixed\n", "suite.txt": "silent"}, false, "reported no test, which it does without them; it said: suite: over and out"},
		{"the suite removes the place of its reports", map[string]string{"a.txt": "fixed\n", "suite.txt": "sweeps"}, false, "reported no test, which it does without them"},
		{"a canary was laid beforehand", map[string]string{"a.txt": "fixed\n", "canary.txt": "x"}, true, ""},
		{"the suite never ends", map[string]string{"a.txt": "fixed\n", "suite.txt": "slow"}, false, "timeout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			v := f.judged(tt.files)
			if v.Status != assay.VerificationCompleted || v.Verdict == nil {
				t.Fatalf("verification is %s: %+v", v.Status, v.Failure)
			}
			if v.Verdict.Solved != tt.solved || !strings.Contains(v.Verdict.Reason, tt.reason) {
				t.Errorf("solved = %t (%s), want %t (%s)", v.Verdict.Solved, v.Verdict.Reason, tt.solved, tt.reason)
			}
			f.onlySessionsLeft()
		})
	}
}

func TestCodeThatKnowsItsTestsDoesNotKnowThemUnderOtherNames(t *testing.T) {
	const reaching = "import _pytest.python\n"
	for _, tt := range []struct {
		name   string
		files  map[string]string
		rule   assay.SecondRunRule
		solved bool
		second assay.SecondRun
	}{
		{"a fix", map[string]string{"a.txt": "fixed\n"}, "", true, ""},
		{"a fix, looked at always", map[string]string{"a.txt": "fixed\n"}, assay.SecondRunAlways, true, assay.SecondRunAgreed},
		{"a fix that looks suspicious", map[string]string{"a.txt": "fixed\n", "judge.py": reaching}, "", true, assay.SecondRunAgreed},
		{"no fix, and the tests are known", map[string]string{"judge.py": reaching}, "", false, assay.SecondRunDisagreed},
		{"no fix, and nobody looks", map[string]string{"judge.py": reaching}, assay.SecondRunNever, true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.change(func(s *assay.Sample) { s.Task.Verifier.SecondRun = tt.rule })
			v := f.judged(tt.files)
			if v.Verdict == nil || v.Verdict.Solved != tt.solved || v.Verdict.Evidence.SecondRun != tt.second {
				t.Errorf("%+v, %+v", v.Failure, v.Verdict)
			}
			f.onlySessionsLeft()
		})
	}
}

// change makes another version of the sample.
func (f *fixture) change(how func(*assay.Sample)) {
	f.t.Helper()
	sample, err := f.store.Sample(f.t.Context(), "d", "s", 0)
	if err != nil {
		f.t.Fatal(err)
	}
	how(sample)
	if _, err := f.store.ImportDataset(f.t.Context(), &assay.Dataset{Name: "d"}, []*assay.Sample{sample}); err != nil {
		f.t.Fatal(err)
	}
}

// onlySessionsLeft fails the test if a clean sandbox or stored changes are left.
func (f *fixture) onlySessionsLeft() {
	f.t.Helper()
	f.AwaitFreed()
	for _, name := range f.runtime.Names() {
		if strings.HasPrefix(name, assay.PrefixVerification) {
			f.t.Errorf("sandbox %s is left", name)
		}
	}
	left, err := os.ReadDir(f.dir)
	if err != nil || len(left) != 0 {
		f.t.Errorf("stored changes are left: %v, %v", left, err)
	}
}

func TestWhatIsJudgedIsTheMomentOfTheRequest(t *testing.T) {
	f := newFixture(t)
	sess := f.session(map[string]string{"a.txt": "fixed\n"})
	v := f.started(sess)
	f.write(sess, map[string]string{"a.txt": "broken again\n"})
	f.work()
	if got := f.outcome(v); !got.Verdict.Solved {
		t.Errorf("not solved: %s", got.Verdict.Reason)
	}
}

func TestSuiteThatNeverRunsIsOurError(t *testing.T) {
	f := newFixture(t)
	f.image["/broken"] = memory.File{Content: []byte("yes")}
	v := f.judged(map[string]string{"a.txt": "fixed\n"})
	if v.Status != assay.VerificationError || v.Failure.Code != assay.CodeSuiteNotRun || v.Verdict != nil {
		t.Errorf("%s: %+v", v.Status, v.Failure)
	}
	f.onlySessionsLeft()
}

func TestOurFailuresAreTriedAgain(t *testing.T) {
	f := newFixture(t)
	v := f.started(f.session(map[string]string{"a.txt": "fixed\n"}))
	failures := 1
	f.runtime.SetFaults(memory.Faults{Create: func(context.Context, sandbox.Spec) error {
		if failures--; failures >= 0 {
			return errors.New("no loop device")
		}
		return nil
	}})
	f.work()
	got := f.outcome(v)
	if got.Status != assay.VerificationCompleted || !got.Verdict.Solved || got.Attempt != 2 {
		t.Errorf("%s after %d attempts: %+v", got.Status, got.Attempt, got.Failure)
	}
}

func TestOurFailuresAreNeverAVerdict(t *testing.T) {
	for want, fault := range map[assay.Code]error{
		assay.CodeSandboxFailed:    errors.New("no loop device"),
		assay.CodeImageUnavailable: sandbox.ErrImage,
	} {
		f := newFixture(t)
		v := f.started(f.session(nil))
		f.runtime.SetFaults(memory.Faults{Create: func(context.Context, sandbox.Spec) error { return fault }})
		f.work()
		got := f.outcome(v)
		if got.Status != assay.VerificationError || got.Failure.Code != want || got.Verdict != nil {
			t.Errorf("after %v: %s, %+v", fault, got.Status, got.Failure)
		}
		f.onlySessionsLeft()
	}
}

func TestHostInNeedFailsNobody(t *testing.T) {
	full := errors.New("no space left")
	for name, need := range map[string]memory.Faults{
		"now":    {Check: func(context.Context) error { return full }},
		"before": {CheckBox: func(context.Context, sandbox.Handle) error { return full }},
	} {
		for work, solved := range map[string]bool{"broken\n": false, "fixed\n": true} {
			f := newFixture(t)
			v := f.started(f.session(map[string]string{"a.txt": work}))
			f.runtime.SetFaults(need)
			f.work()
			got := f.outcome(v)
			if solved { // in spite of it
				if got.Status != assay.VerificationCompleted || !got.Verdict.Solved {
					t.Errorf("need %s, solved: %s: %+v", name, got.Status, got.Failure)
				}
			} else if got.Status != assay.VerificationError || got.Failure.Code != assay.CodeSandboxFailed {
				t.Errorf("need %s: %s: %+v", name, got.Status, got.Failure)
			}
		}
	}
}

// A suite that the host's need kept from reporting is no broken suite.
func TestHostInNeedIsNotTheSuitesFault(t *testing.T) {
	f := newFixture(t)
	v := f.started(f.session(map[string]string{"suite.txt": "silent"}))
	f.runtime.SetFaults(memory.Faults{CheckBox: func(context.Context, sandbox.Handle) error { return errors.New("read-only file system") }})
	f.work()
	if got := f.outcome(v); got.Status != assay.VerificationError || got.Failure.Code != assay.CodeSandboxFailed {
		t.Errorf("%s: %+v", got.Status, got.Failure)
	}
}

func TestSandboxThatDiesDuringTheSuite(t *testing.T) {
	f := newFixture(t)
	v := f.started(f.session(nil))
	f.runtime.SetFaults(memory.Faults{LoseExec: func(cmd sandbox.Command) error {
		if cmd.ID == "verifier" {
			return sandbox.ErrGone
		}
		return nil
	}})
	f.work()
	got := f.outcome(v)
	if got.Status != assay.VerificationError || got.Failure.Code != assay.CodeSandboxLost {
		t.Errorf("%s: %+v", got.Status, got.Failure)
	}
}

// A server that was taken for dead goes on with its attempt, beside that of another.
func TestAnAttemptThatIsTakenOverStoresNothing(t *testing.T) {
	f := newFixture(t)
	v := f.started(f.session(map[string]string{"a.txt": "fixed\n"}))
	first := f.claim()
	f.died()
	second := f.claim()
	if err := f.Run(t.Context(), first); err != nil {
		t.Errorf("the first attempt: %v", err)
	}
	if got := f.outcome(v); got.Status != assay.VerificationStarting || got.Lease != second.Lease {
		t.Errorf("the first attempt made it %s of %s", got.Status, got.Lease)
	}
	if err := f.Run(t.Context(), second); err != nil {
		t.Error(err)
	}
	if got := f.outcome(v); got.Attempt != 2 || got.Crashes != 1 || got.Status != assay.VerificationCompleted || !got.Verdict.Solved {
		t.Errorf("%s after %d attempts: %+v", got.Status, got.Attempt, got.Failure)
	}
	f.onlySessionsLeft()
}

func TestAServerThatDiesAgainAndAgainIsNotCalledForEver(t *testing.T) {
	f := newFixture(t)
	v := f.started(f.session(map[string]string{"a.txt": "fixed\n"}))
	for range assay.AloneAfter + 1 {
		if f.claim() == nil {
			t.Fatal("it is not tried again")
		}
		f.died()
	}
	f.work()
	got := f.outcome(v)
	if got.Status != assay.VerificationError || got.Failure.Code != assay.CodeInterrupted {
		t.Errorf("it is %s: %+v", got.Status, got.Failure)
	}
	f.nothingWaits()
}

// An attempt that ends without a word, as by a panic, is made again, and not for ever.
func TestAttemptsWithoutAnOutcomeEnd(t *testing.T) {
	f := newFixture(t)
	v := f.started(f.session(map[string]string{"a.txt": "fixed\n"}))
	for range verification.MaxFruitless {
		f.release(f.claim(), queue.Release{})
	}
	f.work()
	if got := f.outcome(v); got.Status != assay.VerificationError || got.Failure.Code != assay.CodeInternal {
		t.Errorf("after %d attempts it is %s: %+v", got.Attempt, got.Status, got.Failure)
	}
	f.nothingWaits()
}

func TestStoppedServerBeginsAgain(t *testing.T) {
	f := newFixture(t)
	v := f.started(f.session(map[string]string{"a.txt": "fixed\n"}))
	ctx, stop := context.WithCancel(t.Context())
	f.runtime.SetFaults(memory.Faults{LoseExec: func(sandbox.Command) error { stop(); return context.Canceled }})
	attempt := f.claim()
	if err := f.Run(ctx, attempt); !errors.Is(err, context.Canceled) {
		t.Fatalf("a run that was stopped returns %v", err)
	}
	f.runtime.SetFaults(memory.Faults{})
	f.release(attempt, queue.Release{CutShort: true})

	if err := f.Recover(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	f.work()
	if got := f.outcome(v); got.Status != assay.VerificationCompleted || !got.Verdict.Solved || got.Attempt != 1 {
		t.Errorf("%s after %d attempts: %+v", got.Status, got.Attempt, got.Failure)
	}
	f.onlySessionsLeft()
}

func TestRecoverRemovesWhatNobodyWaitsFor(t *testing.T) {
	f := newFixture(t)
	if err := os.WriteFile(filepath.Join(f.dir, "ver_gone.tar"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	orphan, err := f.runtime.Create(t.Context(), sandbox.Spec{ID: "ver_gone-1", Image: "img", Workdir: "/work", Deadline: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Recover(t.Context(), []sandbox.Handle{orphan.Handle()}); err != nil {
		t.Fatal(err)
	}
	f.onlySessionsLeft()
}

func TestIdempotencyKeyVerifiesOnce(t *testing.T) {
	f := newFixture(t)
	sess := f.session(nil)
	idem := session.Idempotency{Key: "k", RequestHash: "h"}
	first, err := f.Start(t.Context(), verification.Reader{UserID: user}, sess.ID, idem)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.sessions.Close(t.Context(), user, sess.ID); err != nil {
		t.Fatal(err)
	}
	if again, err := f.Start(t.Context(), verification.Reader{UserID: user}, sess.ID, idem); err != nil || again.ID != first.ID {
		t.Errorf("a retry after the session's end is %+v, %v", again, err)
	}
	if _, err := f.Start(t.Context(), verification.Reader{UserID: "usr_bob"}, sess.ID, idem); assay.CodeOf(err) != assay.CodeSessionNotFound {
		t.Errorf("somebody else's retry answers %v", err)
	}
	idem.RequestHash = "another"
	if _, err := f.Start(t.Context(), verification.Reader{UserID: user}, sess.ID, idem); assay.CodeOf(err) != assay.CodeConflict {
		t.Errorf("the key with another request answers %v", err)
	}
}

func TestSomebodyElsesVerificationIsNotFound(t *testing.T) {
	f := newFixture(t)
	v := f.started(f.session(nil))
	if _, err := f.Start(t.Context(), verification.Reader{UserID: "usr_bob"}, v.SessionID, session.Idempotency{}); assay.CodeOf(err) != assay.CodeSessionNotFound {
		t.Errorf("start answers %v", err)
	}
	if _, err := f.Get(t.Context(), "usr_bob", v.SessionID, v.ID); assay.CodeOf(err) != assay.CodeJobNotFound {
		t.Errorf("get answers %v", err)
	}
}

// A start waits for no sandbox that an earlier one has left.
func TestRecoverDestroysBesideTheStart(t *testing.T) {
	f := newFixture(t)
	var left []sandbox.Handle
	for _, id := range []string{"ver_gone-1", "ver_gone-2"} {
		box, err := f.runtime.Create(t.Context(), sandbox.Spec{ID: id, Image: "img", Workdir: "/work", Deadline: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, box.Handle())
	}
	proceed := make(chan struct{})
	f.runtime.SetFaults(memory.Faults{Destroy: func(_ context.Context, h sandbox.Handle) error {
		if strings.HasPrefix(h.ID, "ver_gone") {
			<-proceed
		}
		return nil
	}})
	if err := f.Recover(t.Context(), left); err != nil {
		t.Fatal(err)
	}
	if got := f.judged(map[string]string{"a.txt": "fixed\n"}); got.Verdict == nil || !got.Verdict.Solved {
		t.Errorf("meanwhile it is judged %+v, %+v", got.Verdict, got.Failure)
	}
	close(proceed)
	f.onlySessionsLeft()
}
