package e2e_test

import (
	"strings"
	"testing"

	"assay"
	"assay/client/wire"
)

// What a command does to its own sandbox is an exit status, and the session goes on.

func TestCommandOutOfMemory(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick") // 512 MiB
	in := c.run(t, s, "head -c 700M /dev/zero | tail | wc -c; exit ${PIPESTATUS[1]}")
	if *in.ExitCode != 137 || in.Message == nil || !strings.Contains(*in.Message, "memory") {
		t.Errorf("want exit 137 and a message about memory: %s", show(in))
	}
	c.output(t, s, "true")
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick") // 256 MiB
	c.output(t, s, "echo yes > answer; echo here > f; sync")
	in := c.run(t, s, "head -c 400M /dev/zero > /tmp/big")
	if *in.ExitCode == 0 || !strings.Contains(*in.Stderr, "No space left on device") {
		t.Errorf("400 MiB fit into 256: %s", show(in))
	}
	r := c.call(t, "POST", "/sessions/"+s+"/str_replace", wire.ReplaceRequest{FilePath: "f", StrToReplace: "here", StrToInsert: strings.Repeat("x", 1<<20)})
	if got := must[wire.EditResult](t, r, 200); got.Success || !strings.Contains(got.Message, "space") {
		t.Errorf("an edit on a full disk: %t %s", got.Success, got.Message)
	}
	if got := c.output(t, s, "cat f"); got != "here\n" {
		t.Errorf("an edit that failed left %.20q", got)
	}
	if got := c.judge(t, s); !got.IsSuccess {
		t.Errorf("a full disk changes the verdict: %s", got.Reason)
	}
	c.output(t, s, "rm /tmp/big; echo room > g")
}

func TestForkBomb(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick") // 128 processes
	c.output(t, s, "echo yes > answer")
	r := c.call(t, "POST", "/sessions/"+s+"/exec", wire.ExecRequest{Command: "bomb() { bomb | bomb & bomb; }; bomb 2>/dev/null", CommandTimeout: 3})
	id := must[wire.ExecAccepted](t, r, 202).InteractionID
	if got := c.judge(t, s); !got.IsSuccess {
		t.Errorf("a fork bomb in the session changes the verdict: %s", got.Reason)
	}
	if in := c.end(t, s, id); *in.ExitCode == 0 {
		t.Errorf("the fork bomb: %s", show(in))
	}
	eventually(t, "the session is usable after a fork bomb", func() bool {
		in := c.run(t, s, "echo usable")
		return *in.ExitCode == 0 && *in.Stdout == "usable\n"
	})
}

func TestTooManyChanges(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	c.output(t, s, "mkdir many && cd many && seq 20100 | xargs touch")
	if got := c.judge(t, s); got.IsSuccess || !got.Evidence.NotRun || !strings.Contains(got.Reason, "20,000 files") {
		t.Errorf("too many files: %+v", got)
	}
	refused(t, c.call(t, "GET", "/sessions/"+s+"/diff", nil), 413, assay.CodeTooLarge)
	c.output(t, s, "rm -r many; echo yes > answer")
	if got := c.judge(t, s); !got.IsSuccess {
		t.Errorf("after the changes were removed: %s", got.Reason)
	}
}

// However many a session has open, the next verification is refused, and none lost.
func TestManyVerifications(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	c.output(t, s, "echo yes > answer; echo 1 > pause")
	var ids []string
	for range 4 {
		ids = append(ids, c.verify(t, s))
	}
	r := c.call(t, "POST", "/sessions/"+s+"/verify", nil)
	refused(t, r, 429, assay.CodeTooManyJobs)
	if r.header.Get("Retry-After") == "" {
		t.Error("there is no Retry-After")
	}
	for _, id := range ids {
		if j := c.job(t, s, id); j.Result == nil || !j.Result.IsSuccess {
			t.Errorf("verification %s is %s: %+v", id, j.Status, j.Error)
		}
	}
}
