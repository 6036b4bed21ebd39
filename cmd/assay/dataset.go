package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/alecthomas/kong"

	"assay"
	"assay/internal/dataset"
)

type datasetImportCmd struct {
	localFlags
	Path            string   `arg:"" help:"Folder with dataset.yaml and samples.jsonl; or a dataset of another format."`
	Format          string   `help:"Format of the dataset, where it is not recognised: ${formats}."`
	Name            string   `help:"Name that a dataset of another format gets; by default that of the file or folder."`
	Set             []string `sep:"none" placeholder:"KEY=VALUE" help:"Setting to lay over those of each sample, such as image=TEMPLATE or verifier.command=...; of another format only."`
	SkipUnsupported bool     `help:"Leave out the rows of another format that cannot be judged, and list them."`
	Answers         string   `enum:",public,users,operators" default:"" placeholder:"public|users|operators" help:"Who reads the answers of a dataset of another format over the API, unless it is set already (users)."`
	Known           string   `enum:",public,private" default:"" placeholder:"public|private" help:"Who may know the answers of a dataset of another format from elsewhere: anybody, or nobody who is judged (public)."`
	JSON            bool     `name:"json" help:"Print JSON."`
}

func (*datasetImportCmd) Help() string {
	return `Checks the dataset, tells everything that is wrong in it, and stores all of it or nothing. Doing it again changes
nothing; a changed sample becomes a new version, and sessions keep theirs. docs/dataset-format.md defines the
format of folders with dataset.yaml.

    assay dataset import datasets/mine

Datasets of other formats are files of rows (.jsonl, .json, .parquet), folders of them, and task folders.
docs/datasets.md says what becomes of each. Images are named, not built.

    assay dataset import SWE-bench_Verified.parquet --name verified
    assay dataset import python.jsonl --set image=registry.example/codeset/{image}
    assay dataset import terminal-bench-2/tasks --name terminal-bench-2 --skip-unsupported`
}

// importedDataset is what dataset import --json prints.
type importedDataset struct {
	Dataset   string          `json:"dataset"`
	Format    string          `json:"format"` // assay, or that of others
	Samples   int             `json:"samples"`
	Added     int             `json:"added"`
	Changed   int             `json:"changed"`
	Unchanged int             `json:"unchanged"`
	Removed   int             `json:"removed"`
	Answers   assay.Answers   `json:"answers"` // who reads them over the API
	Changes   []changedSample `json:"changes"`
	Skipped   []string        `json:"skipped"` // rows that were left out, each with its place and the reason
	Notes     []string        `json:"notes"`
}

type changedSample struct {
	SampleID    string `json:"sample_id"`
	FromVersion int    `json:"from_version"` // 0: new
	ToVersion   int    `json:"to_version"`   // 0: removed
}

