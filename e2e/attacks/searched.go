package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"assay/e2e/attacks/grid"
	"assay/internal/dataset"
)

// searchedDatasets are the starter dataset and its rows of SWE-bench once more, by form.
// Alterations are searched in these alone, so that what is tried on the others is judged as
// where none are known.
var searchedDatasets = map[grid.Form]string{grid.Starter: "searched", grid.SWEBench: "searched-swe-bench"}

// quick are samples that are searched within a minute or so, by language.
var quick = map[string][]string{
	"go":         {"Masterminds__semver-3.3.1"},
	"javascript": {"fastify__safe-regex2-5.1.1"},
	"python":     {"jpadilla__pyjwt-2.10.1"},
}

// choice says which samples are searched: ids, or a word.
type choice []string

// Set reads ids that are separated by commas, "quick", "all" or "none".
func (c *choice) Set(text string) error {
	if *c = words(text); text == "none" {
		*c = nil
	}
	return nil
}

func (c *choice) String() string { return strings.Join(*c, ",") }

// of returns the ids: of a starter dataset all, or of the quick ones a seeded draw, one of
// each language.
func (c *choice) of(seed uint64, starter string) ([]string, error) {
	switch {
	case slices.Equal(*c, choice{"all"}):
		folder, err := dataset.ReadFolder(filepath.Join(starter, "dataset"))
		if err != nil {
			return nil, err
		}
		var ids []string
		for _, s := range folder.Samples {
			ids = append(ids, s.ID)
		}
		return ids, nil
	case !slices.Equal(*c, choice{"quick"}):
		return *c, nil
	}
	r := rand.New(rand.NewPCG(seed, 0))
	var ids []string
	for _, language := range slices.Sorted(maps.Keys(quick)) {
		ids = append(ids, quick[language][r.IntN(len(quick[language]))])
	}
	return ids, nil
}

// searchedSample is what assay dataset alterations tells of a sample, in numbers.
type searchedSample struct {
	Form     grid.Form `json:"form"`
	SampleID string    `json:"sample_id"`
	Error    string    `json:"error,omitempty"`
	Tests    int       `json:"tests"`
	Altered  int       `json:"altered"`
	Blind    int       `json:"blind"`
	Fresh    int       `json:"fresh"`
	Draws    int       `json:"draws"`
	Runs     int       `json:"runs"`
	Seconds  float64   `json:"seconds"`
	Stored   bool      `json:"stored"` // by an earlier run
}

// needed returns, by form, the samples that scripts are tried on where rounds judge.
func needed(scripts []script) map[grid.Form][]string {
	ids := map[grid.Form][]string{}
	for _, s := range scripts {
		if s.Searched && !slices.Contains(ids[s.form()], s.Sample) {
			ids[s.form()] = append(ids[s.form()], s.Sample)
		}
	}
	return ids
}

// search searches the alterations of the samples that scripts need. What an earlier run found
// in the same data directory, of the same content, is not searched again; a search that was
// ended goes on.
func (w *world) search(ctx context.Context, o options, scripts []script) error {
	ids := needed(scripts)
	if len(ids) == 0 {
		return nil
	}
	if err := w.loadSearched(ctx, o.starter); err != nil {
		return err
	}
	for _, form := range []grid.Form{grid.Starter, grid.SWEBench} {
		if len(ids[form]) == 0 {
			continue
		}
		fmt.Printf("searching %s for alterations\n", searchedDatasets[form])
		found, err := w.alterations(ctx, o, searchedDatasets[form], ids[form])
		if err != nil {
			return fmt.Errorf("search %s: %w", searchedDatasets[form], err)
		}
		for _, s := range found {
			if s.Form = form; s.Altered == 0 {
				return fmt.Errorf("no test of %s/%s can be altered, so that rounds judge nothing: %s", searchedDatasets[form], s.SampleID, s.Error)
			}
			w.found = append(w.found, s)
		}
	}
	slices.SortFunc(w.found, func(a, b searchedSample) int {
		return strings.Compare(a.SampleID+string(a.Form), b.SampleID+string(b.Form))
	})
	return nil
}

