package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"assay/datasets/starter"
)

func archiveOf(t *testing.T, headers ...tar.Header) string {
	t.Helper()
	var data bytes.Buffer
	zipped := gzip.NewWriter(&data)
	files := tar.NewWriter(zipped)
	for _, h := range headers {
		if err := files.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := files.Write(bytes.Repeat([]byte("x"), int(h.Size))); err != nil {
			t.Fatal(err)
		}
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "a.tar.gz")
	if err := os.WriteFile(name, data.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestUnpackNormalisesModes(t *testing.T) {
	name := archiveOf(t,
		tar.Header{Typeflag: tar.TypeReg, Name: "package/lib/a.js", Mode: 0o400, Size: 3},
		tar.Header{Typeflag: tar.TypeReg, Name: "package/bin/run", Mode: 0o4711, Size: 1})
	dir := filepath.Join(t.TempDir(), "out")
	if err := unpack(name, dir); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]os.FileMode{"lib/a.js": 0o644, "bin/run": 0o755} {
		info, err := os.Stat(filepath.Join(dir, file))
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v %v, want mode %o", file, info, err, want)
		}
	}
}

func TestUnpackRefuses(t *testing.T) {
	tests := map[string]tar.Header{
		"climbs out":    {Typeflag: tar.TypeReg, Name: "package/../../out", Size: 1},
		"symbolic link": {Typeflag: tar.TypeSymlink, Name: "package/l", Linkname: "/etc"},
		"hard link":     {Typeflag: tar.TypeLink, Name: "package/l", Linkname: "/etc/passwd"},
		"device":        {Typeflag: tar.TypeChar, Name: "package/d"},
	}
	for name, header := range tests {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			if err := unpack(archiveOf(t, header), filepath.Join(parent, "in")); err == nil {
				t.Error("accepted")
			}
			if exists(filepath.Join(parent, "out")) {
				t.Error("written outside")
			}
		})
	}
}

func TestCheckLock(t *testing.T) {
	const good = `"integrity": "sha512-x"`
	tests := []struct {
		name, lock string
		ok         bool
	}{
		{"pinned", `{"packages": {"": {}, "node_modules/a": {` + good + `}}}`, true},
		{"the package itself, nested", `{"packages": {"node_modules/a/node_modules/flat": {` + good + `}}}`, false},
		{"no integrity", `{"packages": {"node_modules/a": {}}}`, false},
		{"weak integrity", `{"packages": {"node_modules/a": {"integrity": "sha1-x"}}}`, false},
		{"not JSON", `{`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := checkLock(starter.Recipe{Package: "flat", Lock: []byte(test.lock)})
			if (err == nil) != test.ok {
				t.Errorf("err = %v, want ok %v", err, test.ok)
			}
		})
	}
}

func TestSumLike(t *testing.T) {
	for prefix, length := range map[string]int{"sha256:": 7 + 64, "sha512-": 7 + 88} {
		if got := sumLike(prefix+"old", []byte("data")); !strings.HasPrefix(got, prefix) || len(got) != length {
			t.Errorf("sumLike(%s) = %s", prefix, got)
		}
	}
}

func TestAgreeSaysWhatDiffers(t *testing.T) {
	recorded := starter.Recorded{PatchSHA256: "p", Lists: starter.Lists{FailToPass: []string{"a"}, PassToPass: []string{"b"}}}
	base := starter.Outcomes{"b": starter.Passed}
	if err := agree(recorded, recorded, base); err != nil {
		t.Errorf("equal: %v", err)
	}
	fresh := recorded
	fresh.PatchSHA256 = "q"
	fresh.Lists = starter.Lists{PassToPass: []string{"b"}, FailToFail: []string{"a"}}
	err := agree(recorded, fresh, base)
	for _, line := range []string{"- patch_sha256 p\n+ patch_sha256 q\n", "- fail_to_pass a\n", "+ fail_to_fail a\n"} {
		if err == nil || !strings.Contains(err.Error(), line) {
			t.Errorf("err = %v, want one that says %q", err, line)
		}
	}
	if err := agree(recorded, recorded, nil); err == nil {
		t.Error("a suite that never ran before the fix was accepted")
	}
}

func TestSweepKeepsWhatImagesUse(t *testing.T) {
	dir := write(t, map[string]string{
		"index.json": `{"manifests": [{"digest": "sha256:manifest", "annotations": {"` + refName + `": "x:latest"}},
			{"digest": "sha256:other"}]}`,
		"blobs/upload-1":        "",
		"blobs/sha256/other":    "{}",
		"blobs/sha256/manifest": `{"config": {"digest": "sha256:config"}, "layers": [{"digest": "sha256:layer"}]}`,
		"blobs/sha256/config":   "{}",
		"blobs/sha256/layer":    "",
		"blobs/sha256/stale":    "",
	})
	l := layout{dir}
	if err := l.sweep(map[string]bool{"x:latest": true}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"blobs/sha256/stale", "blobs/sha256/other", "blobs/upload-1"} {
		if exists(filepath.Join(dir, name)) {
			t.Errorf("%s is still there", name)
		}
	}
	if !l.has("x:latest") || l.has("y:latest") {
		t.Error("has: want x:latest alone")
	}
	if err := os.Remove(l.path("sha256:layer")); err != nil {
		t.Fatal(err)
	}
	if l.has("x:latest") {
		t.Error("an image without its layer is taken as whole")
	}
}

