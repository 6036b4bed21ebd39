package e2e_test

import (
	"strings"
	"testing"
	"time"

	"assay"
	"assay/client/wire"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	tests := []struct {
		name, command  string
		exit           int
		stdout, stderr string
	}{
		{name: "streams apart", command: "echo out; echo err >&2; exit 7", exit: 7, stdout: "out\n", stderr: "err\n"},
		{name: "work tree", command: "pwd", stdout: "/testbed\n"},
		{name: "image environment", command: `test -n "$PATH" && type -t cd`, stdout: "builtin\n"},
		{name: "no such program", command: "no-such-program 2>/dev/null", exit: 127},
		{name: "killed by a signal", command: "kill -9 $$", exit: 137},
		{name: "syntax error", command: "if", exit: 2, stderr: "bash: -c: line 2: syntax error: unexpected end of file"},
		{name: "standard input is empty", command: "cat; read line; echo $?", stdout: "1\n"},
		{name: "heredoc", command: "cat <<'END'\none $HOME\n\ttwo\nEND\n", stdout: "one $HOME\n\ttwo\n"},
		{name: "bytes that are not UTF-8", command: `printf 'a\xff\xfeb\xc3\xa9\xc3'`, stdout: "a\uFFFDb\u00e9\uFFFD"},
		{name: "NUL", command: `printf 'a\0b'`, stdout: "a\x00b"},
		{name: "interactive shell", command: "bash -ic 'echo \"$-\" | tr -cd i; exit 3'", exit: 3, stdout: "i"},
		{name: "no output", command: "true"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := c.run(t, s, tt.command)
			if in.Status != assay.InteractionCompleted || *in.ExitCode != tt.exit || *in.Success != (tt.exit == 0) || *in.Stdout != tt.stdout {
				t.Errorf("want exit %d and %q: %s", tt.exit, tt.stdout, show(in))
			}
			if !strings.HasPrefix(*in.Stderr, tt.stderr) {
				t.Errorf("standard error is %q, not %q", *in.Stderr, tt.stderr)
			}
		})
	}
}

// Files stay for the session's life; what a shell knows does not.
func TestFilesStay(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	c.output(t, s, "echo kept > kept; export LOST=1; cd /")
	if got := c.output(t, s, `cat kept; echo "$LOST"; pwd`); got != "kept\n\n/testbed\n" {
		t.Errorf("the next command finds %q", got)
	}
}

func TestLargeOutput(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	const total = 5_000_000
	in := c.run(t, s, `echo first; head -c 4999990 /dev/zero | tr '\0' x; echo; printf end; printf 'error\n' >&2`)
	const frame = len("first\n") + len("\n") + len("end")
	if want := int64(4999990 + frame); in.StdoutBytes != want || want != total || !in.StdoutTruncated {
		t.Errorf("stdout_bytes is %d, truncated %t; want %d of them, truncated", in.StdoutBytes, in.StdoutTruncated, want)
	}
	if n := len(*in.Stdout); n != assay.OutputLimit {
		t.Errorf("%d bytes of output are kept, not %d", n, assay.OutputLimit)
	}
	if !strings.HasPrefix(*in.Stdout, "first\nxxx") || !strings.HasSuffix(*in.Stdout, "xxx\nend") {
		t.Errorf("the ends are not kept: %.20q...%.20q", *in.Stdout, (*in.Stdout)[len(*in.Stdout)-20:])
	}
	if in.StderrTruncated || in.StderrBytes != 6 || *in.Stderr != "error\n" || *in.ExitCode != 0 {
		t.Errorf("the other stream is touched: %q of %d bytes, exit %d", *in.Stderr, in.StderrBytes, *in.ExitCode)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	r := c.call(t, "POST", "/sessions/"+s+"/exec", wire.ExecRequest{
		Command:        "echo partial; (setsid sleep 1234 & exec sleep 1234) & sleep 1234; echo never",
		CommandTimeout: 1,
	})
	in := c.end(t, s, must[wire.ExecAccepted](t, r, 202).InteractionID)
	if *in.ExitCode != assay.ExitTimeout || *in.Stdout != "partial\n" || *in.Success || in.Message == nil || !strings.Contains(*in.Message, "timeout") {
		t.Errorf("want exit 124, partial output and a message: %s", show(in))
	}
	if took := *in.ExecutionTimeSeconds; took < 1 || took > 10 {
		t.Errorf("it took %v s, with a timeout of 1 s", took)
	}
	if got := c.output(t, s, "grep -lz '^1234$' /proc/[0-9]*/cmdline 2>/dev/null | wc -l"); got != "0\n" {
		t.Errorf("processes of the command live on: %s", got)
	}
}

func TestBackgroundProcess(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	began := time.Now()
	in := c.run(t, s, "(while ! [ -e stop ]; do sleep 0.05; done; echo ended > ended) & echo started")
	if took := time.Since(began); took > 10*time.Second || *in.ExitCode != 0 || *in.Stdout != "started\n" {
		t.Fatalf("the answer took %s: %s", took, show(in))
	}
	if got := c.output(t, s, "touch stop; until [ -e ended ]; do sleep 0.05; done; cat ended"); got != "ended\n" {
		t.Errorf("the background process says %q", got)
	}
}

func TestCommandsRunAtOnce(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	waits := c.exec(t, s, "until [ -e flag ]; do sleep 0.05; done; echo seen")
	c.output(t, s, "touch flag")
	if in := c.end(t, s, waits); *in.Stdout != "seen\n" {
		t.Errorf("the first command did not see the second: %s", show(in))
	}
}

func TestSandboxOfASession(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	for command, want := range map[string]string{
		"ls /sys/class/net":                                   "lo\n",
		"git log --oneline | wc -l":                           "1\n",
		"git status --porcelain":                              "",
		"grep NoNewPrivs /proc/self/status | cut -f2":         "1\n",
		"cat /proc/1/comm":                                    "agent\n",
		"kill -9 1; cat /proc/1/environ 2>/dev/null | wc -c":  "0\n",
		"ls -d /run/assay* /var/lib/assay* 2>/dev/null; true": "",
	} {
		if got := c.output(t, s, command); got != want {
			t.Errorf("%s: %q, not %q", command, got, want)
		}
	}
}
