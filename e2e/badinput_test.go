package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/sys/unix"

	"assay"
	"assay/client/wire"
	"assay/e2e/harness"
)

// peakMemory is the most memory that a server has had so far, in bytes.
func peakMemory(t *testing.T, s *harness.Server) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Pid()))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// Whatever a verifier does, its verification ends with a verdict or with the error that
// says why there is none, and the server stays as it was. It runs alone: a suite that runs
// into its timeout while others use the host is tried at a quieter moment.
func TestVerifiersThatMisbehave(t *testing.T) {
	p := ownProgram(t)
	clean(t, p)
	if _, err := p.Run(t.Context(), "dataset", "import", "testdata/hostile"); err != nil {
		t.Fatal(err)
	}
	srv := start(t, p, "--destroy-on-exit")
	c := newCaller(t, p, srv)
	for _, tt := range []struct {
		sample string
		code   assay.Code // of the error; "" for a verdict
		solved bool
		says   string // the reason of the verdict, or the message of the error
	}{
		{sample: "loud", solved: true, says: "expected tests passed"},
		{sample: "hangs", says: "killed after its timeout of 2s"},
		{sample: "silent", code: assay.CodeSuiteNotRun, says: "left no report"},
		{sample: "broken", code: assay.CodeReportInvalid, says: "no proper end"},
		{sample: "no-report", code: assay.CodeSuiteNotRun, says: "none of the expected tests"},
		{sample: "entity-bomb", code: assay.CodeSuiteNotRun, says: "document type declarations are not accepted"},
		{sample: "huge-report", code: assay.CodeReportInvalid, says: "at most 256 MiB"},
		{sample: "device-report", code: assay.CodeSuiteNotRun, says: "left no report"},
		{sample: "fifo-report", code: assay.CodeSuiteNotRun, says: "left no report"},
	} {
		t.Run(tt.sample, func(t *testing.T) {
			created := c.call(t, "POST", "/sessions", wire.SessionCreate{Dataset: "hostile", SampleID: tt.sample, TTLMinutes: 10})
			s := c.ready(t, must[wire.SessionCreated](t, created, 201).SessionID)
			defer c.close(t, s)
			j := c.job(t, s, c.verify(t, s))
			if tt.code != "" {
				if j.Error == nil || j.Error.Code != string(tt.code) || !strings.Contains(j.Error.Message, tt.says) || j.Result != nil {
					t.Errorf("the job is %s with %+v and %+v, want error %s that says %q", j.Status, j.Error, j.Result, tt.code, tt.says)
				}
				return
			}
			if j.Result == nil || j.Result.IsSuccess != tt.solved || !strings.Contains(j.Result.Reason, tt.says) {
				t.Fatalf("the job is %s with %+v and %+v, want a verdict that says %q", j.Status, j.Error, j.Result, tt.says)
			}
			if n := len(j.Result.Stdout) + len(j.Result.Stderr); n > 2*assay.OutputLimit {
				t.Errorf("%d bytes of its output are kept", n)
			}
		})
	}
	if got := peakMemory(t, srv); got > 256<<20 {
		t.Errorf("the server took %d MiB for it", got>>20)
	}
	if err := srv.Stop(); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(filepath.Join(p.DataDir, "verifications"))
	if err != nil || len(left) > 0 {
		t.Errorf("changes of verifications are left: %v, %v", left, err)
	}
	if err := nothingAtAllLeft(p); err != nil {
		t.Error(err)
	}
}

