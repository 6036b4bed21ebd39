package agent_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"assay/agent"
	"assay/internal/sandbox"
)

func TestReadFile(t *testing.T) {
	g := start(t, nil)
	g.write("hello", "hello\n")
	check(t, os.Chmod(filepath.Join(g.work, "hello"), 0o751))
	check(t, os.Symlink("hello", filepath.Join(g.work, "link")))
	check(t, os.Symlink("loop", filepath.Join(g.work, "loop")))
	check(t, unix.Mkfifo(filepath.Join(g.work, "fifo"), 0o666))
	for _, path := range []string{"hello", g.work + "/hello", "../work/./hello", "link"} {
		p, mode, err := g.ReadFile(testContext(t), path, 6)
		if err != nil || string(p) != "hello\n" || mode != 0o751 {
			t.Errorf("%s: %q %v %v", path, p, mode, err)
		}
	}
	tests := map[string]error{
		"none": fs.ErrNotExist, "none/x": fs.ErrNotExist, ".": nil, "fifo": nil, "loop": nil,
		"/dev/zero": nil, "/dev/tty": nil, "/proc/self/environ": nil, "/proc/self/mem": nil,
	}
	for path, want := range tests {
		p, _, err := g.ReadFile(testContext(t), path, 1<<20)
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %q %v, want %v", path, p, err, want)
		}
	}
	_, _, err := g.ReadFile(testContext(t), "hello", 5)
	wantError(t, err, sandbox.ErrTooLarge)
}

func TestCollect(t *testing.T) {
	g := start(t, nil)
	res := g.run("make", `
		mkdir -p a/b c .hidden; echo 1 >a/1.xml; echo 22 >a/b/2.xml; echo 3 >c/3.xml; echo 4 >top.xml; echo 5 >a/no.txt
		mkfifo a/fifo.xml; ln -s 1.xml a/link.xml; ln -s a linked; ln -s /etc etc; mkdir a/dir.xml; : >a/empty.xml`)
	if res.Exit.Code != 0 {
		t.Fatalf("%s", res.Stderr.Head)
	}
	collect := func(req sandbox.CollectRequest) (string, error) {
		var all strings.Builder
		err := g.Collect(testContext(t), req, func(name string, size int64, r io.Reader) error {
			p, err := io.ReadAll(r)
			fmt.Fprintf(&all, "%s=%d:%s ", name, size, strings.TrimSpace(string(p)))
			return err
		})
		return strings.TrimSpace(all.String()), err
	}
	tests := []struct {
		patterns []string
		want     string
	}{
		{[]string{"*.xml"}, "top.xml=2:4"},
		{[]string{"*/*.xml"}, "a/1.xml=2:1 a/empty.xml=0: c/3.xml=2:3"},
		{[]string{"c/*", "a/*.xml", "*/[13].xml", "top.xml"}, "a/1.xml=2:1 a/empty.xml=0: c/3.xml=2:3 top.xml=2:4"},
		{[]string{"a/b/2.xml"}, "a/b/2.xml=3:22"},
		{[]string{"linked/*", "etc/passwd", "a/link.xml", "a/fifo.xml", "none/*", "a"}, ""},
	}
	for _, tt := range tests {
		got, err := collect(sandbox.CollectRequest{Root: ".", Patterns: tt.patterns, MaxFiles: 10, MaxBytes: 100})
		if err != nil || got != tt.want {
			t.Errorf("%q: %q %v, want %q", tt.patterns, got, err, tt.want)
		}
	}
	_, err := collect(sandbox.CollectRequest{Root: ".", Patterns: []string{"*/*.xml"}, MaxFiles: 2, MaxBytes: 100})
	wantError(t, err, sandbox.ErrTooLarge)
	_, err = collect(sandbox.CollectRequest{Root: ".", Patterns: []string{"*/*.xml"}, MaxFiles: 3, MaxBytes: 3})
	wantError(t, err, sandbox.ErrTooLarge)
	_, err = collect(sandbox.CollectRequest{Root: "none", Patterns: []string{"*"}, MaxFiles: 3, MaxBytes: 3})
	wantError(t, err, fs.ErrNotExist)
	for _, bad := range []string{"../x", "a//b", "/etc/passwd", "", "[", "./a"} {
		if got, err := collect(sandbox.CollectRequest{Root: ".", Patterns: []string{bad}, MaxFiles: 3, MaxBytes: 300}); err == nil {
			t.Errorf("pattern %q: %q", bad, got)
		}
	}

	// What fn leaves unread is skipped; its error ends it.
	var names []string
	stop := errors.New("stop")
	err = g.Collect(testContext(t), sandbox.CollectRequest{Root: ".", Patterns: []string{"*/*.xml"}, MaxFiles: 10, MaxBytes: 100},
		func(name string, _ int64, _ io.Reader) error {
			if names = append(names, name); len(names) == 3 {
				return stop
			}
			return nil
		})
	if !errors.Is(err, stop) || len(names) != 3 {
		t.Errorf("%v after %q", err, names)
	}
}

