package sandboxtest

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"assay/internal/sandbox"
	"assay/internal/sandbox/sandboxtest/rootfs"
)

func discard(string, int64, io.Reader) error { return nil }

// entry is an entry of a layer: a rootfs.File, or a hard link, or worse.
type entry struct {
	rootfs.File
	Type byte // defaults to what File says
}

func file(name, content string) entry { return entry{File: rootfs.File{Name: name, Content: content}} }

func layer(s *suite, entries ...entry) *bytes.Buffer {
	s.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		hdr := &tar.Header{Name: e.Name, Typeflag: e.Type, Linkname: e.Link, Mode: e.Mode, Size: int64(len(e.Content)), ModTime: e.ModTime, Format: tar.FormatPAX}
		switch {
		case e.Type != 0:
		case e.Link != "":
			hdr.Typeflag = tar.TypeSymlink
		case strings.HasSuffix(e.Name, "/"):
			hdr.Typeflag = tar.TypeDir
		default:
			hdr.Typeflag = tar.TypeReg
		}
		if hdr.Mode == 0 {
			hdr.Mode = 0o755
		}
		if err := w.WriteHeader(hdr); err != nil {
			s.Fatal(err)
		}
		if _, err := io.WriteString(w, e.Content); err != nil {
			s.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		s.Fatal(err)
	}
	return &buf
}

// apply lays entries on a directory.
func (s *suite) apply(sb sandbox.Sandbox, root string, entries ...entry) {
	s.Helper()
	if err := sb.ApplyLayer(s.context(), root, layer(s, entries...)); err != nil {
		s.Fatalf("apply a layer to %s: %v", root, err)
	}
}

// read reads a file; "!" and the kind of its error when it cannot.
func (s *suite) read(sb sandbox.Sandbox, name string) string {
	content, _, err := sb.ReadFile(s.context(), name, 1<<20)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "!absent"
	case errors.Is(err, sandbox.ErrTooLarge):
		return "!too large"
	case errors.Is(err, fs.ErrInvalid):
		return "!no file"
	case err != nil:
		return "!error"
	}
	return string(content)
}