func TestWhatDoesNotExist(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	for _, tt := range []struct {
		method, path string
		body         any
		code         assay.Code
	}{
		{"POST", "/sessions", wire.SessionCreate{Dataset: "none", SampleID: "quick", TTLMinutes: 1}, assay.CodeDatasetNotFound},
		{"POST", "/sessions", wire.SessionCreate{Dataset: "e2e", SampleID: "none", TTLMinutes: 1}, assay.CodeSampleNotFound},
		{"POST", "/sessions", wire.SessionCreate{Dataset: "../e2e", SampleID: "quick", TTLMinutes: 1}, assay.CodeDatasetNotFound},
		{"GET", "/samples?dataset=none", nil, assay.CodeDatasetNotFound},
		{"GET", "/samples/none/quick/download", nil, assay.CodeDatasetNotFound},
		{"GET", "/samples/e2e/none/download", nil, assay.CodeSampleNotFound},
		{"GET", "/samples/e2e/..%2Fquick/download", nil, assay.CodeSampleNotFound},
		{"GET", "/sessions/ses_none", nil, assay.CodeSessionNotFound},
		{"GET", "/sessions/" + s + "x", nil, assay.CodeSessionNotFound},
		{"GET", "/sessions/" + strings.Repeat("x", 10_000), nil, assay.CodeSessionNotFound},
		{"DELETE", "/sessions/ses_none", nil, assay.CodeSessionNotFound},
		{"POST", "/sessions/ses_none/exec", wire.ExecRequest{Command: "true"}, assay.CodeSessionNotFound},
		{"POST", "/sessions/ses_none/str_replace", wire.ReplaceRequest{FilePath: "a", StrToReplace: "b", StrToInsert: "c"}, assay.CodeSessionNotFound},
		{"POST", "/sessions/ses_none/verify", nil, assay.CodeSessionNotFound},
		{"GET", "/sessions/ses_none/interactions/int_none", nil, assay.CodeInteractionNotFound},
		{"GET", "/sessions/" + s + "/interactions/int_none", nil, assay.CodeInteractionNotFound},
		{"GET", "/sessions/" + s + "/verify/ver_none", nil, assay.CodeJobNotFound},
		{"DELETE", "/users/me/api-keys", map[string]any{"key_id": "key_none"}, assay.CodeAPIKeyNotFound},
	} {
		began := time.Now()
		r := c.call(t, tt.method, tt.path, tt.body)
		if r.status != 404 || r.code() != string(tt.code) {
			t.Errorf("%s %.100s: %d %s, want 404 %s: %.300s", tt.method, tt.path, r.status, r.code(), tt.code, r.body)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s %.100s is held for %s", tt.method, tt.path, took)
		}
	}
}

// Commands that do not end by themselves are ended, and the session goes on.
func TestCommandsThatDoNotEnd(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	for name, command := range map[string]string{
		"prints for ever":            "yes",
		"prints for ever to both":    "yes & yes >&2",
		"ignores signals":            "trap '' TERM INT HUP QUIT; while :; do sleep 0.1; done",
		"is stopped":                 "kill -STOP $$",
		"forks for ever":             "while :; do sleep 0.01 & wait; done",
		"reads from a FIFO":          "mkfifo fifo-$$; cat fifo-$$",
		"holds its output elsewhere": "setsid sleep 300 & sleep 300",
	} {
		t.Run(name, func(t *testing.T) {
			r := c.call(t, "POST", "/sessions/"+s+"/exec", wire.ExecRequest{Command: command, CommandTimeout: 1})
			in := c.end(t, s, must[wire.ExecAccepted](t, r, 202).InteractionID)
			if *in.ExitCode != assay.ExitTimeout || *in.ExecutionTimeSeconds > 15 {
				t.Errorf("want exit 124 after a second: %s", show(in))
			}
			if n := len(*in.Stdout) + len(*in.Stderr); n > 2*assay.OutputLimit {
				t.Errorf("%d bytes are kept", n)
			}
		})
	}
	if got := c.output(t, s, "grep -lzE '^(yes|sleep|cat)' /proc/[0-9]*/cmdline 2>/dev/null | wc -l"); got != "0\n" {
		t.Errorf("processes are left: %s", got)
	}
}

