package verification_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
	"assay/internal/session"
	"assay/internal/verification"
)

// refused checks that a verification ended with the verdict on a work that no suite ran on.
func (f *fixture) refused(v *assay.Verification, why string) *assay.Verdict {
	f.t.Helper()
	got := f.outcome(v)
	if got.Status != assay.VerificationCompleted || got.Verdict == nil {
		f.t.Fatalf("verification is %s: %+v", got.Status, got.Failure)
	}
	verdict := got.Verdict
	if verdict.Solved || !verdict.Evidence.NotRun || verdict.ExitCode != assay.ExitUnknown || !strings.Contains(verdict.Reason, why) {
		f.t.Errorf("solved = %t, not run = %t, exit code %d: %s; want %q", verdict.Solved, verdict.Evidence.NotRun, verdict.ExitCode, verdict.Reason, why)
	}
	if !slices.Equal(verdict.Missing, []string{"t::test_fix", "keep"}) || verdict.Passed+verdict.Failed+verdict.Skipped > 0 || len(verdict.Tampering)+len(verdict.Contradictions) > 0 {
		f.t.Errorf("missing %q, tampering %+v", verdict.Missing, verdict.Tampering)
	}
	if e := verdict.Evidence; e.Grader != assay.GraderVersion || e.SampleVersion != 1 || !slices.Equal(e.Expected.PassToPass, []string{"keep"}) || e.PatchSHA256 != "" {
		f.t.Errorf("the evidence is %+v", e)
	}
	return verdict
}

// spoils make of the work tree of a session what nobody can judge, and why.
var spoils = map[string]struct {
	spoil func(*memory.Files)
	why   string
}{
	"removed":        {func(files *memory.Files) { files.Remove("/work") }, "/work is gone"},
	"a link":         {func(files *memory.Files) { files.Put("/work", memory.File{Link: "/"}) }, "/work is a symbolic link"},
	"a file":         {func(files *memory.Files) { files.Put("/work", memory.File{}) }, "/work is a file"},
	"too many bytes": {func(files *memory.Files) { files.Put("/work/big", memory.File{Content: make([]byte, 256<<20+1)}) }, "more than 256 MiB"},
	"too many files": {func(files *memory.Files) {
		for i := range 20_001 {
			files.Put(fmt.Sprintf("/work/f%d", i), memory.File{})
		}
	}, "more than 20,000 files"},
}

func (f *fixture) spoiled(name string) *assay.Session {
	f.t.Helper()
	sess := f.session(nil)
	found, err := f.runtime.List(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	for _, h := range found {
		box, err := f.runtime.Open(f.t.Context(), h)
		if err != nil {
			f.t.Fatal(err)
		}
		if h.ID == sess.ID {
			spoils[name].spoil(box.(*memory.Sandbox).Files())
		}
	}
	return sess
}

// What the work has become is a verdict, for which no sandbox is made, and the same each
// time.
func TestWorkThatCannotBeReadIsNotSolved(t *testing.T) {
	for name, spoil := range spoils {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			sess := f.spoiled(name)
			f.runtime.SetFaults(memory.Faults{Create: func(context.Context, sandbox.Spec) error { return errors.New("a sandbox is made") }})
			key := session.Idempotency{Key: "k", RequestHash: "h"}
			v, err := f.Start(t.Context(), verification.Reader{UserID: user}, sess.ID, key)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := f.Start(t.Context(), verification.Reader{UserID: user}, sess.ID, key); err != nil || again.ID != v.ID {
				t.Errorf("with the same key: %+v, %v", again, err)
			}
			f.work()
			first := f.refused(v, spoil.why)
			v = f.started(sess)
			f.work()
			if again := f.refused(v, spoil.why); again.Reason != first.Reason {
				t.Errorf("once it is %q, then %q", first.Reason, again.Reason)
			}
			if _, err := f.Diff(t.Context(), user, sess.ID, v.ID); assay.CodeOf(err) != assay.CodeNotFound {
				t.Errorf("the patch of the verification: %v", err)
			}
			f.nothingWaits()
		})
	}
}

