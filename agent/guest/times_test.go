package guest

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// timedLayer makes a tar of "file@TIME=content", "link@TIME->target", "hard@TIME=>target"
// and "dir/", where TIME is in seconds.
func timedLayer(t *testing.T, entries ...string) io.Reader {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		h := &tar.Header{Name: e, Mode: 0o755, Typeflag: tar.TypeDir, Format: tar.FormatPAX}
		content := ""
		if name, rest, ok := strings.Cut(e, "@"); ok {
			var at int64
			var kind string
			h.Name, h.Typeflag = name, tar.TypeReg
			if _, err := fmt.Sscanf(rest, "%d%1s", &at, &kind); err != nil {
				t.Fatal(err)
			}
			h.ModTime = time.Unix(at, 0)
			if _, target, ok := strings.Cut(rest, "=>"); ok {
				h.Linkname, h.Typeflag = target, tar.TypeLink
			} else if _, target, ok := strings.Cut(rest, "->"); ok {
				h.Linkname, h.Typeflag = target, tar.TypeSymlink
			} else {
				_, content, _ = strings.Cut(rest, "=")
			}
		}
		h.Size = int64(len(content))
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &buf
}

func mtime(t *testing.T, root, name string) time.Time {
	t.Helper()
	info, err := os.Lstat(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

func lay(t *testing.T, root string, c *clock, entries ...string) {
	t.Helper()
	if err := applyLayer(root, timedLayer(t, entries...), c); err != nil {
		t.Fatal(err)
	}
}

func TestLayersAreNewerThanWhatWasThere(t *testing.T) {
	root := t.TempDir()
	put := func(name string) time.Time {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return mtime(t, root, name)
	}
	var c clock
	for i := range 20 {
		before := put("product")
		lay(t, root, &c, "a@0=", "old/b@-100000000000=", "new/c@100000000000=", "link@5->product", "d/e/f@0=")
		first, last := mtime(t, root, "old/b"), mtime(t, root, "new/c")
		if !first.After(before) || !last.After(first) || last.After(time.Now().Add(time.Second)) {
			t.Fatalf("round %d: made at %v; laid from %v to %v", i, before, first, last)
		}
		lay(t, root, &c, "a@0=again")
		if second := mtime(t, root, "a"); !second.After(last) {
			t.Fatalf("round %d: a later layer is of %v, the one before of %v", i, second, last)
		}
		c.pass()
		if after := put("product"); !after.After(mtime(t, root, "a")) {
			t.Fatalf("round %d: made afterwards at %v, laid at %v", i, after, mtime(t, root, "a"))
		}
	}
}

func TestALayersOwnOrderIsKept(t *testing.T) {
	root := t.TempDir()
	lay(t, root, new(clock),
		"z@10=", "d/y@30=", "x@20=", "d/w@10=", "link@40->x", "hard@50=>x", "self@15=", "self@60=>self",
		"v@200000000000=", "u@-200000000000=")
	order := []string{"u", "z", "self", "x", "d/y", "link", "v"}
	for i, name := range order[1:] {
		if gap := mtime(t, root, name).Sub(mtime(t, root, order[i])); gap != time.Microsecond {
			t.Errorf("%s is %v newer than %s", name, gap, order[i])
		}
	}
	for name, same := range map[string]string{"d/w": "z", "hard": "x"} {
		if !mtime(t, root, name).Equal(mtime(t, root, same)) {
			t.Errorf("%s is of %v, %s of %v", name, mtime(t, root, name), same, mtime(t, root, same))
		}
	}
}

// What a layer takes back is not looked for, above all not behind a link in its place.
func TestTimesFollowNoLink(t *testing.T) {
	root := t.TempDir()
	old := time.Unix(1e9, 0)
	for _, name := range []string{"theirs/x", "theirs/y"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	lay(t, root, new(clock), "d/x@0=", "d@0->theirs", "y@0->theirs/y", "f/g@0=", "f@0=file", "h@0=", "h/", "h/i@0=")
	for _, name := range []string{"theirs/x", "theirs/y"} {
		if got := mtime(t, root, name); !got.Equal(old) {
			t.Errorf("%s is of %v", name, got)
		}
	}
	if info, err := os.Lstat(filepath.Join(root, "h/i")); err != nil || !info.Mode().IsRegular() {
		t.Errorf("h/i: %v, %v", info, err)
	}
}

func TestAClockThatWasSetBack(t *testing.T) {
	c := clock{last: time.Now().Add(time.Hour).UnixNano()}
	before := c.last
	if got := c.take(3); got <= before || c.last != got+2*apart {
		t.Errorf("took %d after %d, and up to %d", got, before, c.last)
	}
	start := time.Now()
	if c.pass(); time.Since(start) > 10*time.Second {
		t.Error("an hour is waited for")
	}
}
