package unpack

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

var testTime = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// header makes an entry: a directory when the name ends in "/", else a file.
func header(name string, change ...func(*tar.Header)) *tar.Header {
	hdr := &tar.Header{Name: name, Mode: 0o644, Typeflag: tar.TypeReg, ModTime: testTime}
	if strings.HasSuffix(name, "/") {
		hdr.Typeflag, hdr.Mode = tar.TypeDir, 0o755
	}
	for _, c := range change {
		c(hdr)
	}
	return hdr
}

func link(name, target string) *tar.Header {
	return header(name, func(h *tar.Header) { h.Typeflag, h.Linkname = tar.TypeSymlink, target })
}

func hardLink(name, target string) *tar.Header {
	return header(name, func(h *tar.Header) { h.Typeflag, h.Linkname = tar.TypeLink, target })
}

func node(kind byte, name string) *tar.Header {
	return header(name, func(h *tar.Header) { h.Typeflag = kind })
}

// tarOf packs headers; each file holds its own header's name.
func tarOf(t testing.TB, headers ...*tar.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, hdr := range headers {
		if hdr.Typeflag == tar.TypeReg {
			hdr.Size = int64(len(hdr.Name))
		}
		must(t, w.WriteHeader(hdr))
		if hdr.Typeflag == tar.TypeReg {
			_, err := io.WriteString(w, hdr.Name)
			must(t, err)
		}
	}
	must(t, w.Close())
	return buf.Bytes()
}

// stage is a directory to unpack in, beside one that must not change.
type stage struct {
	dir    string
	canary string
	before map[string]string
}

func newStage(t testing.TB) *stage {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("these tests need root: they make whiteouts and change owners")
	}
	top := t.TempDir()
	s := &stage{dir: filepath.Join(top, "layer"), canary: filepath.Join(top, "canary")}
	must(t, os.Mkdir(s.dir, 0o755))
	must(t, os.Mkdir(s.canary, 0o755))
	must(t, os.WriteFile(filepath.Join(s.canary, "secret"), []byte("secret"), 0o600))
	s.before = s.outside(t)
	return s
}

// outside is all that lies beside the layer.
func (s *stage) outside(t testing.TB) map[string]string {
	t.Helper()
	return snapshot(t, filepath.Dir(s.dir), "layer")
}

// check fails when anything outside of the layer has changed.
func (s *stage) check(t testing.TB) {
	t.Helper()
	if diff := cmp.Diff(s.before, s.outside(t)); diff != "" {
		t.Errorf("outside of the layer: %s", diff)
	}
}

func (s *stage) unpack(t testing.TB, data []byte, opts Options) (Result, error) {
	t.Helper()
	defer s.check(t)
	return Layer(context.Background(), s.dir, bytes.NewReader(data), opts)
}

// snapshot describes every file below a directory, but for the one named.
func snapshot(t testing.TB, dir, except string) map[string]string {
	t.Helper()
	found := map[string]string{}
	must(t, filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, name)
		if rel == except {
			return filepath.SkipDir
		}
		if rel != "." {
			found[rel] = describe(t, name)
		}
		return nil
	}))
	return found
}

// describe tells what is at a name: "dir", "opaque dir", "whiteout", "fifo",
// "-> target" or a file's content.
func describe(t testing.TB, name string) string {
	t.Helper()
	info, err := os.Lstat(name)
	must(t, err)
	switch info.Mode().Type() {
	case os.ModeDir:
		value := make([]byte, 8)
		if n, err := unix.Lgetxattr(name, "trusted.overlay.opaque", value); err == nil && string(value[:n]) == "y" {
			return "opaque dir"
		}
		return "dir"
	case os.ModeSymlink:
		target, err := os.Readlink(name)
		must(t, err)
		return "-> " + target
	case os.ModeNamedPipe:
		return "fifo"
	case os.ModeDevice | os.ModeCharDevice:
		if info.Sys().(*syscall.Stat_t).Rdev == 0 {
			return "whiteout"
		}
		return "device"
	}
	data, err := os.ReadFile(name)
	must(t, err)
	return string(data)
}