// nothingWaits checks that no changes and no refusals are left.
func (f *fixture) nothingWaits() {
	f.t.Helper()
	if left, err := filepath.Glob(filepath.Join(f.dir, "*")); err != nil || len(left) > 0 {
		f.t.Errorf("changes are left: %q, %v", left, err)
	}
}

// A refusal outlasts the server as changes do, and goes when nobody waits for it.
func TestARefusalOutlastsTheServer(t *testing.T) {
	f := newFixture(t)
	v := f.started(f.spoiled("removed"))
	stale := filepath.Join(f.dir, "ver_stale.refusal")
	if err := os.WriteFile(stale, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.claim()
	f.died()
	if err := f.Recover(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a refusal of nobody's: %v", err)
	}
	f.work()
	f.refused(v, "/work is gone")
	f.nothingWaits()
}

// What is ours is no verdict, and stores nothing.
func TestFaultsOfOursAreNoVerdicts(t *testing.T) {
	for _, tt := range []struct {
		fault error
		code  assay.Code
	}{
		{&fs.PathError{Op: "write", Path: "ver.tar", Err: unix.ENOSPC}, assay.CodeUnavailable},
		{&fs.PathError{Op: "read", Path: "/upper", Err: unix.EIO}, assay.CodeUnavailable},
		{&fs.PathError{Op: "open", Path: "/upper", Err: fs.ErrNotExist}, assay.CodeInternal},
		{fmt.Errorf("freeze: %w", context.DeadlineExceeded), assay.CodeInternal},
	} {
		f := newFixture(t)
		sess := f.session(nil)
		f.runtime.SetFaults(memory.Faults{Changes: func(context.Context, sandbox.Handle) error { return tt.fault }})
		if _, err := f.Start(t.Context(), verification.Reader{UserID: user}, sess.ID, session.Idempotency{}); assay.CodeOf(err) != tt.code {
			t.Errorf("%v: %v", tt.fault, err)
		}
		f.nothingWaits()
	}
}

// A work that fits nowhere is not solved, unless nothing fits, or the host is in need.
func TestWorkThatDoesNotFit(t *testing.T) {
	clean := func(h sandbox.Handle) bool { return strings.HasPrefix(h.ID, assay.PrefixVerification) }
	full := func(when func(sandbox.Handle) bool) func(context.Context, sandbox.Handle) error {
		return func(_ context.Context, h sandbox.Handle) error {
			if when(h) {
				return fmt.Errorf("layer entry %q: %w", "big", sandbox.ErrNoRoom)
			}
			return nil
		}
	}
	ofWork := func(h sandbox.Handle) bool { return clean(h) && !strings.HasSuffix(h.ID, "-control") }
	failing := func(context.Context, sandbox.Handle) error { return errors.New("its disk has failed") }
	for _, tt := range []struct {
		name   string
		faults memory.Faults
		code   assay.Code // of the error; "" for a verdict
	}{
		{"the work", memory.Faults{Apply: full(ofWork)}, ""},
		{"anything", memory.Faults{Apply: full(clean)}, assay.CodeInternal},
		{"on a broken disk", memory.Faults{Apply: full(ofWork), CheckBox: failing}, assay.CodeSandboxFailed},
		{"on a host in need", memory.Faults{Apply: full(ofWork), Check: func(context.Context) error { return errors.New("no room") }}, assay.CodeSandboxFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			v := f.started(f.session(map[string]string{"a.txt": "fixed\n"}))
			f.runtime.SetFaults(tt.faults)
			f.work()
			if tt.code == "" {
				f.refused(v, "more room on the disk")
			} else if got := f.outcome(v); got.Status != assay.VerificationError || got.Failure.Code != tt.code {
				t.Errorf("it is %s: %+v, %+v", got.Status, got.Failure, got.Verdict)
			}
			f.onlySessionsLeft()
		})
	}
}