func TestLayoutAddReplacesAnImage(t *testing.T) {
	l := layout{write(t, map[string]string{"blobs/sha256/config": "{}", "blobs/sha256/layer": ""})}
	const manifest = `{"config": {"digest": "sha256:config"}, "layers": [{"digest": "sha256:layer"}]}`
	for _, add := range []struct{ image, manifest string }{
		{"x:latest", manifest}, {"y:latest", manifest}, {"x:latest", manifest + "\n"},
	} {
		if err := l.add(add.image, "type", []byte(add.manifest)); err != nil {
			t.Fatal(err)
		}
	}
	images, err := l.index()
	if err != nil {
		t.Fatal(err)
	}
	if len(images.Manifests) != 2 || !l.has("x:latest") || !l.has("y:latest") {
		t.Errorf("index holds %+v", images.Manifests)
	}
	if want := "sha256:" + hexSum([]byte(manifest+"\n")); images.Manifests[1].Digest != want {
		t.Errorf("x:latest is %s, want %s", images.Manifests[1].Digest, want)
	}
	if err := l.add("z:latest", "type", []byte(`{"config": {"digest": "sha256:absent"}}`)); err == nil {
		t.Error("an image whose config is absent was added")
	}
}

func TestDatasetFolder(t *testing.T) {
	dir := t.TempDir()
	r := starter.Recipe{InstanceID: "A__b-1.0.1", Language: starter.Python, Verifier: &starter.Verifier{Command: "pytest"},
		Base: starter.Release{Version: "v1.0.0"}, Recorded: starter.Recorded{Lists: starter.Lists{FailToPass: []string{"t<1>"}}}}
	if err := writeDataset(dir, []row{newRow(r, patches{code: "diff a\n", test: "diff b\n"}, "c0ffee", nil)}); err != nil {
		t.Fatal(err)
	}
	var dataset struct {
		Schema   int
		Defaults struct {
			Verifier starter.Verifier
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "dataset.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &dataset); err != nil {
		t.Fatal(err)
	}
	if want := starter.DefaultVerifier(starter.Go).Command; dataset.Schema != 1 || dataset.Defaults.Verifier.Command != want {
		t.Errorf("dataset.yaml holds %+v", dataset)
	}
	lines, err := os.ReadFile(filepath.Join(dir, "samples.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var got row
	if err := json.Unmarshal(lines, &got); err != nil {
		t.Fatal(err)
	}
	if got.BaseCommit != "c0ffee" || got.Version != "1.0.0" || got.Patch != "diff a\n" || got.FailToPass[0] != "t<1>" ||
		got.Assay.Image != "assay-starter/a_b-1.0.1:latest" || got.Assay.Verifier.Command != "pytest" {
		t.Errorf("samples.jsonl holds %s", lines)
	}
}

func TestNotesAreForOneKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deep", "note.json")
	if err := writeNote(file, "k", 7); err != nil {
		t.Fatal(err)
	}
	if got, ok := readNote[int](file, "k"); !ok || got != 7 {
		t.Errorf("read %d, %v", got, ok)
	}
	if _, ok := readNote[int](file, "other"); ok {
		t.Error("a note for another key was taken")
	}
}

// Needs root, as the builder does.
func TestOfflineHasLoopbackOnly(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	dial := func() *exec.Cmd { return exec.Command("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/"+port) }
	if err := dial().Run(); err != nil {
		t.Fatalf("the listener cannot be reached at all: %v", err)
	}
	isolated := dial()
	var refusal bytes.Buffer
	isolated.Stderr = &refusal
	if err := offline(isolated); err == nil || !strings.Contains(refusal.String(), "Connection refused") {
		t.Errorf("dial a listener of this machine: %v %s; want loopback up and nobody there", err, refusal.String())
	}
	interfaces := exec.Command("cat", "/proc/self/net/dev")
	var printed bytes.Buffer
	interfaces.Stdout = &printed
	if err := offline(interfaces); err != nil {
		t.Fatalf("make a namespace (are you root?): %v", err)
	}
	if !strings.Contains(printed.String(), "lo:") || strings.Contains(printed.String(), "eth") {
		t.Errorf("interfaces:\n%s", printed.String())
	}
}
