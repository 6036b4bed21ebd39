package dataset

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"assay"
	"assay/internal/dataset/foreign"
	"assay/internal/testreport"
)

// ForeignRequest says which dataset of another format to import, and how.
type ForeignRequest struct {
	Path   string // a file of rows, a folder of them, a task folder, or a folder of task folders
	Format string // one of foreign.Formats; "" to recognise it
	// Name names the dataset. Defaults to the last part of Path, in the letters that
	// names may have.
	Name string
	// Set are settings KEY=VALUE, laid over those of each sample: KEY is one of those
	// of "defaults" in dataset.yaml, such as verifier.command. In "image", {image} is
	// the name that the image has otherwise.
	Set []string
	// SkipUnsupported leaves out the rows that Assay could not judge, instead of
	// refusing the dataset.
	SkipUnsupported bool
	// Answers says who reads the answers over the API; "" leaves what is set, as a
	// dataset.yaml that does not say.
	Answers assay.Answers
	// Known says who may know the answers from elsewhere. Defaults to KnownPublic: what is
	// in a format of others was mostly published, and no row says otherwise.
	Known assay.Known
}

// Formats lists the names of the formats of others that are read, sorted.
func Formats() []string { return foreign.Formats() }

// IsFolder tells whether a path is a dataset folder of Assay's own format.
func IsFolder(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, manifestFile))
	return err == nil
}

// ForeignReport tells what became of the rows of a dataset of another format.
type ForeignReport struct {
	Format  string
	Read    int     // rows or task folders
	Skipped []Fault // of rows that were left out: why Assay could not judge them, one a row
	Notes   []string
}