func TestReplace(t *testing.T) {
	g := start(t, nil)
	files := map[string]string{
		"text": "one\ntwo\nthree\ntwo\n", "dos": "one\r\ntwo\r\n", "mixed": "one\r\ntwo\n",
		"nul": "a\x00b", "latin": "caf\xe9", "empty": "", "aaa": "aaa\n", "indent": "x\n\tif a {\n\t\tb()\n\t}\n",
	}
	res := g.run("make", "mkdir dir; mkfifo fifo; ln -s text link; ln -s /etc/passwd out; truncate -s 17M big; ln -s loop loop; mkdir sub; ln -s ../text sub/up")
	if res.Exit.Code != 0 {
		t.Fatalf("%s", res.Stderr.Head)
	}
	tests := []struct {
		path, old, new string
		file, want     string // the file that changes, and to what; "" is none
		message        string // a part of it
	}{
		{"text", "one", "1", "text", "1\ntwo\nthree\ntwo\n", "line 1"},
		{"text", "three\ntwo", "", "text", "one\ntwo\n\n", "line 3"},
		{"link", "one", "1", "text", "1\ntwo\nthree\ntwo\n", ""},
		{"sub/up", "one", "1", "text", "1\ntwo\nthree\ntwo\n", ""},
		{"text", "two", "2", "", "", "2 times in text, at lines 2, 4"},
		{"text", "four", "4", "", "", "not found"},
		{"indent", "if a {\n  b()", "", "", "", "line 2"},
		{"aaa", "aa", "b", "", "", "2 times"},
		{"dos", "one\ntwo", "1\n2", "dos", "1\r\n2\r\n", ""},
		{"dos", "one", "1\n1", "dos", "1\r\n1\r\ntwo\r\n", ""},
		{"dos", "one\r\ntwo", "1\n2", "dos", "1\n2\r\n", ""},
		{"mixed", "one\ntwo", "1", "", "", "not found"},
		{"mixed", "one", "1", "mixed", "1\r\ntwo\n", ""},
		{"empty", "x", "y", "", "", "not found"},
		{"nul", "a", "b", "", "", "not a text file"},
		{"latin", "c", "d", "", "", "not a text file"},
		{"none", "a", "b", "", "", "none does not exist"},
		{"none/none", "a", "b", "", "", "does not exist"},
		{"dir", "a", "b", "", "", "dir is a directory"},
		{"fifo", "a", "b", "", "", "not a regular file"},
		{"loop", "a", "b", "", "", "too many links"},
		{"big", "a", "b", "", "", "larger than"},
		{"/dev/null", "a", "b", "", "", "not a regular file"},
		{"/proc/version", "a", "b", "", "", "not a regular file"},
		{"text", "", "b", "", "", "nothing to replace"},
		{"out", "root:x:0:0:root", "b", "", "", "not changed"}, // of the host, read-only for the sandbox's root
	}
	for _, tt := range tests {
		t.Run(tt.path+" "+tt.old, func(t *testing.T) {
			for name, content := range files {
				g.write(name, content)
			}
			res, err := g.Replace(testContext(t), sandbox.ReplaceRequest{Path: tt.path, Old: tt.old, New: tt.new})
			check(t, err)
			if res.Replaced != (tt.file != "") || !strings.Contains(res.Message, tt.message) {
				t.Errorf("%+v, want %q in it", res, tt.message)
			}
			for name, content := range files {
				if name == tt.file {
					content = tt.want
				}
				if got := g.read(name); got != content {
					t.Errorf("%s holds %q, want %q", name, got, content)
				}
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(g.work, ".assay-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	_, err := g.Replace(testContext(t), sandbox.ReplaceRequest{Path: "text", Old: "a", New: strings.Repeat("x", agent.MaxReplaceFile+1)})
	wantError(t, err, sandbox.ErrTooLarge)
}

func TestReplaceKeepsAttributes(t *testing.T) {
	g := start(t, nil)
	g.write("tool", "old")
	path := filepath.Join(g.work, "tool")
	check(t, os.Chown(path, outside+33, outside+34))
	check(t, os.Chmod(path, 0o4751|os.ModeSetuid))
	check(t, os.Link(path, path+".hard"))
	hasXattr := unix.Setxattr(path, "user.note", []byte("kept"), 0) == nil
	res, err := g.Replace(testContext(t), sandbox.ReplaceRequest{Path: "tool", Old: "old", New: "new"})
	if err != nil || !res.Replaced {
		t.Fatalf("%+v %v", res, err)
	}
	info, err := os.Stat(path)
	check(t, err)
	st := info.Sys().(*syscall.Stat_t)
	if st.Uid != outside+33 || st.Gid != outside+34 || st.Mode&0o7777 != 0o4751 {
		t.Errorf("owner %d:%d, mode %o", st.Uid, st.Gid, st.Mode)
	}
	if g.read("tool") != "new" || g.read("tool.hard") != "old" {
		t.Errorf("content %q, of the hard link %q", g.read("tool"), g.read("tool.hard"))
	}
	value := make([]byte, 10)
	if n, err := unix.Getxattr(path, "user.note", value); hasXattr && (err != nil || string(value[:n]) != "kept") {
		t.Errorf("attribute %v", err)
	}
}
