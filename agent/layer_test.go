package agent_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// layer makes a tar: "dir/", "file=content", "link->target", "hard=>target",
// "fifo|".
func layer(t *testing.T, entries ...string) io.Reader {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		h := &tar.Header{Name: e, Mode: 0o755, Typeflag: tar.TypeDir, ModTime: time.Unix(1e9, 0), Uid: 12345}
		content := ""
		if name, target, ok := strings.Cut(e, "=>"); ok {
			h.Name, h.Linkname, h.Typeflag = name, target, tar.TypeLink
		} else if name, target, ok := strings.Cut(e, "->"); ok {
			h.Name, h.Linkname, h.Typeflag = name, target, tar.TypeSymlink
		} else if name, c, ok := strings.Cut(e, "="); ok {
			h.Name, h.Typeflag, h.Mode, content = name, tar.TypeReg, 0o6644, c
		} else if name, ok := strings.CutSuffix(e, "|"); ok {
			h.Name, h.Typeflag = name, tar.TypeFifo
		}
		h.Size = int64(len(content))
		check(t, w.WriteHeader(h))
		_, err := io.WriteString(w, content)
		check(t, err)
	}
	check(t, w.Close())
	return &buf
}

// tree describes what is below dir.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	check(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		switch d.Type() {
		case fs.ModeDir:
			all = append(all, name+"/")
		case fs.ModeSymlink:
			target, _ := os.Readlink(path)
			all = append(all, name+"->"+target)
		case 0:
			p, _ := os.ReadFile(path)
			all = append(all, name+"="+string(p))
		default:
			all = append(all, name+"?")
		}
		return nil
	}))
	return strings.Join(all, " ")
}

func TestApplyLayer(t *testing.T) {
	g := start(t, nil)
	const before = "mkdir -p d/sub; echo -n old >f; echo -n old >d/g; echo -n old >d/sub/h; ln -s d l; ln -s ../outside out; ln -s /etc abs"
	const same = "abs->/etc d/ d/g=old d/sub/ d/sub/h=old f=old l->d out->../outside"
	tests := []struct {
		name  string
		layer []string
		want  string // "" is an error
	}{
		{"empty", nil, same},
		{"file for file", []string{"f=new"}, strings.Replace(same, "f=old", "f=new", 1)},
		{"rooted names", []string{"/f=new", "./d/g=new"}, strings.NewReplacer("f=old", "f=new", "d/g=old", "d/g=new").Replace(same)},
		{"dir for file", []string{"f/", "f/x=1"}, strings.Replace(same, "f=old", "f/ f/x=1", 1)},
		{"file for dir", []string{"d=1"}, "abs->/etc d=1 f=old l->d out->../outside"},
		{"dir keeps content", []string{"d/"}, same},
		{"dir for link", []string{"l/", "l/x=1"}, strings.Replace(same, "l->d", "l/ l/x=1", 1)},
		{"file for link out", []string{"out=1", "abs=1"}, strings.NewReplacer("out->../outside", "out=1", "abs->/etc", "abs=1").Replace(same)},
		{"link for file", []string{"f->/etc/passwd"}, strings.Replace(same, "f=old", "f->/etc/passwd", 1)},
		{"parents are made", []string{"p/q/r=1"}, strings.Replace(same, "out->../outside", "out->../outside p/ p/q/ p/q/r=1", 1)},
		{"linked parent", []string{"l/x=1"}, strings.Replace(same, "l->d", "l/ l/x=1", 1)},
		{"parent leads out", []string{"out/x=1", "abs/x=1"}, "abs/ abs/x=1 d/ d/g=old d/sub/ d/sub/h=old f=old l->d out/ out/x=1"},
		{"own link as parent", []string{"e->../outside", "e/x=1"}, strings.Replace(same, "f=old", "e/ e/x=1 f=old", 1)},
		{"link for a directory above the last file", []string{"d/sub/h=1", "d->../outside", "d/sub/n=2"}, "abs->/etc d/ d/sub/ d/sub/n=2 f=old l->d out->../outside"},
		{"hard link", []string{"n=1", "m=>n"}, strings.Replace(same, "l->d", "l->d m=1 n=1", 1)},
		{"hard link to itself", []string{"f=>f"}, same},
		{"hard link by link", []string{"m=>out/secret"}, ""},
		{"hard link out", []string{"m=>../outside/secret"}, ""},
		{"dotdot", []string{"../outside/x=1"}, ""},
		{"dotdot inside", []string{"d/../../outside/x=1"}, ""},
		{"fifo", []string{"d/g|", "n|"}, strings.Replace(same, "d/g=old ", "", 1)},
		{"whiteout", []string{".wh.f=", "d/.wh.sub="}, "abs->/etc d/ d/g=old l->d out->../outside"},
		{"whiteout of a link", []string{".wh.out="}, strings.Replace(same, " out->../outside", "", 1)},
		{"whiteout by a link", []string{"out/.wh.secret=", "l/.wh.g="}, same},
		{"whiteout of nothing", []string{".wh.none=", "none/.wh.x="}, same},
		{"whiteout of the parent", []string{"d/.wh...="}, ""},
		{"whiteout of itself", []string{"d/.wh..="}, ""},
		{"own file stays", []string{"f=new", ".wh.f="}, strings.Replace(same, "f=old", "f=new", 1)},
		{"opaque", []string{"d/.wh..wh..opq=", "d/n=1"}, "abs->/etc d/ d/n=1 f=old l->d out->../outside"},
		{"opaque last", []string{"d/sub/n=1", "d/.wh..wh..opq="}, "abs->/etc d/ d/sub/ d/sub/n=1 f=old l->d out->../outside"},
		{"opaque root", []string{"n=1", ".wh..wh..opq="}, "n=1"},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			top := fmt.Sprintf("case%d", i)
			res := g.run(top, fmt.Sprintf("mkdir -p %[1]s/root %[1]s/outside; echo -n s >%[1]s/outside/secret; cd %[1]s/root; %s", top, before))
			if res.Exit.Code != 0 {
				t.Fatalf("%s", res.Stderr.Head)
			}
			err := g.ApplyLayer(testContext(t), top+"/root", layer(t, tt.layer...))
			if (err != nil) != (tt.want == "") {
				t.Fatalf("error %v", err)
			}
			if got := tree(t, filepath.Join(g.work, top, "root")); err == nil && got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if got := tree(t, filepath.Join(g.work, top, "outside")); got != "secret=s" {
				t.Errorf("outside: %s", got)
			}
		})
	}
}