var fileCases = []testCase{
	{"files/list", nothing, func(s *suite) {
		sb := s.create()
		s.apply(sb, "listed", file("a/b.txt", "x"), entry{File: rootfs.File{Name: "a/out", Link: "/etc"}}, file("ö bad\nname", "x"), file("e/", ""))
		var all []string
		list := func(root string) error {
			return sb.List(s.context(), root, func(name string, mode fs.FileMode) error {
				all = append(all, fmt.Sprintf("%q %v", name, mode.Type()))
				return nil
			})
		}
		if err := list("listed"); err != nil {
			s.Fatal(err)
		}
		s.expectText("names", strings.Join(all, ", "), `"a" d---------, "a/b.txt" ----------, "a/out" L---------, "e" d---------, "ö bad\nname" ----------`)
		for _, absent := range []string{"nothing", "README.md"} {
			if err := list(absent); err == nil {
				s.Errorf("%s was listed", absent)
			}
		}
		enough := errors.New("enough")
		if err := sb.List(s.context(), ".", func(string, fs.FileMode) error { return enough }); !errors.Is(err, enough) {
			s.Errorf("the caller's error became %v", err)
		}
		s.expectText("afterwards", s.read(sb, "listed/a/b.txt"), "x")
	}},
	{"files/lstat", nothing, func(s *suite) {
		sb := s.create()
		s.apply(sb, "looked", file("a/b.txt", "x"), entry{File: rootfs.File{Name: "a/out", Link: "/etc"}}, entry{File: rootfs.File{Name: "dangling", Link: "nowhere"}}, file("ö bad\nname", "x"))
		for name, want := range map[string]string{
			"a": "d---------", "a/b.txt": "----------", "a/out": "L---------", "dangling": "L---------", "ö bad\nname": "----------",
			"nothing": "absent", "no/thing": "absent", "a/b.txt/c": "absent", "a/out/passwd": "absent", strings.Repeat("x", 300): "absent",
			"../looked": "refused", "/etc": "refused", "a//b.txt": "refused",
		} {
			mode, err := sb.Lstat(s.context(), "looked", name)
			got := mode.Type().String()
			switch {
			case errors.Is(err, fs.ErrNotExist):
				got = "absent"
			case err != nil:
				got = "refused"
			}
			s.expectText(name, got, want)
		}
		for name, want := range map[string]string{"a/out": "/etc", "dangling": "nowhere", "a": "invalid", "a/b.txt": "invalid", "nothing": "absent", "a/out/passwd": "absent"} {
			got, err := sb.Readlink(s.context(), "looked", name)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				got = "absent"
			case errors.Is(err, fs.ErrInvalid):
				got = "invalid"
			case err != nil:
				got = err.Error()
			}
			s.expectText("where "+name+" leads", got, want)
		}
	}},
	{"files/protect from an unprivileged user", processes, func(s *suite) {
		sb := s.create()
		s.must(sb, "mkdir -p own/.git .git/x; echo mine > own/file; chmod 600 own/file; echo run > own/tool; chmod 700 own/tool; chown -R 65534:65534 own; ln -s /etc/passwd own/link; echo theirs > lib/open; chmod 666 lib/open")
		if err := sb.ProtectTree(s.context(), sandbox.ProtectRequest{Root: ".", UID: 65534, Hidden: []string{".git"}}); err != nil {
			s.Fatal(err)
		}
		as := func(text string) string {
			cmd := command("bash", "-c", text)
			cmd.UID = 65534
			return strings.TrimSpace(stdout(s.run(sb, cmd)))
		}
		s.expectText("who", as("id -u; id -g; id -G"), "65534\n65534\n65534")
		for _, change := range []string{
			"echo x >> lib/a.txt", "echo x >> lib/open", "echo x >> own/file", "rm -f lib/a.txt", "rm own/file", "mv lib lib2", "mv own own2", "rm own/link",
			"chmod 777 own/file", "ln -sfT /etc own", "rm -rf own", "ls .git", "cat .git/x/y", "chmod 777 .", "mv own/tool own/tool2",
		} {
			s.expectText(change, as(change+" 2>/dev/null && echo done"), "")
		}
		for _, use := range []string{"cat lib/a.txt", "cat own/file", "test -x own/tool", "echo x > lib/fresh && rm lib/fresh", "mkdir own/fresh && rmdir own/fresh", "ls own/.git"} {
			s.expectText(use, as(use+" > /dev/null && echo done"), "done")
		}
		s.expectText("outside", strings.TrimSpace(s.must(sb, "stat -c %a /etc/passwd")), "644")
	}},
	{"files/read", nothing, func(s *suite) {
		sb := s.create()
		s.expectText("relative", s.read(sb, "README.md"), "# A project\n")
		s.expectText("absolute", s.read(sb, Workdir+"/lib/a.txt"), "a\n")
		s.expectText("absent", s.read(sb, "nothing"), "!absent")
		s.expectText("below an absent folder", s.read(sb, "no/thing"), "!absent")
		s.expectText("below a file", s.read(sb, "README.md/x"), "!absent")
		s.expectText("of too long a name", s.read(sb, strings.Repeat("x", 300)), "!absent")
		s.expectText("of too long a path", s.read(sb, strings.Repeat("x/", 3000)+"x"), "!absent")
		s.expectText("directory", s.read(sb, "lib"), "!no file")
		s.expectText("link", s.read(sb, "link"), "a\n")
		_, mode, err := sb.ReadFile(s.context(), "main.sh", 100)
		if err != nil || mode.Perm() != 0o755 {
			s.Errorf("mode %v, %v", mode, err)
		}
		if _, _, err := sb.ReadFile(s.context(), "README.md", 11); !errors.Is(err, sandbox.ErrTooLarge) {
			s.Errorf("one byte too large: %v", err)
		}
		if _, _, err := sb.ReadFile(s.context(), "README.md", 12); err != nil {
			s.Errorf("just not too large: %v", err)
		}
	}},
	{"files/read nothing that waits", processes, func(s *suite) {
		sb := s.create()
		s.must(sb, "mkfifo pipe; ln -s /dev/zero zero; ln -s loop loop; truncate -s 5G huge")
		for name, want := range map[string]string{"pipe": "!no file", "/dev/zero": "!no file", "zero": "!no file", "loop": "!absent", "loop/x": "!absent", "huge": "!too large"} {
			s.expectText(name, s.read(sb, name), want)
		}
	}},
	{"files/collect", nothing, func(s *suite) {
		sb := s.create()
		got := func(req sandbox.CollectRequest) (string, error) {
			var all []string
			err := sb.Collect(s.context(), req, func(name string, size int64, r io.Reader) error {
				content, err := io.ReadAll(r)
				if err == nil && int64(len(content)) != size {
					err = fmt.Errorf("%d bytes of %d", len(content), size)
				}
				all = append(all, name+"="+strings.TrimSpace(string(content)))
				return err
			})
			return strings.Join(all, " "), err
		}
		req := sandbox.CollectRequest{Root: Workdir, Patterns: []string{"*/*.txt", "lib/deep/c.*", "link"}, MaxFiles: 5, MaxBytes: 10}
		all, err := got(req)
		if want := "data/one.txt=1 data/two.txt=2 lib/a.txt=a lib/b.txt=b lib/deep/c.txt=c"; all != want || err != nil {
			s.Errorf("collected %q, %v; want %q", all, err, want)
		}
		req.MaxFiles = 4
		if _, err := got(req); !errors.Is(err, sandbox.ErrTooLarge) {
			s.Errorf("one file too many: %v", err)
		}
		req.MaxFiles, req.MaxBytes = 5, 9
		if _, err := got(req); !errors.Is(err, sandbox.ErrTooLarge) {
			s.Errorf("one byte too many: %v", err)
		}
		fault := errors.New("enough")
		req.MaxBytes = 10
		if err := sb.Collect(s.context(), req, func(string, int64, io.Reader) error { return fault }); !errors.Is(err, fault) {
			s.Errorf("the caller's own error: %v", err)
		}
	}},
	{"files/apply a layer", nothing, func(s *suite) {
		sb := s.create()
		s.apply(sb, Workdir,
			file("README.md", "changed\n"),
			entry{File: rootfs.File{Name: "new/"}}, file("new/x.txt", "x\n"),
			file("lib/.wh.a.txt", ""),
			file("data/.wh..wh..opq", ""), file("data/three.txt", "3\n"),
			entry{File: rootfs.File{Name: "tool", Content: "#!/bin/sh\n", Mode: 0o755}},
			entry{File: rootfs.File{Name: "alias", Link: "new/x.txt"}},
		)
		for name, want := range map[string]string{
			"README.md": "changed\n", "new/x.txt": "x\n", "alias": "x\n", "lib/a.txt": "!absent", "lib/b.txt": "b\n",
			"data/one.txt": "!absent", "data/three.txt": "3\n", "main.sh": "#!/bin/sh\necho main\n",
		} {
			s.expectText(name, s.read(sb, name), want)
		}
		s.apply(sb, "/made/by/layer", file("a/b", "deep\n"))
		s.expectText("a root that is made", s.read(sb, "/made/by/layer/a/b"), "deep\n")
	}},
	{"files/what a layer brings is newer than what was there", processes, func(s *suite) {
		sb := s.create()
		newer := func(a, b string) {
			s.Helper()
			s.expectExit(a+" is newer than "+b, s.sh(sb, "[ "+a+" -nt "+b+" ]").Exit, sandbox.ExitStatus{})
		}
		at := func(name string, when time.Time) entry {
			return entry{File: rootfs.File{Name: name, Content: name, ModTime: when}}
		}
		for round := range 3 {
			s.must(sb, "echo > product")
			s.apply(sb, Workdir, at("zero", time.Unix(0, 0)), at("a", time.Unix(200, 0)), at("b", time.Unix(100, 0)), at("lib/same", time.Unix(200, 0)),
				at("to-come", time.Now().AddDate(100, 0, 0)))
			s.apply(sb, Workdir, at("next", time.Unix(0, 0)))
			s.must(sb, "echo > afterwards")
			chain := []string{Workdir + "/README.md", "product", "zero", "b", "a", "to-come", "next", "afterwards"}
			if round == 0 {
				chain = append([]string{Future}, chain[1:]...)
			}
			for i := range chain[1:] {
				newer(chain[i+1], chain[i])
			}
			s.expectText("equal times", s.must(sb, "[ a -nt lib/same -o lib/same -nt a ] || echo equal"), "equal\n")
		}
	}},
	{"files/a layer stays below its root", nothing, func(s *suite) {
		sb := s.create()
		for _, bad := range [][]entry{
			{file("../out", "x")},
			{file("/etc/out", "x"), file("a/../../out", "x")},
			{{File: rootfs.File{Name: "way", Link: "/tmp"}}, file("way/out", "x")},
			{{File: rootfs.File{Name: "way2", Link: "../../.."}}, file("way2/tmp/out", "x")},
		} {
			// Refused or made harmless; either way nothing appears outside.
			_ = sb.ApplyLayer(s.context(), Workdir+"/lib", layer(s, bad...))
		}
		for _, outside := range []string{Workdir + "/out", "/src/out", "/tmp/out", "/etc/out", "/out"} {
			s.expectText(outside, s.read(sb, outside), "!absent")
		}
	}},
	{"files/replace", nothing, func(s *suite) {
		sb := s.create()
		s.apply(sb, Workdir, file("text", "one two two\n"), file("bytes", "a\x00b"))
		for _, c := range []struct {
			path, old, new string
			replaced       bool
		}{
			{"text", "one", "1", true},
			{"text", "two", "2", false},
			{"text", "three", "3", false},
			{"absent", "x", "y", false},
			{"lib", "x", "y", false},
			{"bytes", "a", "b", false},
			{"text", "", "y", false},
		} {
			res, err := sb.Replace(s.context(), sandbox.ReplaceRequest{Path: c.path, Old: c.old, New: c.new})
			if err != nil || res.Replaced != c.replaced || res.Message == "" {
				s.Errorf("replace %q in %s: %+v, %v; want %v", c.old, c.path, res, err, c.replaced)
			}
		}
		s.expectText("text", s.read(sb, "text"), "1 two two\n")
		if _, err := sb.Replace(s.context(), sandbox.ReplaceRequest{Path: "main.sh", Old: "echo main", New: "echo changed"}); err != nil {
			s.Fatal(err)
		}
		if _, mode, err := sb.ReadFile(s.context(), "main.sh", 100); err != nil || mode.Perm() != 0o755 {
			s.Errorf("mode after an edit: %v, %v", mode, err)
		}
	}},
}
