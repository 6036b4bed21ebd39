// Package rootfs builds the small image that the conformance suite runs in, from
// two static programs of this host: no registry is needed.
package rootfs

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Name is the name of the image.
const Name = "assay.test/rootfs:latest"

// File is an entry of the work tree, or of the root file system when its name begins
// with "/". Names that end in "/" are directories.
type File struct {
	Name    string
	Content string
	Link    string    // makes it a symbolic link
	Mode    int64     // defaults to 0644, 0755 for directories
	ModTime time.Time // defaults to one in 2024
}

// Write writes the image as an OCI layout to the directory dir, under Name. Its first
// layer has busybox and bash; its second one the files, below workdir. It fails when
// the host lacks the programs, and names the packages.
func Write(dir, workdir string, files []File) error {
	return WriteNamed(dir, Name, workdir, files)
}

// WriteNamed is Write under another name.
func WriteNamed(dir, name, workdir string, files []File) error {
	base, err := baseLayer()
	if err != nil {
		return fmt.Errorf("build the test image: %w", err)
	}
	tree, err := treeLayer(workdir, files)
	if err != nil {
		return fmt.Errorf("build the test image: %w", err)
	}
	img, err := assemble(base, tree)
	if err != nil {
		return fmt.Errorf("build the test image: %w", err)
	}
	out, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = out.AppendImage(img, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": name}))
	}
	if err != nil {
		return fmt.Errorf("write the test image: %w", err)
	}
	return nil
}

func assemble(layers ...[]byte) (v1.Image, error) {
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		Architecture: "amd64", OS: "linux",
		Config: v1.Config{Env: []string{"PATH=/usr/local/bin:/usr/bin:/bin", "FROM_IMAGE=yes"}},
	})
	if err != nil {
		return nil, err
	}
	for _, content := range layers {
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil })
		if err != nil {
			return nil, err
		}
		if img, err = mutate.AppendLayers(img, layer); err != nil {
			return nil, err
		}
	}
	return img, nil
}

// program reads a static program of the host.
func program(pkg string, candidates ...string) ([]byte, error) {
	for _, name := range candidates {
		content, err := os.ReadFile(name)
		if err == nil {
			return content, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s is missing; install it: apt-get install busybox-static bash-static", pkg)
}

func baseLayer() ([]byte, error) {
	busybox, err := program("busybox-static", "/bin/busybox", "/usr/bin/busybox")
	if err != nil {
		return nil, err
	}
	bash, err := program("bash-static", "/bin/bash-static", "/usr/bin/bash-static")
	if err != nil {
		return nil, err
	}
	list, err := exec.Command("busybox", "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("busybox --list: %w", err)
	}
	l := newLayer()
	for _, dir := range []string{"bin/", "dev/", "etc/", "home/", "proc/", "root/", "sys/", "usr/", "usr/bin/", "var/"} {
		l.add(File{Name: dir})
	}
	l.add(File{Name: "tmp/", Mode: 0o1777})
	l.add(File{Name: "bin/busybox", Content: string(busybox), Mode: 0o755})
	l.add(File{Name: "bin/bash", Content: string(bash), Mode: 0o755})
	for applet := range strings.FieldsSeq(string(list)) {
		if !slices.Contains([]string{"busybox", "bash"}, applet) {
			l.add(File{Name: "bin/" + applet, Link: "busybox"})
		}
	}
	l.add(File{Name: "etc/passwd", Content: "root:x:0:0:root:/root:/bin/bash\nguest:x:1000:1000:guest:/home:/bin/sh\n"})
	l.add(File{Name: "etc/group", Content: "root:x:0:\nguest:x:1000:\n"})
	return l.bytes()
}

func treeLayer(workdir string, files []File) ([]byte, error) {
	l := newLayer()
	dir := ""
	for part := range strings.SplitSeq(strings.Trim(workdir, "/"), "/") {
		dir = path.Join(dir, part)
		l.add(File{Name: dir + "/"})
	}
	for _, f := range files {
		if name, outside := strings.CutPrefix(f.Name, "/"); outside {
			f.Name = name
		} else {
			f.Name = dir + "/" + f.Name
		}
		l.add(f)
	}
	return l.bytes()
}

// layer is a layer being written; it keeps the first error.
type layer struct {
	buf bytes.Buffer
	tar *tar.Writer
	err error
}

func newLayer() *layer {
	l := new(layer)
	l.tar = tar.NewWriter(&l.buf)
	return l
}

func (l *layer) add(f File) {
	if l.err != nil {
		return
	}
	hdr := &tar.Header{Name: f.Name, Mode: f.Mode, ModTime: f.ModTime}
	if hdr.ModTime.IsZero() {
		hdr.ModTime = time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	}
	mode := int64(0o644)
	switch {
	case f.Link != "":
		hdr.Typeflag, hdr.Linkname, mode = tar.TypeSymlink, f.Link, 0o777
	case strings.HasSuffix(f.Name, "/"):
		hdr.Typeflag, mode = tar.TypeDir, 0o755
	default:
		hdr.Typeflag, hdr.Size = tar.TypeReg, int64(len(f.Content))
	}
	if hdr.Mode == 0 {
		hdr.Mode = mode
	}
	if l.err = l.tar.WriteHeader(hdr); l.err == nil {
		_, l.err = io.WriteString(l.tar, f.Content)
	}
}

func (l *layer) bytes() ([]byte, error) {
	if l.err == nil {
		l.err = l.tar.Close()
	}
	return l.buf.Bytes(), l.err
}
