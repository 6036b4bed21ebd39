package unpack

import (
	"archive/tar"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

var (
	fuzzShift  = IDShift{UIDBase: 1 << 20, GIDBase: 1 << 20, Size: 65536}
	fuzzLimits = Limits{Entries: 200, Bytes: 1 << 20, NameBytes: 1024, Depth: 32}
)

// FuzzLayer unpacks well-formed tars of hostile entries: each four bytes are one,
// a type and parts of its name and target.
func FuzzLayer(f *testing.F) {
	f.Add([]byte{1, 0x01, 0x73, 0, 0, 0x13, 0, 0})                   // a link out, a file below it
	f.Add([]byte{2, 0x00, 0, 0, 0, 0x01, 0, 0, 3, 0x08, 0x10, 0})    // a directory, a file in it, a hard link
	f.Add([]byte{0, 0x05, 0, 0, 2, 0x00, 0, 0, 0, 0x50, 0, 0})       // whiteouts
	f.Add([]byte{4, 0x00, 0, 0, 5, 0x01, 0, 0, 0, 0x44, 0, 0})       // nodes, a name with ".."
	f.Add([]byte{2, 0x10, 0, 0, 1, 0x10, 0x37, 0x70, 0, 0x12, 0, 0}) // a directory swapped for a link
	f.Fuzz(func(t *testing.T, program []byte) {
		var headers []*tar.Header
		for ; len(program) >= 4 && len(headers) < 50; program = program[4:] {
			headers = append(headers, fuzzEntry(program))
		}
		unpackHostile(t, tarOf(t, headers...))
	})
}

func fuzzEntry(code []byte) *tar.Header {
	words := []string{"a", "b", "secret", "canary", "..", ".wh.a", ".wh..wh..opq", ""}
	types := []byte{tar.TypeReg, tar.TypeSymlink, tar.TypeDir, tar.TypeLink, tar.TypeFifo, tar.TypeChar, tar.TypeBlock, tar.TypeReg}
	name := func(b byte) string { return words[b>>4&7] + "/" + words[b&7] }
	hdr := header(name(code[1]), func(h *tar.Header) {
		h.Typeflag = types[code[0]&7]
		h.Uid = int(code[0] >> 4)
	})
	switch hdr.Typeflag {
	case tar.TypeSymlink, tar.TypeLink:
		hdr.Linkname = name(code[2])
		if code[3]&1 == 0 {
			hdr.Linkname = "../" + hdr.Linkname + "/" + name(code[3])
		}
	}
	if hdr.Typeflag != tar.TypeDir { // archive/tar writes no other names that end so
		hdr.Name = strings.TrimRight(hdr.Name, "/")
	}
	return hdr
}

// FuzzLayerBytes unpacks whatever bytes there are.
func FuzzLayerBytes(f *testing.F) {
	f.Add(tarOf(f, header("a/"), header("a/f"), header("a/.wh.x"), header("a/.wh..wh..opq")))
	f.Add(tarOf(f, link("l", "../canary"), header("l/secret"), hardLink("h", "l/secret")))
	f.Add(tarOf(f, header("a", func(h *tar.Header) {
		h.PAXRecords = map[string]string{"SCHILY.xattr.trusted.overlay.redirect": "/x"}
	})))
	f.Add(tarOf(f, header(strings.Repeat("x", 150), func(h *tar.Header) { h.Format = tar.FormatGNU })))
	f.Fuzz(unpackHostile)
}

// unpackHostile checks that nothing outside of the layer changes, and that
// nothing gets into it that must not be there.
func unpackHostile(t *testing.T, data []byte) {
	s := newStage(t)
	result, err := s.unpack(t, data, Options{Shift: fuzzShift, Limits: fuzzLimits})
	if err == nil && (result.Entries > fuzzLimits.Entries || result.Bytes > fuzzLimits.Bytes) {
		t.Errorf("over the limits: %+v", result)
	}
	for name, what := range snapshot(t, s.dir, "") {
		if what == "device" {
			t.Errorf("device %q", name)
		}
		checkInode(t, filepath.Join(s.dir, name))
	}
}

// checkInode fails for owners outside of the shifted range and for extended
// attributes that no layer may set. Half-made ones belong to nobody yet.
func checkInode(t testing.TB, name string) {
	t.Helper()
	info, err := os.Lstat(name)
	must(t, err)
	st := info.Sys().(*syscall.Stat_t)
	inRange := st.Uid>>16 == 1<<4 && st.Gid>>16 == 1<<4
	if whiteout := info.Mode()&os.ModeCharDevice != 0; !whiteout && !inRange && info.Mode().Perm()&0o077 != 0 && info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("%q belongs to %d:%d", name, st.Uid, st.Gid)
	}
	buf := make([]byte, 64<<10)
	n, err := unix.Llistxattr(name, buf)
	must(t, err)
	for attr := range strings.SplitSeq(strings.TrimSuffix(string(buf[:n]), "\x00"), "\x00") {
		mine := attr == "" || attr == "trusted.overlay.opaque"
		if !mine && (!strings.HasPrefix(attr, "user.") || strings.HasPrefix(attr, "user.overlay.")) {
			t.Errorf("%q has the extended attribute %q", name, attr)
		}
	}
}
