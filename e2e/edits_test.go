package e2e_test

import (
	"strings"
	"testing"

	"assay/client/wire"
)

func TestEdits(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	c.output(t, s, `
		printf 'one\ntwo\nthree\ntwo\n' > twice
		printf 'a\r\nb\r\n' > crlf; chmod 750 crlf; chown 7:8 crlf
		printf 'no newline' > bare
		printf 'x\0y' > binary; printf 'caf\xe9 x' > latin1
		: > empty; mkfifo fifo; mkdir dir
		ln -s /etc/shadow shadow; ln -s bare link; ln -s nowhere dangling; ln -s loop loop
		ln -s /proc/1/environ agent`)
	tests := []struct {
		name, file, before, after string
		ok                        bool
		message                   string // part of it
		check, want               string // a command and its output, afterwards
	}{
		{name: "once", file: "twice", before: "three", after: "drei\nvier", ok: true, check: "cat twice", want: "one\ntwo\ndrei\nvier\ntwo\n"},
		{name: "more than once", file: "twice", before: "two", after: "2", message: "2", check: "grep -c two twice", want: "2\n"},
		{name: "not at all", file: "bare", before: "absent", after: "x", message: "not"},
		{name: "line endings, mode and owner stay", file: "crlf", before: "a\r\n", after: "A\r\n", ok: true,
			check: "od -An -c crlf | tr -d ' \n'; stat -c ' %a %u:%g' crlf", want: `A\r\nb\r\n 750 7:8` + "\n"},
		{name: "absolute path", file: "/testbed/dir/../bare", before: "newline", after: "end", ok: true, check: "cat bare", want: "no end"},
		{name: "to nothing", file: "/testbed/link", before: "no ", after: "", ok: true, check: "cat bare; readlink link", want: "endbare\n"},
		{name: "no such file", file: "absent", before: "x", after: "y", message: "absent"},
		{name: "directory", file: "dir", before: "x", after: "y", message: "director"},
		{name: "FIFO", file: "fifo", before: "x", after: "y", message: "fifo"},
		{name: "device", file: "/dev/null", before: "x", after: "y", message: "/dev/null"},
		{name: "binary", file: "binary", before: "x", after: "y", message: "text"},
		{name: "other encoding", file: "latin1", before: "x", after: "y", message: "UTF-8"},
		{name: "empty file", file: "empty", before: "x", after: "y", message: "not"},
		{name: "dangling link", file: "dangling", before: "x", after: "y", message: "dangling"},
		{name: "loop of links", file: "loop", before: "x", after: "y", message: "loop"},
		{name: "agent's environment", file: "agent", before: "x", after: "y", message: "agent"},
		{name: "out of the root", file: "../../../../../../testbed/twice", before: "one", after: "eins", ok: true, check: "head -1 twice", want: "eins\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := c.edit(t, s, tt.file, tt.before, tt.after)
			if got.Success != tt.ok || !strings.Contains(got.Message, tt.message) || got.Message == "" {
				t.Errorf("success %t, message %q; want %t and a message with %q", got.Success, got.Message, tt.ok, tt.message)
			}
			if tt.check != "" {
				if out := c.output(t, s, tt.check); out != tt.want {
					t.Errorf("%s: %q, not %q", tt.check, out, tt.want)
				}
			}
		})
	}
	if got := c.edit(t, s, "twice", "two", "2"); !strings.Contains(got.Message, "2 and 5") && !strings.Contains(got.Message, "2, 5") {
		t.Errorf("the message does not name lines 2 and 5: %s", got.Message)
	}
}

// A link to a file of the host's leads to the sandbox's file of that name.
func TestEditsStayInTheSandbox(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	c.output(t, s, "echo 'guest:x:1' > /etc/shadow; ln -s /etc/shadow shadow; ln -s ../../../../../../../etc/shadow up")
	if got := c.edit(t, s, "shadow", "guest", "changed"); !got.Success {
		t.Errorf("edit through a link: %s", got.Message)
	}
	if got := c.edit(t, s, "up", "changed", "again"); !got.Success {
		t.Errorf("edit through a link with ..: %s", got.Message)
	}
	if got := c.output(t, s, "cat /etc/shadow"); got != "again:x:1\n" {
		t.Errorf("the sandbox's /etc/shadow is %q", got)
	}
	if got := c.edit(t, s, "shadow", "root:", "toor:"); got.Success {
		t.Errorf("the host's /etc/shadow was found")
	}
}

func TestMalformedEdits(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	r := c.call(t, "POST", "/sessions/"+s+"/str_replace", map[string]any{"str_to_replace": "", "str_to_insert": 3})
	faults := must[wire.ValidationBody](t, r, 422).Detail
	where := map[string]bool{}
	for _, f := range faults {
		where[strings.Join(f.Loc, ".")] = true
	}
	for _, loc := range []string{"body.file_path", "body.str_to_replace", "body.str_to_insert"} {
		if !where[loc] {
			t.Errorf("no fault at %s: %s", loc, r.body)
		}
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.open(t, "quick")
	c.output(t, s, "printf 'a\nb\nc\n' > f")
	apply := func(diff string) wire.EditResult {
		return must[wire.EditResult](t, c.call(t, "POST", "/sessions/"+s+"/apply", wire.ApplyRequest{Diff: diff}), 200)
	}
	const diff = "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"
	if got := apply(diff); !got.Success {
		t.Fatalf("apply: %s", got.Message)
	}
	if got := apply(diff); got.Success {
		t.Errorf("a diff applies twice: %s", got.Message)
	}
	for _, hostile := range []string{"../f", "../../../etc/passwd", ".git/config"} {
		if got := apply("--- /dev/null\n+++ b/" + hostile + "\n@@ -0,0 +1 @@\n+x\n"); got.Success {
			t.Errorf("a diff to %s applies: %s", hostile, got.Message)
		}
	}
	if got := c.output(t, s, "cat f"); got != "a\nB\nc\n" {
		t.Errorf("the file is %q", got)
	}
}