// alterations searches samples of a dataset, and shows how that gets on.
func (w *world) alterations(ctx context.Context, o options, dataset string, ids []string) (found []searchedSample, err error) {
	var out bytes.Buffer
	cmd := w.program.Command(ctx, "dataset", "alterations", dataset, "--json", "--workers", strconv.Itoa(o.workers), "--sample", strings.Join(ids, ","))
	if o.fresh {
		cmd.Args = append(cmd.Args, "--fresh")
	}
	cmd.Stdout, cmd.Stderr = &out, os.Stdout
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	failed := noteHolder(w.program.DataDir, cmd.Process.Pid)
	failed = errors.Join(failed, cmd.Wait()) // 1 if a sample cannot be searched; the answer says which, and why
	if err := json.Unmarshal(out.Bytes(), &found); err != nil {
		return nil, errors.Join(failed, err)
	}
	return found, nil
}

// loadSearched imports the datasets that are searched. Nobody knows their answers.
func (w *world) loadSearched(ctx context.Context, starter string) error {
	manifest, err := os.ReadFile(filepath.Join(starter, "dataset", "dataset.yaml"))
	if err != nil {
		return err
	}
	rows, err := os.ReadFile(filepath.Join(starter, "dataset", "samples.jsonl"))
	if err != nil {
		return err
	}
	name, dir := searchedDatasets[grid.Starter], filepath.Join(w.program.DataDir, "variants", "searched")
	manifest = bytes.Replace(manifest, []byte("name: starter\n"), []byte("name: "+name+"\n"), 1)
	if err := writeFolder(dir, manifest, rows); err != nil {
		return err
	}
	if _, err := w.program.Run(ctx, "dataset", "import", dir); err != nil {
		return err
	}
	if err := w.read(dir); err != nil {
		return err
	}
	name = searchedDatasets[grid.SWEBench]
	file := filepath.Join(w.program.DataDir, "variants", rowsVariant+".jsonl")
	if _, err := w.program.Run(ctx, "dataset", "import", file, "--format", "swe-bench", "--name", name); err != nil {
		return err
	}
	folder, _, err := dataset.ReadForeign(dataset.ForeignRequest{Path: file, Format: "swe-bench", Name: name})
	if err != nil {
		return err
	}
	w.take(folder)
	for _, name := range searchedDatasets {
		if _, err := w.program.Run(ctx, "dataset", "set", name, "--known", "private", "--answers", "operators"); err != nil {
			return err
		}
	}
	return nil
}

// feedback says how much is told of verdicts on searched samples. Odds are told only where no
// more than the verdict is, since the output of a suite can print the tests; and alarms only
// where everything is.
func (w *world) feedback(ctx context.Context, feedback string) error {
	for _, name := range searchedDatasets {
		if _, err := w.program.Run(ctx, "dataset", "set", name, "--feedback", feedback); err != nil {
			return err
		}
	}
	return nil
}

// onSearched returns the scripts that can be tried on samples of which alterations are known:
// in both forms, where there are both and the script is of none.
func onSearched(scripts []script, ids []string) (all []script) {
	for _, s := range scripts {
		if !slices.Contains(ids, s.Sample) || s.Variant != "" && s.Variant != rowsVariant {
			continue
		}
		s.Searched = true
		if s.Variant == "" {
			as := s
			as.Name = "rounds/" + s.Name
			all = append(all, as)
		}
		if isVariant(rowsVariant, s.Sample) {
			s.Name, s.Variant = "rounds/rows/"+s.Name, rowsVariant
			all = append(all, s)
		}
	}
	return all
}

// drawScripts returns n of the scripts, each sample in each form before any comes twice; all
// for -1.
func drawScripts(scripts []script, seed uint64, n int) []script {
	if n < 0 || n >= len(scripts) {
		return scripts
	}
	r := rand.New(rand.NewPCG(seed, uint64(len(scripts))))
	shuffled := slices.Clone(scripts)
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	nth, turn := map[string]int{}, map[string]int{}
	for _, s := range shuffled {
		turn[s.Name] = nth[s.Sample+s.Variant]
		nth[s.Sample+s.Variant]++
	}
	slices.SortStableFunc(shuffled, func(a, b script) int { return turn[a.Name] - turn[b.Name] })
	return shuffled[:n]
}

func printSearched(w io.Writer, found []searchedSample) {
	if len(found) == 0 {
		return
	}
	t := table(w)
	fmt.Fprintln(t, "\nsearched\tform\ttests\taltered\tblind\tdraws\tfresh\truns\tseconds\tby an earlier run")
	for _, s := range found {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%.0f\t%t\n", s.SampleID, s.Form, s.Tests, s.Altered, s.Blind, s.Draws, s.Fresh, s.Runs, s.Seconds, s.Stored)
	}
	_ = t.Flush() // to standard output
}
