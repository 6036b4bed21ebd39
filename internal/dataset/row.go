package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"assay"
)

// sampleReader reads samples.jsonl.
type sampleReader struct {
	schema  *jsonschema.Schema
	head    *manifest
	faults  *FaultsError
	lines   map[string]int // where each id was seen
	samples []*assay.Sample
}

// readFile reads all rows. Rows that are wrong go to faults, and the next one is read.
func (rd *sampleReader) readFile(root *os.Root) error {
	f, err := openRegular(root, samplesFile, maxSamplesBytes)
	if err != nil {
		return err
	}
	defer f.Close()
	return eachLine(io.LimitReader(f, maxSamplesBytes), func(n int, line []byte) error {
		if len(rd.lines) >= maxSamples {
			return fmt.Errorf("%s:%d: more than %d samples", samplesFile, n, maxSamples)
		}
		rd.readLine(n, line)
		return nil
	})
}

func (rd *sampleReader) readLine(n int, line []byte) {
	row, fault := decodeRow(line)
	if fault != nil {
		fault.Line = n
		rd.faults.add(*fault)
		return
	}
	if text := withheldOf(row); text != "" {
		rd.faults.add(Fault{File: samplesFile, Line: n, Field: "withheld", Message: "its answers were withheld by the server that it comes from: it cannot be judged"})
		return
	}
	wrong := checkSchema(rd.schema, row)
	for _, sf := range wrong {
		rd.faults.add(Fault{File: samplesFile, Line: n, Field: fieldName(sf.path), Message: sf.message})
	}
	if len(wrong) > 0 {
		return
	}
	r := &rowReader{row: row.(map[string]any)}
	sample := r.sample(rd.head)
	r.faults = append(r.faults, checkSample(sample)...)
	if first, ok := rd.lines[sample.ID]; ok {
		r.fault("instance_id", "%s stands in line %d already", sample.ID, first)
	} else {
		rd.lines[sample.ID] = n
	}
	for _, f := range r.faults {
		f.File, f.Line = samplesFile, n
		rd.faults.add(f)
	}
	if len(r.faults) == 0 {
		rd.samples = append(rd.samples, sample)
	}
}

// decodeRow decodes one line of JSON. Bytes that are not UTF-8 are refused: Go's
// decoder would replace them in silence, and a patch would no longer apply.
func decodeRow(line []byte) (any, *Fault) {
	if at := firstInvalid(line); at >= 0 {
		return nil, &Fault{File: samplesFile, Column: at + 1, Message: fmt.Sprintf("byte 0x%02x is not UTF-8", line[at])}
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	var row any
	if err := dec.Decode(&row); err != nil {
		f := &Fault{File: samplesFile, Message: "not JSON: " + err.Error()}
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			f.Column = int(syntax.Offset)
		} else if errors.Is(err, io.ErrUnexpectedEOF) {
			f.Column, f.Message = len(line), "not JSON: the line ends within the row"
		}
		return nil, f
	}
	if end := dec.InputOffset(); len(bytes.TrimSpace(line[end:])) > 0 {
		return nil, &Fault{File: samplesFile, Column: int(end) + 1, Message: "something follows the row; there is one row a line"}
	}
	return row, nil
}

// withheldOf is what a row says that is not in it; see sampleDocument.
func withheldOf(row any) string {
	columns, _ := row.(map[string]any)
	text, _ := columns["withheld"].(string)
	return text
}

// firstInvalid returns where line stops being UTF-8, -1 if it never does.
func firstInvalid(line []byte) int {
	if utf8.Valid(line) {
		return -1
	}
	at := 0
	for {
		r, size := utf8.DecodeRune(line[at:])
		if r == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
}

// rowReader takes the columns out of a row that fits the schema.
type rowReader struct {
	row    map[string]any
	faults []Fault
}

func (r *rowReader) fault(field, format string, args ...any) {
	r.faults = append(r.faults, Fault{Field: field, Message: fmt.Sprintf(format, args...)})
}

// sample makes a sample of the row. Dataset is set; Version and Latest are the store's.
func (r *rowReader) sample(head *manifest) *assay.Sample {
	s := &assay.Sample{
		Dataset:                head.name,
		ID:                     r.text("instance_id"),
		VersionDescription:     r.text("version_description"),
		Description:            r.text("description"),
		CreatedAt:              r.time("created_at"),
		Repo:                   r.text("repo"),
		BaseCommit:             r.text("base_commit"),
		EnvironmentSetupCommit: r.text("environment_setup_commit"),
		ProblemStatement:       r.text("problem_statement"),
		HintsText:              r.text("hints_text"),
		Patch:                  r.text("patch"),
		NonCodePatch:           r.text("non_code_patch"),
		TestPatch:              r.text("test_patch"),
		FailToPass:             r.tests("fail_to_pass"),
		PassToPass:             r.tests("pass_to_pass"),
		FailToFail:             r.tests("fail_to_fail"),
	}
	task, err := resolveTask(head.defaults, r.text("language"), r.row["assay"])
	if err != nil {
		r.fault("assay", "%v", err)
	}
	s.Task = task
	return s
}

// text returns a column that holds a string; "" for null and for none.
func (r *rowReader) text(column string) string {
	s, _ := r.row[column].(string)
	return s
}

// tests returns a list of test names, each once, in the order of the row. The column is
// written in upper or lower case, as a list or as a string that holds one in JSON.
func (r *rowReader) tests(column string) []string {
	upper := strings.ToUpper(column)
	value, given := r.row[column]
	if v, ok := r.row[upper]; ok {
		if given {
			r.fault(upper, "stands in this row in lower case as well")
		}
		column, value = upper, v
	}
	names := []string{}
	switch v := value.(type) {
	case []any:
		for _, name := range v {
			names = append(names, name.(string))
		}
	case string:
		if strings.TrimSpace(v) == "" {
			break
		}
		if err := json.Unmarshal([]byte(v), &names); err != nil {
			r.fault(column, "the string does not hold a list of strings in JSON: %v", err)
		}
	}
	seen := map[string]bool{}
	unique := names[:0]
	for _, name := range names {
		if !seen[name] {
			seen[name] = true
			unique = append(unique, name)
		}
	}
	return unique
}

// timeLayouts are the ways in which public datasets write a time. Those without a
// zone mean UTC.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02"}

// time returns a column that holds a time, in UTC; the zero time when it holds none.
func (r *rowReader) time(column string) time.Time {
	switch v := r.row[column].(type) {
	case string:
		if v == "" {
			return time.Time{}
		}
		for _, layout := range timeLayouts {
			if t, err := time.Parse(layout, v); err == nil {
				return t.UTC()
			}
		}
		r.fault(column, "%q is not a time: write 2006-01-02T15:04:05Z", v)
	case json.Number:
		ms, err := v.Int64()
		if err != nil {
			r.fault(column, "%s is not a whole number of milliseconds", v)
			break
		}
		t := time.UnixMilli(ms).UTC()
		if y := t.Year(); y < 1970 || y > 9999 {
			r.fault(column, "%s milliseconds since 1970 are no time of this era", v)
			break
		}
		return t
	}
	return time.Time{}
}