// ReadForeign reads and checks a dataset of another format. The error is a
// *FaultsError, with all that is wrong, when it can be read but is not a dataset that
// Assay could judge.
func ReadForeign(req ForeignRequest) (_ *Folder, _ *ForeignReport, err error) {
	schemas, err := loadSchemas()
	if err != nil {
		return nil, nil, fmt.Errorf("compile the dataset schemas: %w", err)
	}
	name := req.Name
	if name == "" {
		name = nameOf(req.Path)
	}
	if wrong := checkSchema(schemas.dataset, map[string]any{"schema": json.Number("1"), "name": name}); len(wrong) > 0 {
		return nil, nil, assay.Errorf(assay.CodeInvalid, "the dataset cannot be called %q: 1 to 64 of a-z 0-9 . _ -, the first a letter or a digit", name)
	}
	settings, err := parseSettings(schemas.dataset, req.Set)
	if err != nil {
		return nil, nil, err
	}
	language, _ := settings["language"].(string)
	source, err := foreign.Open(req.Path, req.Format, foreign.Options{Dataset: name, Language: language})
	if err != nil {
		return nil, nil, assay.Wrap(err, assay.CodeInvalid, "%s", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	rd := &foreignReader{
		schema:   schemas.sample,
		settings: settings,
		skip:     req.SkipUnsupported,
		faults:   &FaultsError{Dir: req.Path},
		report:   &ForeignReport{Format: source.Format},
		seen:     map[string]string{},
		steps:    foreign.StepsTaken{},
	}
	if err := source.Each(rd.take); err != nil {
		return nil, nil, err
	}
	if err := rd.end(); err != nil {
		return nil, nil, err
	}
	return &Folder{
		Dataset: &assay.Dataset{Name: name, SampleCount: len(rd.samples), Answers: req.Answers, Judging: assay.Judging{Known: cmp.Or(req.Known, assay.KnownPublic)}},
		Samples: rd.samples,
	}, rd.report, nil
}

// ImportForeign reads a dataset of another format and stores it, as Import does.
func (s *Service) ImportForeign(ctx context.Context, req ForeignRequest) (*Import, *ForeignReport, error) {
	folder, report, err := ReadForeign(req)
	if err != nil {
		return nil, nil, err
	}
	done, err := s.storeFolder(ctx, folder)
	return done, report, err
}

var notOfNames = regexp.MustCompile(`[^a-z0-9._-]+`)

// nameOf makes a name for the dataset that lies at a path.
func nameOf(p string) string {
	if whole, err := filepath.Abs(p); err == nil {
		p = whole
	}
	base := strings.ToLower(filepath.Base(p))
	for _, ext := range []string{".jsonl", ".json", ".parquet"} {
		base = strings.TrimSuffix(base, ext)
	}
	return strings.Trim(notOfNames.ReplaceAllString(base, "-"), "._-")
}

// foreignReader checks what rows became.
type foreignReader struct {
	schema   *jsonschema.Schema
	settings map[string]any
	skip     bool
	faults   *FaultsError
	report   *ForeignReport
	seen     map[string]string // where each id stands
	samples  []*assay.Sample

	unjudged int    // rows that are refused because Assay could not judge them
	junk     int    // expected tests whose names are none
	junkIs   string // one of them
	network  int
	stripped int                // samples of whose own commands steps were taken out
	steps    foreign.StepsTaken // and all of these
	laying   int                // samples whose own commands still lay their tests
	layingIs string             // one of them
}

// take takes one row or task folder.
func (rd *foreignReader) take(r *foreign.Record) error {
	if rd.report.Read++; rd.report.Read > maxSamples {
		return fmt.Errorf("%s:%d: more than %d samples", r.File, r.Line, maxSamples)
	}
	at := func(field, message string) Fault {
		return Fault{File: r.File, Line: r.Line, Field: field, Message: message}
	}
	for _, f := range r.Faults {
		rd.faults.add(at(f.Column, f.Message))
	}
	if r.Sample == nil {
		return nil
	}
	command := r.Sample.Task.Verifier.Command
	if err := rd.lay(r.Sample); err != nil {
		return fmt.Errorf("%s:%d: lay settings over it: %w", r.File, r.Line, err)
	}
	if r.Sample.Task.Verifier.Command != command { // the user's own, of which nothing was taken
		r.Steps, r.LaysTests = nil, false
	}
	if v := &r.Sample.Task.Verifier; v.CommandFor == "" {
		v.CommandFor = foreign.CommandFor(v)
	}
	if why := rd.unsupported(r); why != "" {
		f := at("", fmt.Sprintf("%s cannot be judged: %s", r.Sample.ID, why))
		if rd.skip {
			rd.report.Skipped = append(rd.report.Skipped, f)
		} else {
			rd.unjudged++
			rd.faults.add(f)
		}
		return nil
	}
	wrong := checkForeign(r, rd.schema)
	place := fmt.Sprintf("%s:%d", r.File, r.Line)
	if first, ok := rd.seen[r.Sample.ID]; ok {
		wrong = append(wrong, Fault{Field: "instance_id", Message: fmt.Sprintf("%s stands in %s already", r.Sample.ID, first)})
	}
	rd.seen[r.Sample.ID] = place
	for _, f := range wrong {
		rd.faults.add(at(f.Field, f.Message))
	}
	if len(wrong) == 0 {
		rd.samples = append(rd.samples, r.Sample)
		rd.count(r)
	}
	return nil
}

// lay lays the user's settings over those of a sample.
func (rd *foreignReader) lay(s *assay.Sample) error {
	if len(rd.settings) == 0 {
		return nil
	}
	text, err := json.Marshal(s.Task)
	if err != nil {
		return err
	}
	var own map[string]any
	if err := json.Unmarshal(text, &own); err != nil {
		return err
	}
	image := s.Task.Image
	if s.Task, err = resolveTask(own, "", rd.settings); err != nil {
		return err
	}
	s.Task.Image = strings.ReplaceAll(s.Task.Image, "{image}", image)
	return nil
}

// unsupported tells why Assay could not judge a sample in which nothing is wrong; ""
// when it could.
func (rd *foreignReader) unsupported(r *foreign.Record) string {
	s := r.Sample
	for _, report := range s.Task.Verifier.Reports {
		if _, err := testreport.ParseFormat(report.Format); err != nil {
			return fmt.Sprintf("no format of reports stands for %s", report.Format)
		}
	}
	if r.Unsupported != "" {
		return r.Unsupported
	}
	if len(s.FailToPass) == 0 && !decidesItself(s) {
		return "it has no fail_to_pass test, so that nothing tells whether the task is solved"
	}
	return ""
}

// checkForeign tells whether the parts of a sample fit each other, and whether it
// would fit in a folder of Assay's own format.
func checkForeign(r *foreign.Record, schema *jsonschema.Schema) []Fault {
	absent := "is not known: the rows do not say it; give it with --set"
	c := &checker{absent: absent}
	c.sample(r.Sample)
	for i, f := range c.faults {
		if f.Field == "assay.verifier.command" && r.NoCommand != "" {
			c.faults[i].Message = fmt.Sprintf("is not known: %s; give it with --set verifier.command=...", r.NoCommand)
		}
	}
	if len(c.faults) > 0 {
		return c.faults
	}
	text, err := json.Marshal(documentOf(r.Sample))
	if err != nil {
		return []Fault{{Message: err.Error()}}
	}
	row, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return []Fault{{Message: err.Error()}}
	}
	for _, sf := range checkSchema(schema, row) {
		c.fault(fieldName(sf.path), "%s", sf.message)
	}
	return c.faults
}

// count keeps what is worth a note.
func (rd *foreignReader) count(r *foreign.Record) {
	for _, names := range [][]string{r.Sample.FailToPass, r.Sample.PassToPass, r.Sample.FailToFail} {
		for _, name := range names {
			if strings.IndexFunc(name, unicode.IsLetter) < 0 {
				rd.junk++
				rd.junkIs = fmt.Sprintf("%q of %s", name, r.Sample.ID)
			}
		}
	}
	if r.Network && r.Sample.Task.Network == "none" {
		rd.network++
	}
	if len(r.Steps) > 0 {
		rd.stripped++
		rd.steps.Add(r.Steps)
	}
	if r.LaysTests {
		rd.laying++
		rd.layingIs = r.Sample.ID
	}
}

// end tells all that is wrong, or makes the notes.
func (rd *foreignReader) end() error {
	if len(rd.samples) == 0 && len(rd.faults.Faults) == 0 {
		message := "holds no row"
		if n := len(rd.report.Skipped); n > 0 {
			message = fmt.Sprintf("none of the %d rows can be judged; the first: %s", n, rd.report.Skipped[0].Message)
		}
		rd.faults.add(Fault{File: filepath.Base(rd.faults.Dir), Message: message})
	}
	if rd.unjudged > 0 {
		rd.faults.Advice = fmt.Sprintf("%d of %d rows cannot be judged: --skip-unsupported leaves them out", rd.unjudged, rd.report.Read)
	}
	if err := rd.faults.orNil(); err != nil {
		return err
	}
	if rd.junk > 0 {
		rd.report.Notes = append(rd.report.Notes,
			fmt.Sprintf("%d expected tests have names without a letter, such as %s: they may be scraps of a log, and are kept", rd.junk, rd.junkIs))
	}
	if rd.network > 0 {
		rd.report.Notes = append(rd.report.Notes,
			fmt.Sprintf("%d tasks are made for sandboxes that reach the internet, and have none: --set network=full gives them the host's", rd.network))
	}
	if rd.stripped > 0 {
		rd.report.Notes = append(rd.report.Notes,
			fmt.Sprintf("of the commands of %d tasks, steps were taken out that a verification does by itself, or that only print the tree: %s", rd.stripped, rd.steps))
	}
	if rd.laying > 0 {
		rd.report.Notes = append(rd.report.Notes,
			fmt.Sprintf("the commands of %d tasks, such as %s, handle their tests in a way that is not known, and still lay them themselves", rd.laying, rd.layingIs))
	}
	return nil
}