func TestHugeCommandsAndFiles(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	r := c.call(t, "POST", "/sessions/"+s+"/exec", wire.ExecRequest{Command: "true " + strings.Repeat("x", 10<<20)})
	refused(t, r, 413, assay.CodeTooLarge)
	c.output(t, s, "truncate -s 5G huge; echo yes > answer")
	if got := c.edit(t, s, "huge", "a", "b"); got.Success || !strings.Contains(got.Message, "large") {
		t.Errorf("an edit of 5 GB: %t %s", got.Success, got.Message)
	}
	if got := c.judge(t, s); got.IsSuccess || !got.Evidence.NotRun || !strings.Contains(got.Reason, "256 MiB") {
		t.Errorf("with a file of 5 GB: %+v", got)
	}
	c.output(t, s, "rm huge; mkfifo pipe; ln -s /etc/shadow shadow; ln -s /dev/zero zero; mknod null c 1 3 2>/dev/null; true")
	if got := c.judge(t, s); !got.IsSuccess {
		t.Errorf("special files in the work tree change the verdict: %s", got.Reason)
	}
}

// An image that was spoilt on the disk is as good as none.
func TestCorruptImages(t *testing.T) {
	t.Parallel()
	p := harness.Program{Path: filepath.Join(world.bin, "assay"), DataDir: filepath.Join(t.TempDir(), "data")}
	clean(t, p)
	img, err := random.Image(2000, 2)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag("localhost/assay-e2e-absent:latest") // that of sample no-image
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "image.tar")
	if err := tarball.WriteToFile(archive, tag, img); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(t.TempDir(), "half.tar")
	if err := os.WriteFile(half, content[:len(content)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(t.Context(), "image", "load", half); err == nil {
		t.Error("half an image was loaded")
	}
	for _, args := range [][]string{{"image", "load", archive}, {"dataset", "import", "testdata/dataset"}} {
		if _, err := p.Run(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	}
	config, err := img.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	srv := start(t, p)
	c := newCaller(t, p, srv)
	for _, spoil := range []struct {
		what string
		do   func() error
	}{
		{"a config that was changed", func() error {
			return os.WriteFile(filepath.Join(p.DataDir, "images", "blobs", "sha256", config.Hex), []byte("{}"), 0o600)
		}},
		{"layers that are gone", func() error {
			raw, err := img.RawConfigFile()
			if err != nil {
				return err
			}
			blob := filepath.Join(p.DataDir, "images", "blobs", "sha256", config.Hex)
			if err := os.WriteFile(blob, raw, 0o600); err != nil {
				return err
			}
			return os.RemoveAll(filepath.Join(p.DataDir, "images", "layers", "sha256"))
		}},
		{"an index that is none", func() error {
			return os.WriteFile(filepath.Join(p.DataDir, "images", "index.json"), []byte("[[["), 0o600)
		}},
	} {
		if err := spoil.do(); err != nil {
			t.Fatal(err)
		}
		s := c.session(t, c.create(t, "no-image"))
		if s.Status != assay.SessionError || s.Error == nil || s.Error.Code != string(assay.CodeImageUnavailable) {
			t.Errorf("%s: the session is %s with %+v, want error image_unavailable", spoil.what, s.Status, s.Error)
		}
		if err := nothingLeft(p); err != nil {
			t.Errorf("%s: %v", spoil.what, err)
		}
	}
	if err := srv.Stop(); err != nil {
		t.Error(err)
	}
}

// A data directory that cannot be written is refused, and said to be by the doctor.
func TestDataDirectoryOnAReadOnlyFileSystem(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("assay-e2e", dir, "tmpfs", unix.MS_RDONLY, "mode=0700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	const says = "cannot be written (read-only file system); mount its file system for writing"
	if status, stderr := serve(t, dir, "--listen", "127.0.0.1:0"); status != 1 || !strings.Contains(stderr, says) {
		t.Errorf("serve ends with %d: %s", status, stderr)
	}
	p := harness.Program{Path: filepath.Join(world.bin, "assay"), DataDir: dir}
	if _, err := p.Run(t.Context(), "user", "create", "--name", "Ada", "--email", "ada@example.org"); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("user create: %v", err)
	}
	if out, err := p.Run(t.Context(), "doctor"); err == nil || !strings.Contains(string(out), says) {
		t.Errorf("doctor: %v: %s", err, out)
	}
}