func TestLayer(t *testing.T) {
	for name, test := range map[string]struct {
		headers []*tar.Header
		want    map[string]string
		result  Result // Entries and Bytes are not compared
	}{
		"plain": {
			headers: []*tar.Header{header("./"), header("./d/"), header("./d/f"), link("./l", "/d/f"), hardLink("./h", "./d/f"), node(tar.TypeFifo, "p")},
			want:    map[string]string{"d": "dir", "d/f": "./d/f", "l": "-> /d/f", "h": "./d/f", "p": "fifo"},
		},
		"child before parent": {
			headers: []*tar.Header{header("a/b/f"), header("a/"), header("c/f")},
			want:    map[string]string{"a": "dir", "a/b": "dir", "a/b/f": "a/b/f", "c": "dir", "c/f": "c/f"},
			result:  Result{Implied: []string{"a/b", "c"}},
		},
		"absolute names are below the root": {
			headers: []*tar.Header{header("/etc/"), header("//etc/f"), hardLink("h", "/etc/f")},
			want:    map[string]string{"etc": "dir", "etc/f": "//etc/f", "h": "//etc/f"},
		},
		"whiteouts": {
			headers: []*tar.Header{header(".wh.gone"), header("d/"), header("d/.wh.gone"), header("d/.wh..wh..opq"), header(".wh..wh.plnk")},
			want:    map[string]string{"gone": "whiteout", "d": "opaque dir", "d/gone": "whiteout"},
		},
		"whiteouts do not hide their own layer": {
			headers: []*tar.Header{
				header(".wh.file"), header("file"), header("file2"), header(".wh.file2"),
				header(".wh.dir"), header("dir/"), header("dir2/"), header(".wh.dir2"), header(".wh.dir3"), header("dir3/f"),
			},
			want: map[string]string{
				"file": "file", "file2": "file2",
				"dir": "opaque dir", "dir2": "opaque dir", "dir3": "opaque dir", "dir3/f": "dir3/f",
			},
			result: Result{Implied: []string{"dir3"}},
		},
		"opaque root": {
			headers: []*tar.Header{header(".wh..wh..opq"), header("f")},
			want:    map[string]string{"f": "f"},
			result:  Result{OpaqueRoot: true},
		},
		"the last of several entries wins": {
			headers: []*tar.Header{header("a"), link("a", "x"), header("b/"), header("b/f"), header("b"), header("c"), header("c/"), header("d/"), header("d/f"), header("d/")},
			want:    map[string]string{"a": "-> x", "b": "b", "c": "opaque dir", "d": "dir", "d/f": "d/f"},
		},
		"links are followed inside of the layer": {
			headers: []*tar.Header{
				header("real/"), link("abs", "/real"), link("rel", "real"), link("up", "../../../real"), link("dangling", "/made/here"),
				header("abs/1"), header("rel/2"), header("up/3"), header("dangling/4"), hardLink("5", "abs/1"),
			},
			want: map[string]string{
				"real": "dir", "abs": "-> /real", "rel": "-> real", "up": "-> ../../../real", "dangling": "-> /made/here",
				"real/1": "abs/1", "real/2": "rel/2", "real/3": "up/3", "made": "dir", "made/here": "dir", "made/here/4": "dangling/4", "5": "abs/1",
			},
			result: Result{Implied: []string{"made", "made/here"}},
		},
		"a link to outside is only a link": {
			headers: []*tar.Header{link("out", "../canary"), link("out2", "/etc"), header("out/f"), header("out2/f"), link("canary/secret", "/x")},
			want: map[string]string{
				"out": "-> ../canary", "out2": "-> /etc", "canary": "dir", "canary/f": "out/f", "etc": "dir", "etc/f": "out2/f", "canary/secret": "-> /x",
			},
			result: Result{Implied: []string{"canary", "etc"}},
		},
		"a file in the place of a link does not write through it": {
			headers: []*tar.Header{header("f"), link("l", "f"), header("l")},
			want:    map[string]string{"f": "f", "l": "l"},
		},
		"a hard link to a link is another link": {
			headers: []*tar.Header{link("l", "../canary/secret"), hardLink("h", "l")},
			want:    map[string]string{"l": "-> ../canary/secret", "h": "-> ../canary/secret"},
		},
		"a hard link to itself": {
			headers: []*tar.Header{header("f"), hardLink("f", "./f")},
			want:    map[string]string{"f": "f"},
		},
		"a parent swapped for a link": {
			headers: []*tar.Header{header("d/"), header("d/1"), link("d", "/e"), header("d/2")},
			want:    map[string]string{"d": "-> /e", "e": "dir", "e/2": "d/2"},
			result:  Result{Implied: []string{"e"}},
		},
		"devices are left out": {
			headers: []*tar.Header{node(tar.TypeChar, "null"), node(tar.TypeBlock, "sda"), hardLink("null2", "null"), header("f")},
			want:    map[string]string{"f": "f"},
			result:  Result{Devices: 3},
		},
		"global header": {
			headers: []*tar.Header{{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": "x"}}, header("f")},
			want:    map[string]string{"f": "f"},
		},
		"long names": {
			headers: []*tar.Header{
				header(strings.Repeat("d", 200)+"/"+strings.Repeat("f", 200), func(h *tar.Header) { h.Format = tar.FormatGNU }),
				link("l", strings.Repeat("x/", 150)+"x"),
			},
			want: map[string]string{
				strings.Repeat("d", 200):                                  "dir",
				strings.Repeat("d", 200) + "/" + strings.Repeat("f", 200): strings.Repeat("d", 200) + "/" + strings.Repeat("f", 200),
				"l": "-> " + strings.Repeat("x/", 150) + "x",
			},
			result: Result{Implied: []string{strings.Repeat("d", 200)}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			got, err := s.unpack(t, tarOf(t, test.headers...), Options{})
			must(t, err)
			if diff := cmp.Diff(test.want, snapshot(t, s.dir, "")); diff != "" {
				t.Error(diff)
			}
			got.Entries, got.Bytes = 0, 0
			if diff := cmp.Diff(test.result, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLayerRefuses(t *testing.T) {
	deep := strings.Repeat("d/", 400)
	for name, test := range map[string]struct {
		headers []*tar.Header
		opts    Options
		want    error
		text    string
	}{
		"dot dot":                          {headers: []*tar.Header{header("../canary/secret")}, want: ErrUnsafe},
		"dot dot within":                   {headers: []*tar.Header{header("a/../../canary/x")}, want: ErrUnsafe},
		"absolute dot dot":                 {headers: []*tar.Header{header("/../canary/secret")}, want: ErrUnsafe},
		"hard link dot dot":                {headers: []*tar.Header{hardLink("h", "../canary/secret")}, want: ErrUnsafe},
		"hard link through a link":         {headers: []*tar.Header{link("out", "../canary"), hardLink("h", "out/secret")}, text: "no such file"},
		"hard link to another layer":       {headers: []*tar.Header{hardLink("h", "usr")}, want: ErrUnsafe, text: "not in the layer"},
		"hard link to a directory":         {headers: []*tar.Header{header("d/"), hardLink("h", "d")}, want: ErrUnsafe, text: "directory"},
		"hard link to the root":            {headers: []*tar.Header{hardLink("h", "/")}, want: ErrUnsafe},
		"hard link to a whiteout":          {headers: []*tar.Header{header(".wh.x"), hardLink("h", "x")}, want: ErrUnsafe, text: "not in the layer"},
		"file as parent":                   {headers: []*tar.Header{header("f"), header("f/x")}, want: ErrUnsafe, text: "not a directory"},
		"whiteout as parent":               {headers: []*tar.Header{header(".wh.x/f")}, want: ErrUnsafe},
		"whiteout of nothing":              {headers: []*tar.Header{header("d/.wh.")}, want: ErrUnsafe},
		"whiteout of dot":                  {headers: []*tar.Header{header("d/.wh..")}, want: ErrUnsafe},
		"whiteout of dot dot":              {headers: []*tar.Header{header("d/.wh...")}, want: ErrUnsafe},
		"root that is a file":              {headers: []*tar.Header{header(".")}, want: ErrUnsafe},
		"root that is a link":              {headers: []*tar.Header{link("./", "/etc")}, want: ErrUnsafe},
		"links in a circle":                {headers: []*tar.Header{link("a", "b"), link("b", "a"), header("a/f")}, want: ErrUnsafe},
		"unknown type":                     {headers: []*tar.Header{node('Z', "z")}, want: ErrUnsafe, text: "entry type"},
		"links that add up to great depth": {headers: []*tar.Header{header(deep[:400] + "x"), link("l", deep[:400]), header("l/" + deep[:400] + "x"), link("m", "l/"+deep[:400]), header("m/" + deep[:400] + "x")}, want: ErrUnsafe, text: "nested"},
		"empty link":                       {headers: []*tar.Header{link("l", "")}, want: ErrUnsafe},
		"uid beyond the range":             {headers: []*tar.Header{header("f", func(h *tar.Header) { h.Uid = 65536 })}, opts: Options{Shift: IDShift{UIDBase: 1 << 20, GIDBase: 1 << 20, Size: 65536}}, text: "beyond the 65536 ids"},
		"gid beyond the range":             {headers: []*tar.Header{header("f", func(h *tar.Header) { h.Gid = 1 << 21 })}, opts: Options{Shift: IDShift{UIDBase: 1 << 20, GIDBase: 1 << 20, Size: 65536}}, text: "beyond"},
		"uid that means no change":         {headers: []*tar.Header{header("f", func(h *tar.Header) { h.Uid = 1<<32 - 1 })}, text: "beyond"},
		"too many entries":                 {headers: []*tar.Header{header("1"), header("2"), header("3")}, opts: Options{Limits: Limits{Entries: 2}}, want: ErrLimit},
		"too many implied directories":     {headers: []*tar.Header{header("1/2/3/4/5/6")}, opts: Options{Limits: Limits{Entries: 5}}, want: ErrLimit},
		"too deep":                         {headers: []*tar.Header{header(deep + "f")}, want: ErrLimit},
		"name too long":                    {headers: []*tar.Header{header(strings.Repeat("d/", 3000))}, want: ErrLimit},
		"component too long":               {headers: []*tar.Header{header(strings.Repeat("d", 256))}, want: ErrLimit},
		"link too long":                    {headers: []*tar.Header{link("l", strings.Repeat("d", 4096))}, want: ErrLimit},
		"too many bytes":                   {headers: []*tar.Header{header("f"), header("g")}, opts: Options{Limits: Limits{Bytes: 1000}}, want: ErrLimit},
		"too many xattrs": {headers: []*tar.Header{header("f", func(h *tar.Header) {
			h.PAXRecords = map[string]string{"SCHILY.xattr.user.x": strings.Repeat("x", 1<<16)}
		})}, want: ErrLimit},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			_, err := s.unpack(t, tarOf(t, test.headers...), test.opts)
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Fatalf("error %v, not %v", err, test.want)
			}
			if !strings.Contains(err.Error(), test.text) {
				t.Errorf("%q does not hold %q", err, test.text)
			}
		})
	}
}

// TestLayerGarbage feeds what is no honest tar at all.
func TestLayerGarbage(t *testing.T) {
	good := tarOf(t, header("f"), header("g"))
	for name, data := range map[string][]byte{
		"noise":     bytes.Repeat([]byte("noise"), 1000),
		"truncated": good[:1300],
		"pax":       rawPAX(t, "garbage without a length\n"),
		"pax NUL":   rawPAX(t, "20 path=bad\x00name...\n"),
		"sparse":    rawPAX(t, "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n37 GNU.sparse.realsize=9000000000000\n19 GNU.sparse.name=f\n"),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := newStage(t).unpack(t, data, Options{}); err == nil {
				t.Error("unpacked")
			}
		})
	}
	if _, err := newStage(t).unpack(t, nil, Options{}); err != nil {
		t.Errorf("an empty layer: %v", err)
	}
}

// rawPAX is a file with a PAX header of these very bytes.
func rawPAX(t testing.TB, records string) []byte {
	t.Helper()
	block := tarOf(t, &tar.Header{Typeflag: tar.TypeReg, Name: strings.Repeat("x", len(records)), ModTime: testTime})
	block[156] = tar.TypeXHeader
	copy(block[512:], records)
	setChecksum(block)
	return append(block[:512+(len(records)+511)/512*512], tarOf(t, header("f"))...)
}

// setChecksum makes a changed header valid again.
func setChecksum(block []byte) {
	copy(block[148:156], "        ")
	sum := 0
	for _, b := range block[:512] {
		sum += int(b)
	}
	copy(block[148:156], fmt.Sprintf("%06o\x00 ", sum))
}

// TestLayerSparseBomb has a file of one block that says it is huge.
func TestLayerSparseBomb(t *testing.T) {
	const size = "77777777000" // octal; 8 GiB but for a block
	data := tarOf(t, header("f", func(h *tar.Header) { h.Format = tar.FormatGNU }), header("g"))
	data[156] = tar.TypeGNUSparse
	copy(data[124:], "00000001000\x00")            // bytes in the tar
	copy(data[386:], "77777776000\x0000000001000") // where they belong
	copy(data[483:], size)
	setChecksum(data)
	_, err := newStage(t).unpack(t, data, Options{Limits: Limits{Bytes: 1 << 30}})
	if !errors.Is(err, ErrLimit) {
		t.Errorf("error %v, not %v", err, ErrLimit)
	}
}

func TestLayerAttributes(t *testing.T) {
	s := newStage(t)
	xattrs := map[string]string{
		"SCHILY.xattr.user.kept":              "yes",
		"SCHILY.xattr.user.overlay.opaque":    "y",
		"SCHILY.xattr.trusted.overlay.opaque": "y",
		"SCHILY.xattr.trusted.x":              "y",
		"SCHILY.xattr.security.capability":    "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	}
	own := func(h *tar.Header) { h.Uid, h.Gid = 1000, 100 }
	shift := IDShift{UIDBase: 1 << 20, GIDBase: 1 << 21, Size: 65536}
	soon := func(h *tar.Header) { h.ModTime = time.Now().Add(time.Hour) }
	start := time.Now()
	_, err := s.unpack(t, tarOf(t,
		header("soon", soon),
		header("dir/", soon),
		header("way", soon, func(h *tar.Header) { h.Typeflag, h.Linkname = tar.TypeSymlink, "x" }),
		header("pipe", soon, func(h *tar.Header) { h.Typeflag = tar.TypeFifo }),
		header("d/", own, func(h *tar.Header) { h.Mode, h.PAXRecords = 0o1777, xattrs }),
		header("d/suid", own, func(h *tar.Header) { h.Mode, h.PAXRecords = 0o6755, xattrs }),
		header("d/l", own, func(h *tar.Header) { h.Typeflag, h.Linkname = tar.TypeSymlink, "x" }),
		header("d/p", own, func(h *tar.Header) { h.Typeflag, h.Mode = tar.TypeFifo, 0o666 }),
		header("implied/f"),
		header("old", func(h *tar.Header) { h.ModTime, h.Format = time.Unix(-1<<40, 0), tar.FormatPAX }),
		header("new", func(h *tar.Header) { h.ModTime, h.Format = time.Unix(1<<40, 0), tar.FormatPAX }),
	), Options{Shift: shift})
	must(t, err)
	for name, want := range map[string]string{
		"d":       "dtrwxrwxrwx 1049576:2097252 2024-05-06T07:08:09Z",
		"d/suid":  "ugrwxr-xr-x 1049576:2097252 2024-05-06T07:08:09Z",
		"d/l":     "Lrwxrwxrwx 1049576:2097252 2024-05-06T07:08:09Z",
		"d/p":     "prw-rw-rw- 1049576:2097252 2024-05-06T07:08:09Z",
		"implied": "drwxr-xr-x 1048576:2097152 1970-01-01T00:00:00Z",
		"old":     "-rw-r--r-- 1048576:2097152 1970-01-01T00:00:00Z",
	} {
		if got := attributesOf(t, filepath.Join(s.dir, name)); got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
	now := time.Now()
	for _, name := range []string{"new", "soon", "dir", "way", "pipe"} {
		info, err := os.Lstat(filepath.Join(s.dir, name))
		must(t, err)
		if at := info.ModTime(); at.Before(start) || at.After(now) {
			t.Errorf("%s, of a time to come, is of %v; unpacked between %v and %v", name, at, start, now)
		}
	}
	for _, name := range []string{"d", "d/suid"} {
		buf := make([]byte, 1024)
		n, err := unix.Llistxattr(filepath.Join(s.dir, name), buf)
		must(t, err)
		if got := string(buf[:n]); got != "user.kept\x00" {
			t.Errorf("%s has extended attributes %q", name, got)
		}
	}
}

func attributesOf(t testing.TB, name string) string {
	t.Helper()
	info, err := os.Lstat(name)
	must(t, err)
	st := info.Sys().(*syscall.Stat_t)
	return info.Mode().String() + " " + fmt.Sprintf("%d:%d", st.Uid, st.Gid) + " " + info.ModTime().UTC().Format(time.RFC3339)
}

func TestLayerStopsWithContext(t *testing.T) {
	s := newStage(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("no longer wanted")
	cancel(cause)
	if _, err := Layer(ctx, s.dir, bytes.NewReader(tarOf(t, header("f"))), Options{}); !errors.Is(err, cause) {
		t.Errorf("error %v", err)
	}
}

// TestLayerKeepsNoDescriptors counts what is open before and after.
func TestLayerKeepsNoDescriptors(t *testing.T) {
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		must(t, err)
		return len(entries)
	}
	data := tarOf(t, header("a/b/c/d"), link("l", "/a/b"), header("l/x"), hardLink("h", "l/x"), link("u", "l/../.."), header("u/y"), header("a/b"))
	bad := tarOf(t, header("a/b/c/d"), hardLink("h", "a/b/none"), header("a/b/c/d/e"))
	s := newStage(t)
	before := open()
	_, err := s.unpack(t, data, Options{})
	must(t, err)
	if _, err := newStage(t).unpack(t, bad, Options{}); err == nil {
		t.Error("unpacked")
	}
	if after := open(); after != before {
		t.Errorf("%d descriptors open, were %d", after, before)
	}
}

func TestIDShiftValidate(t *testing.T) {
	for shift, good := range map[IDShift]bool{
		{}: true,
		{UIDBase: 1 << 20, GIDBase: 1 << 20, Size: 65536}: true,
		{UIDBase: 1 << 20, GIDBase: 1 << 20}:              false,
		{UIDBase: 1<<32 - 65536, Size: 65536}:             false,
		{Size: 1<<32 - 1}:                                 false,
	} {
		if err := shift.Validate(); (err == nil) != good {
			t.Errorf("%+v: %v", shift, err)
		}
	}
}
