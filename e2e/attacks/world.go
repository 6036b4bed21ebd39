package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"assay"
	"assay/client"
	"assay/e2e/harness"
	"assay/internal/dataset"
)

// world is a running server, with the starter dataset, its variants, some of it as rows of
// SWE-bench, and both once more with the samples that were searched for alterations.
type world struct {
	server  *harness.Server
	api     *client.Client
	key     string
	log     *os.File
	samples map[string]*assay.Sample // by dataset/id
	refused map[string]error         // datasets that could not be imported
	strict  bool                     // as the flags say
	prove   bool
	program harness.Program
	found   []searchedSample // what is known of the samples that were searched
}

// open starts the server, with all that scripts need.
func open(ctx context.Context, o options, scripts []script) (w *world, err error) {
	data, err := filepath.Abs(o.dataDir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	w = &world{samples: map[string]*assay.Sample{}, refused: map[string]error{}, strict: o.strict, prove: o.prove}
	if w.log, err = os.Create(filepath.Join(data, "attacks.log")); err != nil {
		return nil, err
	}
	p := harness.Program{Path: o.assay, DataDir: data, Log: w.log, Env: []string{"ASSAY_ALTERATIONS=off"}}
	w.program = p
	if err := endLeftover(data, o.assay); err != nil {
		return nil, errors.Join(err, w.log.Close())
	}
	if err := w.load(ctx, p, o.starter); err != nil {
		return nil, errors.Join(err, w.log.Close())
	}
	if err := w.search(ctx, o, scripts); err != nil {
		return nil, errors.Join(err, w.log.Close())
	}
	user, err := p.NewUser(ctx, "attacker")
	if err != nil {
		return nil, errors.Join(err, w.log.Close())
	}
	if w.server, err = p.Start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%w (%s)", err, w.log.Name()), w.log.Close())
	}
	if err := noteHolder(data, w.server.Pid()); err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.key = user.Key
	if w.api, err = client.New(w.server.APIBase(), user.Key); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// newUser returns the same world as another user sees it.
func (w *world) newUser(ctx context.Context, name string) (*world, error) {
	user, err := w.program.NewUser(ctx, name)
	if err != nil {
		return nil, err
	}
	other := *w
	other.key = user.Key
	other.api, err = client.New(w.server.APIBase(), user.Key)
	return &other, err
}

func (w *world) close() error { return errors.Join(w.server.Stop(), w.log.Close()) }

// load loads the images, and imports the starter dataset and its variants.
func (w *world) load(ctx context.Context, p harness.Program, starter string) error {
	if err := p.Prepare(ctx, starter); err != nil {
		return err
	}
	if err := w.read(filepath.Join(starter, "dataset")); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(variants)) {
		dir := filepath.Join(p.DataDir, "variants", name)
		if err := writeVariant(starter, dir, name, variants[name]); err != nil {
			return fmt.Errorf("write the variant %s: %w", name, err)
		}
		if _, err := p.Run(ctx, "dataset", "import", dir); err != nil {
			w.refused[variantDataset(name)] = err // by a program that cannot read its report
			continue
		}
		if err := w.read(dir); err != nil {
			return err
		}
	}
	return w.loadRows(ctx, p, starter)
}

// loadRows imports the samples that are rows of SWE-bench.
func (w *world) loadRows(ctx context.Context, p harness.Program, starter string) error {
	file, name := filepath.Join(p.DataDir, "variants", rowsVariant+".jsonl"), variantDataset(rowsVariant)
	if err := writeRows(starter, file); err != nil {
		return fmt.Errorf("write rows of %s: %w", rowsVariant, err)
	}
	_, refused := p.Run(ctx, "dataset", "import", file, "--format", "swe-bench", "--name", name, "--answers", "operators")
	w.refused[name] = refused // by a program that cannot read it
	folder, _, err := dataset.ReadForeign(dataset.ForeignRequest{Path: file, Format: "swe-bench", Name: name})
	if err != nil {
		return err
	}
	w.take(folder)
	return nil
}

// read reads the samples of a dataset.
func (w *world) read(dir string) error {
	folder, err := dataset.ReadFolder(dir)
	if err != nil {
		return err
	}
	w.take(folder)
	return nil
}

func (w *world) take(folder *dataset.Folder) {
	for _, s := range folder.Samples {
		w.samples[folder.Dataset.Name+"/"+s.ID] = s
	}
}

// sample returns the sample of a script.
func (w *world) sample(s script) (*assay.Sample, error) {
	if err := w.refused[s.dataset()]; err != nil {
		return nil, err
	}
	sample := w.samples[s.dataset()+"/"+s.Sample]
	if sample == nil {
		return nil, fmt.Errorf("there is no sample %s/%s", s.dataset(), s.Sample)
	}
	return sample, nil
}
