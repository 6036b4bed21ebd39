package sandboxtest

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"assay/internal/sandbox"
	"assay/internal/sandbox/sandboxtest/rootfs"
)

var roomy = sandbox.ChangeLimits{MaxFiles: 1000, MaxBytes: 1 << 20}

// changes reads a layer of changes and tells each entry in a line.
func (s *suite) changes(sb sandbox.Sandbox, root string) []string {
	s.Helper()
	return s.changesWithin(sb, root, roomy)
}

func (s *suite) changesWithin(sb sandbox.Sandbox, root string, limits sandbox.ChangeLimits) []string {
	s.Helper()
	var buf bytes.Buffer
	if err := sb.(sandbox.Snapshotter).Changes(s.context(), root, limits, &buf); err != nil {
		s.Fatalf("changes below %s: %v", root, err)
	}
	var lines []string
	for in := tar.NewReader(&buf); ; {
		hdr, err := in.Next()
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			s.Fatalf("read the changes: %v", err)
		}
		line := hdr.Name
		switch hdr.Typeflag {
		case tar.TypeSymlink:
			line += " -> " + hdr.Linkname
		case tar.TypeReg:
			content, err := io.ReadAll(in)
			if err != nil {
				s.Fatal(err)
			}
			line = strings.TrimSpace(fmt.Sprintf("%s %o %s", line, hdr.Mode, content))
		case tar.TypeDir:
		default:
			line += fmt.Sprintf(" of type %q", hdr.Typeflag)
		}
		if hdr.Uid != 0 || hdr.Gid != 0 {
			line += fmt.Sprintf(" of %d:%d", hdr.Uid, hdr.Gid)
		}
		lines = append(lines, line)
	}
}

func (s *suite) expectChanges(sb sandbox.Sandbox, root string, want ...string) {
	s.Helper()
	s.expectChangesWithin(sb, root, roomy, want...)
}

