package evaluate

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"assay"
	"assay/internal/patch"
	"assay/internal/sandbox"
	"assay/internal/steering"
	"assay/internal/worktree"
)

// environment is a clean sandbox that is being readied for the suite.
type environment struct {
	box      sandbox.Sandbox
	sample   *assay.Sample
	tree     *baseTree
	guard    *steering.Guard
	failed   error  // of the tree, when the guard asked for it
	nonce    string // of this verification's canaries
	reports  string // the directory of reports
	tampered tamperings
	laid     map[string]bool // files of the work tree that the judge has laid
	fresh    freshNames      // what the suite made, which was not there
	written  []Rewritten     // what the suite wrote that it could have been judged by
}

func newEnvironment(ctx context.Context, box sandbox.Sandbox, sample *assay.Sample) (*environment, error) {
	env := &environment{
		box: box, sample: sample, nonce: newNonce(), reports: privateDir + "/" + newNonce(),
		tree: &baseTree{box: box, root: sample.Task.Workdir},
	}
	var err error
	env.guard, err = guardOf(sample, func(name string) bool {
		if env.fresh.has(name) {
			return false
		}
		there, err := env.tree.has(ctx, name)
		env.failed = errors.Join(env.failed, err)
		return there
	})
	return env, err
}

// guardOf returns what is protected in the work tree of a sample.
func guardOf(sample *assay.Sample, has func(name string) bool) (*steering.Guard, error) {
	v := sample.Task.Verifier
	rules := steering.Rules{
		Language:    sample.Task.Language,
		Command:     v.Command,
		Protected:   v.Protected,
		Unprotected: v.Unprotected,
		TestNames:   slices.Concat(sample.FailToPass, sample.PassToPass),
		Has:         has,
	}
	for _, text := range []string{sample.Patch, sample.NonCodePatch} {
		names, err := pathsOf(text)
		if err != nil {
			return nil, assay.Wrap(err, assay.CodePatchFailed, "the reference patch of sample %s/%s cannot be read", sample.Dataset, sample.ID)
		}
		rules.Reference = append(rules.Reference, names...)
	}
	names, err := pathsOf(sample.TestPatch)
	if err != nil {
		return nil, assay.Wrap(err, assay.CodePatchFailed, "the test patch of sample %s/%s cannot be read", sample.Dataset, sample.ID)
	}
	rules.Tests = names
	for _, c := range v.Canaries {
		if !strings.Contains(c.Path, assay.NoncePlaceholder) {
			rules.Tests = append(rules.Tests, c.Path)
		}
	}
	for _, report := range v.Reports {
		if place, pattern := reportLocation(sample, report, ""); place == sample.Task.Workdir {
			rules.Reports = append(rules.Reports, pattern)
		}
	}
	return steering.New(rules)
}

func pathsOf(text string) ([]string, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	set, err := patch.Parse(text)
	if err != nil {
		return nil, err
	}
	return set.Paths(), nil
}

// lay puts the work on the base tree, except what would steer its own judging, and
// then the tests in their reference state. work may be called more than once.
func (env *environment) lay(ctx context.Context, work Work) error {
	tests, err := env.layerOf(ctx, env.sample.TestPatch) // before the work can change what it is made from
	if err != nil {
		return err
	}
	t, err := env.decide(ctx, work)
	if err != nil {
		return err
	}
	env.tampered = t.tampered
	if err := env.layFiltered(ctx, work, t); err != nil {
		return fmt.Errorf("lay the work on a fresh work tree: %w", err)
	}
	if len(tests) > 0 {
		if err := env.box.ApplyLayer(ctx, env.sample.Task.Workdir, bytes.NewReader(tests)); err != nil {
			return fmt.Errorf("restore the tests: %w", err)
		}
	}
	names, err := pathsOf(env.sample.TestPatch)
	env.isLaid(names...)
	return err
}

// layFiles lays files over the restored tests.
func (env *environment) layFiles(ctx context.Context, files map[string][]byte) error {
	if len(files) == 0 {
		return nil
	}
	layer := make(map[string]string, len(files))
	for name, content := range files {
		layer[name] = string(content)
		env.isLaid(name)
	}
	if err := env.box.ApplyLayer(ctx, env.sample.Task.Workdir, layerOf(layer, 0o644)); err != nil {
		return fmt.Errorf("lay files over the tests: %w", err)
	}
	return nil
}

// decide reads the work and rules on it.
func (env *environment) decide(ctx context.Context, work Work) (*changeFilter, error) {
	t := &changeFilter{tree: env.tree, guard: env.guard, fixed: env.referenceFile}
	layer, err := work(ctx, env.box)
	if err != nil {
		return nil, err
	}
	defer layer.Close()
	if err := t.read(layer); err != nil {
		return nil, fmt.Errorf("read the work: %w", err)
	}
	err = t.decide(ctx)
	return t, errors.Join(err, env.failed)
}

// layFiltered lays what the filter lets through.
func (env *environment) layFiltered(ctx context.Context, work Work, t *changeFilter) error {
	if len(t.gone) > 0 {
		if err := env.box.ApplyLayer(ctx, env.sample.Task.Workdir, whiteouts(t.gone)); err != nil {
			return err
		}
	}
	layer, err := work(ctx, env.box)
	if err != nil {
		return err
	}
	defer layer.Close()
	filtered, dst := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		dst.CloseWithError(worktree.Filter(dst, layer, t.keeps))
	}()
	err = env.box.ApplyLayer(ctx, env.sample.Task.Workdir, filtered)
	_ = filtered.Close() // ends the goroutine, wherever it is
	<-done
	return err
}

// whiteouts is a layer that removes files.
func whiteouts(names []string) io.Reader {
	layer := make(map[string]string, len(names))
	for _, name := range names {
		dir, base := path.Split(name)
		layer[dir+".wh."+base] = ""
	}
	return layerOf(layer, 0o600)
}

// layerOf is a layer of files; those whose names end in "/" are directories.
func layerOf(files map[string]string, mode int64) *bytes.Buffer {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		hdr := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(files[name])), Format: tar.FormatPAX}
		if strings.HasSuffix(name, "/") {
			hdr.Typeflag = tar.TypeDir
		}
		_ = w.WriteHeader(hdr) // into memory
		_, _ = io.WriteString(w, files[name])
	}
	_ = w.Close()
	return &buf
}

// referenceFile returns a file as the reference fix leaves it; fs.ErrNotExist when
// the fix does not touch it, or removes it.
func (env *environment) referenceFile(ctx context.Context, name string) ([]byte, error) {
	for _, text := range []string{env.sample.NonCodePatch, env.sample.Patch} {
		layer, err := env.layerOf(ctx, text)
		if err != nil {
			return nil, err
		}
		var content []byte
		err = worktree.Scan(bytes.NewReader(layer), func(e worktree.Entry, from io.Reader) (err error) {
			if e.Name == name && e.Type == tar.TypeReg && !e.Deletes {
				content, err = io.ReadAll(from)
			}
			return err
		})
		if err != nil || content != nil {
			return content, err
		}
	}
	return nil, fs.ErrNotExist
}

// layerOf returns what a patch of the sample makes of the base work tree.
func (env *environment) layerOf(ctx context.Context, text string) ([]byte, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	return patchLayer(ctx, env.box, env.sample, text)
}