func (c *datasetImportCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	own := dataset.IsFolder(c.Path) && (c.Format == "" || c.Format == ownFormat)
	if own && (c.Name != "" || len(c.Set) > 0 || c.SkipUnsupported || c.Answers != "" || c.Known != "") {
		return usageError{fmt.Errorf("%s has a dataset.yaml, which says all that --name, --set, --answers, --known and --skip-unsupported would", c.Path)}
	}
	a, err := c.open(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	report := &dataset.ForeignReport{Format: ownFormat}
	var got *dataset.Import
	if own || c.Format == ownFormat {
		got, err = a.Datasets.Import(ctx, c.Path)
	} else {
		got, report, err = a.Datasets.ImportForeign(ctx, dataset.ForeignRequest{
			Path: c.Path, Format: c.Format, Name: c.Name, Set: c.Set, SkipUnsupported: c.SkipUnsupported, Answers: assay.Answers(c.Answers), Known: assay.Known(c.Known),
		})
	}
	if err != nil {
		return err
	}
	d, err := a.Datasets.Dataset(ctx, got.Dataset)
	if err != nil {
		return err
	}
	all := append(notes(got, report), assuranceNotes(d)...)
	if c.JSON {
		return writeJSON(std.out, importedJSON(got, report, all))
	}
	return printImport(std.out, got, report, all)
}

// ownFormat is the name of the format of folders with dataset.yaml.
const ownFormat = "assay"

func importedJSON(got *dataset.Import, report *dataset.ForeignReport, all []string) importedDataset {
	out := importedDataset{
		Dataset: got.Dataset, Format: report.Format, Samples: got.Samples,
		Added: got.Added, Changed: got.Changed, Unchanged: got.Unchanged, Removed: got.Removed, Answers: got.Answers,
		Changes: []changedSample{}, Skipped: []string{}, Notes: []string{},
	}
	for _, ch := range got.Changes {
		out.Changes = append(out.Changes, changedSample{ch.ID, ch.From, ch.To})
	}
	for _, row := range report.Skipped {
		out.Skipped = append(out.Skipped, row.String())
	}
	out.Notes = append(out.Notes, all...)
	return out
}

// notes are those of the import and of what operators set otherwise.
func notes(got *dataset.Import, report *dataset.ForeignReport) []string {
	all := slices.Clone(report.Notes)
	if got.Overruled != "" {
		all = append(all, fmt.Sprintf("its answers stay for %s, as an operator set it, and not for %s", got.Answers, got.Overruled))
	}
	all = append(all, got.Unheard...)
	return all
}

// assuranceNotes say what verdicts on a dataset are worth as it is.
func assuranceNotes(d *assay.Dataset) (all []string) {
	if left := d.SampleCount - d.Alterations.Altered; left > 0 {
		all = append(all, fmt.Sprintf("verdicts on %d of %d samples are uncontrolled: no alterations of their tests are known; a server searches those that are used while it is idle, and assay dataset alterations %s all",
			left, d.SampleCount, d.Name))
	}
	if d.Judging.Fresh == assay.FreshRequire { // who knows the answers knows nothing of those
		return all
	}
	for _, why := range []struct {
		holds bool
		text  string
	}{
		{d.Answers == assay.AnswersPublic || d.Answers == assay.AnswersUsers, "its answers are open to its users (assay dataset set " + d.Name + " --answers operators)"},
		{d.Judging.Known == assay.KnownPublic, "its answers are known to the public"},
		{d.Judging.Feedback != assay.FeedbackVerdict, "its users are told what the tests say, unless their keys are made with --feedback verdict"},
	} {
		if why.holds {
			return append(all, "verdicts are at most controlled: "+why.text)
		}
	}
	return all
}

func printImport(w io.Writer, got *dataset.Import, report *dataset.ForeignReport, all []string) error {
	for _, change := range got.Changes {
		fmt.Fprintln(w, change)
	}
	for _, row := range report.Skipped {
		fmt.Fprintln(w, "left out", row)
	}
	for _, note := range all {
		fmt.Fprintln(w, "note:", note)
	}
	_, err := fmt.Fprintf(w, "%s: %d samples: %d added, %d changed, %d unchanged, %d removed",
		got.Dataset, got.Samples, got.Added, got.Changed, got.Unchanged, got.Removed)
	if err == nil && len(report.Skipped) > 0 {
		_, err = fmt.Fprintf(w, "; %d of %d rows left out", len(report.Skipped), report.Read)
	}
	if err == nil {
		_, err = fmt.Fprintln(w)
	}
	return err
}

type datasetListCmd struct {
	localFlags
	JSON bool `name:"json" help:"Print JSON."`
}

// listedDataset is a dataset in the output for programs.
type listedDataset struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	SampleCount int    `json:"sample_count"`
	CreatedAt   string `json:"created_at"`

	Answers assay.Answers `json:"answers"` // who reads them over the API
	Judging listedJudging `json:"judging"` // in force

	ValidatedAt  *time.Time `json:"validated_at"` // null while a sample is not validated
	GoldPassRate *float64   `json:"gold_pass_rate"`
	FlakySamples *int       `json:"flaky_samples"`

	Alterations *listedAlterations `json:"alterations"` // null while nothing was searched
}

// listedAlterations are the numbers of what is known of alterations, as GET /datasets tells
// them.
type listedAlterations struct {
	Searched     int     `json:"searched"`
	Samples      int     `json:"samples"`
	BlindSamples int     `json:"blind_samples"`
	MedianOdds   float64 `json:"median_odds"`
}

func listed(d *assay.Dataset) listedDataset {
	out := listedDataset{
		Name: d.Name, Description: d.Description, SampleCount: d.SampleCount, CreatedAt: d.CreatedAt.UTC().Format("2006-01-02T15:04:05Z"),
		Answers: d.Answers, Judging: listedJudging(d.Judging),
		ValidatedAt: d.ValidatedAt(), GoldPassRate: d.GoldPassRate(), FlakySamples: d.FlakySamples(),
	}
	if a := d.Alterations; a.Searched > 0 {
		out.Alterations = &listedAlterations{a.Searched, a.Altered, a.Blind, *a.MedianOdds()}
	}
	return out
}

// blindSamples shows how many samples are blind, of those that were searched.
func blindSamples(d *assay.Dataset) string {
	if d.Alterations.Searched == 0 {
		return dash("")
	}
	return fmt.Sprintf("%d of %d", d.Alterations.Blind, d.Alterations.Searched)
}

func (c *datasetListCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	a, err := c.openExisting(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	datasets, err := a.Datasets.Datasets(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		out := []listedDataset{}
		for _, d := range datasets {
			out = append(out, listed(d))
		}
		return writeJSON(std.out, out)
	}
	t := newTable(std.out, "NAME", "SAMPLES", "SINCE", "VALIDATED", "GOLD", "FLAKY", "BLIND", "ROUNDS", "FEEDBACK", "KNOWN", "ANSWERS", "DESCRIPTION")
	for _, d := range datasets {
		t.row(d.Name, strconv.Itoa(d.SampleCount), when(d.CreatedAt), whenever(d.ValidatedAt()), percent(d.GoldPassRate()), number(d.FlakySamples()), blindSamples(d),
			strconv.Itoa(d.Judging.Rounds), string(d.Judging.Feedback), string(d.Judging.Known), string(d.Answers), d.Description)
	}
	return t.flush()
}
