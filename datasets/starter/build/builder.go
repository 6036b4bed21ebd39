package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"assay/datasets/starter"
)

// builder holds what the samples of one run share.
type builder struct {
	opts     options
	work     string // OUT/work
	clients  clients
	buildah  buildah
	layout   layout
	exporter *exporter       // nil until something is built
	bases    map[string]bool // images that this run made or found fresh
	stdout   io.Writer
	prefix   string
	started  time.Time
}

func newBuilder(opts options, stdout io.Writer) *builder {
	work := filepath.Join(opts.out, "work")
	return &builder{
		opts:    opts,
		work:    work,
		clients: clients{cache: filepath.Join(work, "downloads")},
		buildah: buildah{storage: filepath.Join(work, "storage"), driver: opts.storageDriver, tmp: filepath.Join(work, "tmp")},
		layout:  layout{dir: filepath.Join(opts.out, "images")},
		bases:   map[string]bool{},
		stdout:  stdout,
		started: time.Now(),
	}
}

func (b *builder) say(format string, args ...any) {
	fmt.Fprintf(b.stdout, "%6.1fs %s: %s\n", time.Since(b.started).Seconds(), b.prefix, fmt.Sprintf(format, args...))
}

// sample builds one sample, unless what an earlier run left is still right.
func (b *builder) sample(ctx context.Context, r starter.Recipe) (row, error) {
	files, err := r.Files()
	if err != nil {
		return row{}, err
	}
	key, err := starter.Fingerprint(files...)
	if err != nil {
		return row{}, err
	}
	note := filepath.Join(b.work, "samples", r.InstanceID+".json")
	if built, ok := readNote[row](note, key); ok && b.opts.record == "" && b.layout.has(r.Image()) {
		b.say("unchanged")
		return built, nil
	}
	if err := checkHost(r.Language); err != nil {
		return row{}, err
	}
	if b.exporter == nil {
		if err := b.buildah.clear(ctx); err != nil {
			return row{}, err
		}
		if b.exporter, err = newExporter(b.layout); err != nil {
			return row{}, err
		}
	}
	built, err := b.make(ctx, r)
	if err != nil {
		return row{}, err
	}
	return built, writeNote(note, key, built)
}

// Close frees what building took.
func (b *builder) Close() error {
	if b.exporter == nil {
		return nil
	}
	return b.exporter.Close()
}

// tidy removes what builds replaced, and what no recipe makes any more.
func (b *builder) tidy(ctx context.Context, recipes []starter.Recipe) error {
	if b.exporter == nil {
		return nil
	}
	if err := b.buildah.prune(ctx); err != nil {
		return err
	}
	keep := map[string]bool{}
	for _, r := range recipes {
		keep[r.Image()] = true
	}
	return b.layout.sweep(keep)
}

// make does all the work of one sample.
func (b *builder) make(ctx context.Context, r starter.Recipe) (row, error) {
	if err := b.base(ctx, r.Language); err != nil {
		return row{}, err
	}
	dir, err := freshDir(b.work, "tmp", r.InstanceID)
	if err != nil {
		return row{}, err
	}
	defer os.RemoveAll(dir)
	b.say("fetch %s %s and %s", r.Package, r.Base.Version, r.Fixed.Version)
	trees := [2]string{filepath.Join(dir, "base"), filepath.Join(dir, "fixed")}
	for i, release := range []starter.Release{r.Base, r.Fixed} {
		if err := b.clients.source(ctx, r, release, trees[i]); err != nil {
			return row{}, err
		}
	}
	task, err := derive(ctx, r.Language, trees[0], trees[1], filepath.Join(dir, "derive"))
	if err != nil {
		return row{}, err
	}
	context := filepath.Join(dir, "context")
	commit, err := commitOnce(ctx, trees[0], filepath.Join(context, "testbed"))
	if err != nil {
		return row{}, err
	}
	if err := b.clients.testDependencies(ctx, r, context); err != nil {
		return row{}, err
	}
	b.say("build image %s", r.Image())
	if err := b.buildah.build(ctx, r.Image(), imageOf(r.Language)+"-sample", context); err != nil {
		return row{}, err
	}
	seconds, err := b.verify(ctx, r, task, commit, filepath.Join(dir, "run"))
	if err != nil {
		return row{}, err
	}
	b.say("export; %.1f s a test run", seconds)
	if err := b.exporter.export(ctx, b.buildah, r.Image()); err != nil {
		return row{}, err
	}
	canaries, err := canariesOf(r, trees[1])
	if err != nil {
		return row{}, err
	}
	return newRow(r, task, commit, canaries), nil
}

// base makes the images that a language's samples stand on.
func (b *builder) base(ctx context.Context, language starter.Language) error {
	if err := b.baseImage(ctx, "base", b.clients.debian(b.opts.mirror)); err != nil {
		return err
	}
	return b.baseImage(ctx, imageOf(language), b.clients.toolchain(language))
}

// baseImage builds assay-starter/NAME from NAME.Dockerfile in a context that fill makes.
func (b *builder) baseImage(ctx context.Context, name string, fill func(context.Context, string) error) error {
	if b.bases[name] {
		return nil
	}
	files, err := starter.Glob("build/*.go", "images/*")
	if err != nil {
		return err
	}
	key, err := starter.Fingerprint(files...)
	if err != nil {
		return err
	}
	image := "assay-starter/" + name + ":latest"
	note := filepath.Join(b.work, "images", name+".json")
	if id, ok := readNote[string](note, key); ok && b.buildah.has(ctx, image, id) {
		b.bases[name] = true
		return nil
	}
	dir, err := freshDir(b.work, "tmp", name)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.say("build image %s", image)
	if err := fill(ctx, dir); err != nil {
		return err
	}
	if err := b.buildah.build(ctx, image, name, dir); err != nil {
		return err
	}
	id, err := b.buildah.id(ctx, image)
	if err != nil {
		return err
	}
	b.bases[name] = true
	return writeNote(note, key, id)
}

// imageOf is the stem of a language's Dockerfiles.
func imageOf(language starter.Language) string {
	if language == starter.JavaScript {
		return "node"
	}
	return string(language)
}

// freshDir makes an empty directory.
func freshDir(elem ...string) (string, error) {
	dir := filepath.Join(elem...)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o755)
}

// note is what a run leaves for the next one: a result and the key of what made it.
type note[T any] struct {
	Key   string `json:"key"`
	Value T      `json:"value"`
}

func readNote[T any](file, key string) (T, bool) {
	var n note[T]
	data, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(data, &n) != nil || n.Key != key {
		var none T
		return none, false
	}
	return n.Value, true
}

func writeNote[T any](file, key string, value T) error {
	data, err := json.Marshal(note[T]{Key: key, Value: value})
	if err != nil {
		return err
	}
	return writeFile(file, data)
}

// writeFile replaces a file whole, so that an interrupted run leaves no half of one.
func writeFile(file string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", data, 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// exists tells whether there is a file or directory of that name.
func exists(name string) bool {
	_, err := os.Lstat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
