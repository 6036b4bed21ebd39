package sandboxtest

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"assay/internal/sandbox"
	"assay/internal/sandbox/sandboxtest/rootfs"
)

// mark notes what is in a sandbox.
func (s *suite) mark(sb sandbox.Sandbox) sandbox.Mark {
	s.Helper()
	m, err := sb.(sandbox.Marker).Mark(s.context())
	if err != nil {
		s.Fatal(err)
	}
	return m
}

// expectWritten checks what was written since a mark, a name a line: "-" is gone, "~" is
// written to, "+" is new. What tools leave in /tmp is not asked about.
func (s *suite) expectWritten(m sandbox.Mark, want ...string) {
	s.Helper()
	var got []string
	err := m.Written(s.context(), func(w sandbox.Written) error {
		sign := "+"
		switch {
		case w.Gone:
			sign = "-"
		case w.Had:
			sign = "~"
		}
		if !w.Had && w.Gone {
			s.Errorf("%s was not there and is not there", w.Name)
		}
		if line := sign + w.Name; !strings.HasPrefix(w.Name, "/tmp/") {
			got = append(got, line+map[fs.FileMode]string{fs.ModeSymlink: "@", fs.ModeDir: "/"}[w.Type])
		}
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		s.Errorf("written:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// in are names below Workdir, each behind its sign.
func in(lines ...string) []string {
	for i, line := range lines {
		lines[i] = line[:1] + Workdir + "/" + line[1:]
	}
	return lines
}

// scripts are programs, each with what is written by it.
var scripts = []struct {
	script string
	want   []string
}{
	{"cat README.md lib/*.txt new/x; ls -lR .; find . -newer main.sh; stat main.sh; test -w README.md", nil},
	{"echo x > t; rm t; mkdir d; echo x > d/t; rm -r d", nil},
	{"cp README.md /tmp/k; echo forged > README.md; cat /tmp/k > README.md; touch -r main.sh README.md", in("~README.md")},
	{"cp -a new/x /tmp/k; echo forged > new/x; cat /tmp/k > new/x; touch -r /tmp/k new/x", in("~new/x")},
	{"cp -a README.md /tmp/k; echo x > t; mv t README.md; cp -a /tmp/k t; mv t README.md", in("~README.md")},
	{"mv README.md t; echo x > README.md; rm README.md; mv t README.md", in("~README.md")},
	{"ln README.md hard; echo x > hard", in("~README.md", "+hard")},
	{"ln new/x hard; rm hard", in("~new/x")},
	{"rm main.sh; ln -s lib/a.txt main.sh", in("~main.sh@")},
	{"mv lib l; mkdir lib; cp -a l/. lib; rm -r l", in("~lib/a.txt", "~lib/b.txt", "~lib/deep/c.txt")},
	{"rm -r lib/deep; mkdir -p lib/deep/deeper; echo c > lib/deep/c.txt", in("~lib/deep/c.txt")},
	{"mv new n; mkdir new; echo x > new/x", in("~new/x", "+n/x")},
	{"chmod 0600 lib/b.txt; chmod 0700 lib", in("~lib/b.txt")},
	{"echo x >> " + Future + "; deep=$(printf 'd/%.0s' $(seq 300)); mkdir -p $deep && echo x > $deep/last", []string{"~" + Future}},
}

func scriptCases() (cases []testCase) {
	for i, c := range scripts {
		cases = append(cases, testCase{fmt.Sprint("marks/a program writes ", i), processes, func(s *suite) {
			sb := s.create()
			s.apply(sb, Workdir, file("new/x", "x\n"))
			m := s.mark(sb)
			s.must(sb, c.script)
			s.Log(c.script)
			s.expectWritten(m, c.want...)
		}})
	}
	return cases
}

var markCases = append(scriptCases(), []testCase{
	{"marks/laid", nothing, func(s *suite) {
		sb := s.create()
		s.apply(sb, Workdir, file("README.md", "laid\n"), file("new/x", "x\n"), file("new/y", "y\n"), file("lib/.wh.a.txt", ""))
		m := s.mark(sb)
		s.expectWritten(m)
		s.apply(sb, Workdir, file("README.md", "laid\n"), file("main.sh", "other\n"), file("new/.wh.x", ""), file("new/z", "z\n"), file("lib/.wh.b.txt", ""), file("lib/a.txt", "a\n"))
		want := in("~README.md", "~main.sh", "-new/x", "+new/z", "-lib/b.txt", "+lib/a.txt")
		s.expectWritten(m, want...)
		s.expectWritten(m, want...)
		s.expectWritten(s.mark(sb))
	}},
	{"marks/directories", nothing, func(s *suite) {
		sb := s.create()
		m := s.mark(sb)
		s.apply(sb, Workdir, file(".wh.lib", ""), file("data/more/x", "x\n"), entry{File: rootfs.File{Name: "empty/"}}, file(".wh.README.md", ""), file("README.md/x", "x\n"))
		s.expectWritten(m, in("-lib/a.txt", "-lib/b.txt", "-lib/deep/c.txt", "+data/more/x", "~README.md/", "+README.md/x")...)
		s.apply(sb, Workdir, file("lib/a.txt", "a\n"), file("lib/new.txt", "n\n"))
		s.expectWritten(m, in("~lib/a.txt", "+lib/new.txt", "-lib/b.txt", "-lib/deep/c.txt", "+data/more/x", "~README.md/", "+README.md/x")...)
	}},
	{"marks/a link in the place of a directory", nothing, func(s *suite) {
		sb := s.create()
		m := s.mark(sb)
		s.apply(sb, Workdir, file(".wh.lib", ""), entry{File: rootfs.File{Name: "lib", Link: "data"}})
		s.expectWritten(m, in("~lib@", "-lib/a.txt", "-lib/b.txt", "-lib/deep/c.txt")...)
	}},
	{"marks/ends", nothing, func(s *suite) {
		sb := s.create()
		m := s.mark(sb)
		s.apply(sb, Workdir, file("x", "x\n"), file("y", "y\n"))
		stop := errors.New("enough")
		if err := m.Written(s.context(), func(sandbox.Written) error { return stop }); !errors.Is(err, stop) {
			s.Errorf("an error of who is told: %v", err)
		}
		if err := sb.Destroy(s.context()); err != nil {
			s.Fatal(err)
		}
		if err := m.Written(s.context(), func(sandbox.Written) error { return nil }); !errors.Is(err, sandbox.ErrGone) {
			s.Errorf("a sandbox that is gone: %v", err)
		}
		if _, err := sb.(sandbox.Marker).Mark(s.context()); !errors.Is(err, sandbox.ErrGone) {
			s.Errorf("a sandbox that is gone: %v", err)
		}
	}},
	{"marks/many", processes, func(s *suite) {
		sb := s.create()
		m := s.mark(sb)
		s.must(sb, "mkdir cache; cd cache; for i in $(seq 2000); do echo $i > $i; done")
		n := 0
		if err := m.Written(s.context(), func(w sandbox.Written) error {
			if n++; w.Had || !strings.HasPrefix(w.Name, fmt.Sprintf("%s/cache/", Workdir)) {
				s.Errorf("told of %+v", w)
			}
			return nil
		}); err != nil || n != 2000 {
			s.Errorf("%d names, %v", n, err)
		}
	}},
}...)