func (s *suite) expectChangesWithin(sb sandbox.Sandbox, root string, limits sandbox.ChangeLimits, want ...string) {
	s.Helper()
	got := s.changesWithin(sb, root, limits)
	slices.Sort(got) // where whiteouts come is the runtime's choice
	if slices.Sort(want); !slices.Equal(got, want) {
		s.Errorf("changes below %s:\n  %s\nwant:\n  %s", root, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// carry applies the changes of one sandbox to a fresh one, and compares the trees.
func (s *suite) carry(from sandbox.Sandbox) {
	s.Helper()
	var buf bytes.Buffer
	if err := from.(sandbox.Snapshotter).Changes(s.context(), Workdir, roomy, &buf); err != nil {
		s.Fatal(err)
	}
	to := s.create()
	if err := to.ApplyLayer(s.context(), Workdir, &buf); err != nil {
		s.Fatal(err)
	}
	const listing = `find . \( -type f -o -type l -o -type d \) | sort | while read -r f; do
		stat -c '%A %u:%g %N' "$f"; [ -f "$f" ] && [ ! -L "$f" ] && md5sum < "$f"; done; true`
	s.expectText("the tree carried over", s.must(to, listing), s.must(from, listing))
}

// omitter leaves out what it has. One that has nothing fails.
type omitter map[string]bool

var errOmitter = errors.New("an omitter without names")

func (o omitter) Omits(name string, _ bool) (bool, error) {
	if len(o) == 0 {
		return false, errOmitter
	}
	return o[name], nil
}

// expectUntold checks that the changes of a sandbox cannot be told, for a reason that lies
// in what its programs did, and that it goes on.
func (s *suite) expectUntold(sb sandbox.Sandbox, text string, kind error, why string) {
	s.Helper()
	s.expectUntoldWithin(sb, text, roomy, kind, why)
}

func (s *suite) expectUntoldWithin(sb sandbox.Sandbox, text string, limits sandbox.ChangeLimits, kind error, why string) {
	s.Helper()
	for range 2 { // the second time as the first
		err := sb.(sandbox.Snapshotter).Changes(s.context(), Workdir, limits, io.Discard)
		var work *sandbox.WorkError
		if !errors.As(err, &work) || !errors.Is(err, kind) || !strings.Contains(work.Reason, why) {
			s.Errorf("%.200s: %v, want a work error of kind %q that says %q", text, err, kind, why)
		}
	}
	goesOn := command("true")
	goesOn.Dir = "/"
	s.expectExit("afterwards", s.run(sb, goesOn).Exit, sandbox.ExitStatus{})
}

// nest makes $1 directories in one another, of which each has a name of $2 bytes, and in
// them a file. On gVisor, bash ends itself where a path becomes too long.
const nest = `nest() { (d=$(printf "%0$2d" 0); for ((i = 0; i < $1; i++)); do mkdir $d && cd ./$d || exit; done; : > $3) 2>/dev/null || true; }; `

const pipeBomb = "mkdir pipes; i=0; while [ $i -lt 2000 ]; do echo pipes/$i; i=$((i+1)); done | xargs mkfifo"

var changeCases = []testCase{
	{"changes/none", snapshots, func(s *suite) {
		s.expectChanges(s.create(), Workdir)
	}},
	{"changes/new, modified, deleted", snapshots, func(s *suite) {
		sb := s.create()
		s.apply(sb, Workdir,
			file("README.md", "changed\n"), file(".wh.main.sh", ""),
			entry{File: rootfs.File{Name: "new/", Mode: 0o750}}, file("new/x", "x\n"),
			entry{File: rootfs.File{Name: "alias", Link: "../elsewhere"}},
			file("lib/deep/.wh.c.txt", ""))
		s.expectChanges(sb, Workdir,
			".wh.main.sh 600", "README.md 755 changed", "alias -> ../elsewhere", "lib/", "lib/deep/", "lib/deep/.wh.c.txt 600", "new/", "new/x 755 x")
		s.expectChanges(sb, "lib", "deep/", "deep/.wh.c.txt 600")
		s.expectChanges(sb, Workdir+"/data")
	}},
	{"changes/limits", snapshots, func(s *suite) {
		sb := s.create()
		s.apply(sb, Workdir, file("a", "12345"), file("b", "12345"), file("c", "12345"))
		for limits, fits := range map[sandbox.ChangeLimits]bool{
			{MaxFiles: 3, MaxBytes: 15}: true, {MaxFiles: 2, MaxBytes: 15}: false, {MaxFiles: 3, MaxBytes: 14}: false,
		} {
			err := sb.(sandbox.Snapshotter).Changes(s.context(), Workdir, limits, io.Discard)
			var work *sandbox.WorkError
			if fits && err != nil || !fits && (!errors.Is(err, sandbox.ErrTooLarge) || !errors.As(err, &work)) {
				s.Errorf("%+v: %v", limits, err)
			}
		}
		s.expectExit("afterwards", s.exec(sb, "true").Exit, sandbox.ExitStatus{})
	}},
	{"changes/left out", snapshots, func(s *suite) {
		sb := s.create()
		s.apply(sb, Workdir, file("a", "12345"), file("b/c", "12345"), file("b/d/e", "12345"), file("b0", "1"), file("lib/.wh.a.txt", ""), file("lib/new", "1"))
		asked := omitter{"a": true, "b": true, "lib/a.txt": true}
		var many []entry // in one directory
		for i := range 10 {
			name := fmt.Sprintf("lib/many%d", i)
			many, asked[name] = append(many, file(name, "1")), true
		}
		s.apply(sb, Workdir, many...)
		var buf bytes.Buffer
		if err := sb.(sandbox.Snapshotter).Changes(s.context(), Workdir, sandbox.ChangeLimits{MaxFiles: 4, MaxBytes: 2, Omit: asked}, &buf); err != nil {
			s.Fatal(err)
		}
		var names []string
		for layer := tar.NewReader(&buf); ; {
			hdr, err := layer.Next()
			if err != nil {
				break
			}
			names = append(names, hdr.Name)
		}
		s.expectText("what is left", strings.Join(names, " "), "b0 lib/ lib/.wh.a.txt lib/new")
		err := sb.(sandbox.Snapshotter).Changes(s.context(), Workdir, sandbox.ChangeLimits{MaxFiles: 9, MaxBytes: 99, Omit: omitter{}}, io.Discard)
		if !errors.Is(err, errOmitter) {
			s.Errorf("the omitter's error became %v", err)
		}
	}},
	{"changes/as it was", snapshots | processes, func(s *suite) {
		base, err := os.OpenRoot(s.TempDir())
		if err != nil {
			s.Fatal(err)
		}
		defer base.Close()
		for _, f := range append(Tree, rootfs.File{Name: "alias", Link: "lib"}) { // a link of another image
			switch dir := strings.HasSuffix(f.Name, "/"); {
			case strings.HasPrefix(f.Name, "/"):
			case dir:
				err = base.MkdirAll(f.Name, 0o755)
			case f.Link != "":
				err = base.Symlink(f.Link, f.Name)
			default:
				err = base.WriteFile(f.Name, []byte(f.Content), fs.FileMode(cmp.Or(f.Mode, 0o644)))
			}
			if err != nil {
				s.Fatal(err)
			}
		}
		sb := s.create()
		s.must(sb, `touch -d @1 README.md main.sh; mkdir alias; cp lib/a.txt alias/; chmod 600 lib/deep/c.txt; echo B > lib/b.txt
			rm -r data; mkdir data; echo 1 > data/one.txt; cp main.sh new; ln -sfn lib/b.txt link; chown -hR 1000:1000 .`)
		want := []string{"alias/", "alias/a.txt 644 a", "data/", "data/.wh..wh..opq 600", "data/one.txt 644 1", "lib/", "lib/b.txt 644 B", "lib/deep/", "lib/deep/c.txt 600 c", "link -> lib/b.txt", "new 755 #!/bin/sh\necho main"}
		for i, line := range want {
			if !strings.Contains(line, ".wh.") {
				want[i] = line + " of 1000:1000"
			}
		}
		s.expectChangesWithin(sb, Workdir, sandbox.ChangeLimits{MaxFiles: len(want), MaxBytes: 1 << 10, Base: base}, want...)
		s.must(sb, "cd /; cp -a /src/project /src/copy; rm -r /src/project; mv /src/copy /src/project")
		if got := s.changesWithin(sb, Workdir, sandbox.ChangeLimits{MaxFiles: 100, MaxBytes: 1 << 10, Base: base}); !slices.Contains(got, "README.md 644 # A project of 1000:1000") {
			s.Errorf("in a tree that hides the image's, what is as it was there is left out: %q", got)
		}
	}},
	{"changes/a whole tree replaced", snapshots, func(s *suite) {
		sb := s.create()
		s.apply(sb, Workdir, file("data/.wh..wh..opq", ""), file("data/three.txt", "3\n"))
		s.expectChanges(sb, Workdir, "data/", "data/.wh.one.txt 600", "data/.wh.two.txt 600", "data/three.txt 755 3")
	}},
	{"changes/made by programs", snapshots | processes, func(s *suite) {
		sb := s.create()
		s.must(sb, `mv lib lib2; rm -r data; mkdir data; echo 4 > data/four; rm main.sh; mkdir main.sh; ln -s a lib2/s
			echo hard > h1; ln h1 h2; chown 1000:1000 README.md; chmod 4755 README.md; mv link 'li nk'; touch .wh.x; echo $'\377' > $'\377'`)
		s.expectChanges(sb, Workdir,
			".wh.lib 600", ".wh.link 600", "README.md 4755 # A project of 1000:1000", "data/", "data/.wh..wh..opq 600", "data/four 644 4",
			"h1 644 hard", "h2 644 hard", "li nk -> lib/a.txt",
			"lib2/", "lib2/a.txt 644 a", "lib2/b.txt 644 b", "lib2/deep/", "lib2/deep/c.txt 644 c", "lib2/s -> a",
			"main.sh/", "main.sh/.wh..wh..opq 600", "\xff 644 \xff")
	}},
	{"changes/named pipes", snapshots | processes, func(s *suite) {
		sb := s.create()
		s.must(sb, "mkfifo pipe; rm README.md; mkfifo README.md; (echo through > pipe &); read -r line < pipe; [ $line = through ]")
		seen := s.changes(sb, Workdir) // each as the end of what was there before
		slices.Sort(seen)
		s.expectHeld(PipesAreSeen, slices.Equal(seen, []string{".wh.README.md 600", ".wh.pipe 600"}), fmt.Sprint(seen))
		if !slices.Contains(seen, ".wh.README.md 600") {
			s.Errorf("a file that became a pipe is not told as gone: %q", seen)
		}
	}},
	{"changes/carried to a fresh sandbox", snapshots | processes, func(s *suite) {
		sb := s.create()
		s.must(sb, `mv lib lib2; rm -r data; mkdir data; echo 4 > data/four; rm main.sh; mkdir main.sh; ln -s a lib2/s; echo x >> README.md; chmod 600 README.md`)
		s.carry(sb)
	}},
	{"changes/the root was replaced", snapshots | processes, func(s *suite) {
		sb := s.create()
		s.must(sb, `cd /; mv /src/project /src/old; mkdir /src/project; cp /src/old/main.sh /src/project/; echo n > /src/project/n`)
		s.expectChanges(sb, Workdir, ".wh..wh..opq 600", "main.sh 755 #!/bin/sh\necho main", "n 644 n")
		sb = s.create()
		s.must(sb, `cd /; cp -a /src /src2; rm -r /src; mv /src2 /src; rm /src/project/main.sh; cd /src/project; ls lib`)
		s.carry(sb)
	}},
	{"changes/the root is gone", snapshots | processes, func(s *suite) {
		for text, why := range map[string]string{
			"cd /; mv src/project src/old":                                       "/src/project is gone",
			"cd /; rm -r src":                                                    "/src is gone",
			"cd /; mv src/project src/old; ln -s old src/project":                "/src/project is a symbolic link",
			"cd /; mv src old; ln -s old src":                                    "/src is a symbolic link",
			"cd /; mv src/project src/old; ln -s / src/project":                  "/src/project is a symbolic link",
			"cd /; mv src/project src/old; ln -s /etc src/project":               "/src/project is a symbolic link",
			"cd /; mv src/project src/old; ln -s nowhere src/project":            "/src/project is a symbolic link",
			"cd /; mv src/project src/old; ln -s project src/project":            "/src/project is a symbolic link",
			"cd /; rm -r src/project; echo file > src/project":                   "/src/project is a file",
			"cd /; rm -r src/project; mkfifo src/project":                        "/src/project is ", // gone, to a runtime that does not see pipes
			"cd /; rm -r src; echo file > src":                                   "/src is a file",
			"cd /; mv src/project src/old; mkdir src/project; rmdir src/project": "/src/project is gone",
		} {
			sb := s.create()
			s.must(sb, text)
			s.expectUntold(sb, text, fs.ErrNotExist, why)
		}
	}},
	{"changes/bombs", snapshots | processes, func(s *suite) {
		for text, why := range map[string]string{
			"truncate -s 5G sparse":    "have more than 1 MiB",
			"truncate -s 8192G sparse": "have more than 1 MiB",
			"head -c 100000 /dev/zero > a; i=0; while [ $i -lt 20 ]; do ln a l$i; i=$((i+1)); done": "have more than 1 MiB",
			"i=0; while [ $i -lt 2000 ]; do : > f$i; i=$((i+1)); done":                              "more than 1,000 files",
			pipeBomb:                                         "more than 1,000 files",
			"mkdir -p $(printf 'd/%.0s' {1..400})":           "more than 255 directories",
			nest + "nest 30 200 f":                           "more than 4,095 bytes",
			nest + "nest 3000 200 f":                         "more than 4,095 bytes",
			nest + "nest 20 198 " + strings.Repeat("a", 131): "more than 4,095 bytes", // /src/project/, 20 times 199, and one byte too many
		} {
			if text == pipeBomb && s.lacks(PipesAreSeen) {
				continue
			}
			sb := s.create()
			s.must(sb, text)
			s.expectUntold(sb, text, sandbox.ErrTooLarge, why)
		}
		sb := s.create()
		s.must(sb, nest+"nest 20 198 "+strings.Repeat("a", 4095-len(Workdir)-1-20*199))
		s.changes(sb, Workdir)
		const links = `mkdir links; cd links; t=$(printf '%04095d' 0); i=0; while [ $i -lt 2100 ]; do ln -s $t $i; i=$((i+1)); done`
		sb = s.create()
		s.must(sb, links)
		many := sandbox.ChangeLimits{MaxFiles: 10_000, MaxBytes: 1 << 20}
		s.expectUntoldWithin(sb, links, many, sandbox.ErrTooLarge, "more than 8 MiB together")
	}},
	{"changes/names of whiteouts", snapshots | processes, func(s *suite) {
		// Files that are called as whiteouts delete nothing, whatever they are.
		sb := s.create()
		s.must(sb, `: > .wh.main.sh; : > .wh..wh..opq; : > data/.wh..wh..opq; mkdir .wh.lib; : > .wh.lib/x; : > lib/.wh.a.txt
			ln -s x .wh.README.md; mkfifo .wh..opq lib/.wh..opq; : > .wh.; : > .wh..; : > .wh..wh.plnk; : > ..opq`)
		s.expectChanges(sb, Workdir, "..opq 644", "data/", "lib/")
		for _, text := range []string{"mknod whiteout c 0 0", "setfattr -n trusted.overlay.opaque -v y lib", "setfattr -n trusted.overlay.whiteout -v y README.md"} {
			s.exec(sb, text) // a sandbox that allows it must not be believed
		}
		seen := s.changes(sb, Workdir)
		if slices.Contains(seen, ".wh.whiteout 600") || slices.Contains(seen, "lib/.wh..wh..opq 600") || slices.Contains(seen, ".wh.README.md 600") {
			s.Errorf("a sandbox makes whiteouts: %q", seen)
		}
	}},
	{"changes/odd names", snapshots | processes, func(s *suite) {
		sb := s.create()
		s.must(sb, `: > $'new\nline'; : > 'back\slash'; : > $'\xff\xfe'; mkdir $'d\xff'; : > $'d\xff/\xfe'; : > $'\x01\t'; : > '*'; : > ' '; : > $'\xe2\x80\xae'
			ln -s "$(printf '%04095d' 0)" huge; ln -s $'\xff\n' odd; ln -s loop loop`)
		s.carry(sb)
	}},
	{"changes/a root that is closed or mounted over", snapshots | processes, func(s *suite) {
		sb := s.create()
		s.must(sb, `echo n > n; mount -t tmpfs none /src/project || unshare -Urm mount -t tmpfs none /src/project || true; chmod 000 n lib /src/project`)
		s.expectChanges(sb, Workdir, "lib/", "n 0 n")
	}},
	{"changes/without the repository", snapshots | processes, func(s *suite) {
		sb := s.create()
		s.must(sb, `cd /src; rm -rf project; mkdir project`)
		s.expectChanges(sb, Workdir, ".wh..wh..opq 600")
		s.carry(sb)
	}},
	{"changes/of one moment", snapshots | processes, func(s *suite) {
		// Two files are always written one after the other, the first one first.
		sb := s.create()
		ctx, cancel := context.WithCancel(s.context())
		done := s.background(ctx, sb, script("touch /tmp/ready; i=0; while :; do echo $i > one; echo $i > two; i=$((i+1)); done"))
		for range 10 {
			var one, two int
			for _, line := range s.changes(sb, Workdir) {
				fmt.Sscanf(line, "one 644 %d", &one) //nolint:errcheck // empty while it is written
				fmt.Sscanf(line, "two 644 %d", &two) //nolint:errcheck // as above
			}
			if one != 0 && two != 0 && one != two && one != two+1 {
				s.Errorf("one is %d, two is %d", one, two)
			}
		}
		cancel()
		s.await(done)
	}},
	{"changes/a context that ends thaws", snapshots, func(s *suite) {
		sb := s.create()
		ctx, cancel := context.WithCancel(s.context())
		cancel()
		if err := sb.(sandbox.Snapshotter).Changes(ctx, Workdir, roomy, io.Discard); !errors.Is(err, context.Canceled) {
			s.Errorf("changes: %v", err)
		}
		s.expectExit("afterwards", s.exec(sb, "true").Exit, sandbox.ExitStatus{})
	}},
}