// A parent that is looked at from the root again for each file makes this minutes of work.
func TestApplyLayerOfADeepTree(t *testing.T) {
	g := start(t, nil)
	dir := strings.Repeat("d/", 250)
	entries := make([]string, 1000)
	for i := range entries {
		entries[i] = fmt.Sprintf("%sf%d=1", dir, i)
	}
	check(t, g.ApplyLayer(testContext(t), "deep", layer(t, entries...)))
	got, err := os.ReadDir(filepath.Join(g.work, "deep", dir))
	check(t, err)
	if len(got) != len(entries) {
		t.Errorf("%d files arrived, want %d", len(got), len(entries))
	}
}

func TestApplyLayerAttributes(t *testing.T) {
	g := start(t, nil)
	check(t, os.Mkdir(filepath.Join(g.work, "mine"), 0o755))
	check(t, os.Chown(filepath.Join(g.work, "mine"), outside+7, outside+8))
	check(t, g.ApplyLayer(testContext(t), "mine", layer(t, "d/", "d/f=x", "d/l->f")))
	check(t, g.ApplyLayer(testContext(t), "new/deep", layer(t, "f=x")))
	for _, name := range []string{"mine/d", "mine/d/f", "mine/d/l"} {
		info, err := os.Lstat(filepath.Join(g.work, name))
		check(t, err)
		if st := info.Sys().(*syscall.Stat_t); st.Uid != outside+7 || st.Gid != outside+8 {
			t.Errorf("%s belongs to %d:%d", name, st.Uid, st.Gid)
		}
	}
	info, err := os.Stat(filepath.Join(g.work, "new/deep/f"))
	check(t, err)
	if info.Mode() != 0o644 || time.Since(info.ModTime()).Abs() > time.Minute {
		t.Errorf("mode %v, time %v", info.Mode(), info.ModTime())
	}
}

func TestBadLayers(t *testing.T) {
	g := start(t, nil)
	whole, err := io.ReadAll(layer(t, "f="+strings.Repeat("x", 5000)))
	check(t, err)
	if err := g.ApplyLayer(testContext(t), "cut", bytes.NewReader(whole[:2000])); err == nil {
		t.Error("half a layer was applied")
	}
	if err := g.ApplyLayer(testContext(t), "noise", strings.NewReader(strings.Repeat("noise", 1000))); err == nil {
		t.Error("noise was applied")
	}
	// The agent's reason arrives, however much it left unread.
	big := io.MultiReader(layer(t, "../x=1"), io.LimitReader(zeros{}, 100<<20))
	if err := g.ApplyLayer(testContext(t), "big", big); err == nil || !strings.Contains(err.Error(), "leads out") {
		t.Errorf("error %v", err)
	}
	broken := errors.New("broken reader")
	if err := g.ApplyLayer(testContext(t), "broken", io.MultiReader(bytes.NewReader(whole[:100]), failing{broken})); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	check(t, g.ApplyLayer(testContext(t), "good", bytes.NewReader(whole)))
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
