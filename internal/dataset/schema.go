package dataset

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// The JSON Schemas (draft 2020-12) of the two files of a dataset folder.
//
//go:embed schema/dataset.schema.json schema/sample.schema.json
var schemaFiles embed.FS

// schemas are the compiled schemas.
type schemas struct {
	dataset *jsonschema.Schema
	sample  *jsonschema.Schema
}

// loadSchemas compiles the embedded schemas, once. They are part of the program:
// one that does not compile is a bug, which any test finds.
var loadSchemas = sync.OnceValues(func() (*schemas, error) {
	c := jsonschema.NewCompiler()
	for url, name := range map[string]string{
		"urn:assay:dataset": "schema/dataset.schema.json",
		"urn:assay:sample":  "schema/sample.schema.json",
	} {
		text, err := schemaFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		if err := c.AddResource(url, doc); err != nil {
			return nil, fmt.Errorf("add %s: %w", name, err)
		}
	}
	ds, err := c.Compile("urn:assay:dataset")
	if err != nil {
		return nil, err
	}
	sample, err := c.Compile("urn:assay:sample")
	if err != nil {
		return nil, err
	}
	return &schemas{dataset: ds, sample: sample}, nil
})

// schemaFault is one way in which a value does not fit its schema.
type schemaFault struct {
	path    []string // of the value
	message string
}

// checkSchema returns every way in which value does not fit schema, by path.
func checkSchema(schema *jsonschema.Schema, value any) []schemaFault {
	err := schema.Validate(value)
	if err == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return []schemaFault{{message: err.Error()}}
	}
	faults := flatten(invalid, message.NewPrinter(language.English), nil)
	slices.SortStableFunc(faults, func(a, b schemaFault) int { return slices.Compare(a.path, b.path) })
	return faults
}

// flatten collects the leaves of a tree of faults: the inner nodes only say that
// something below them is wrong.
func flatten(e *jsonschema.ValidationError, p *message.Printer, faults []schemaFault) []schemaFault {
	if _, ok := e.ErrorKind.(*kind.AnyOf); ok {
		var options []string
		for _, f := range leaves(e.Causes, p) {
			options = append(options, f.message)
		}
		return append(faults, schemaFault{e.InstanceLocation, strings.Join(options, " or ")})
	}
	if len(e.Causes) == 0 {
		return append(faults, schemaFault{e.InstanceLocation, shorten(e.ErrorKind.LocalizedString(p))})
	}
	return append(faults, leaves(e.Causes, p)...)
}

func leaves(causes []*jsonschema.ValidationError, p *message.Printer) []schemaFault {
	var faults []schemaFault
	for _, c := range causes {
		faults = flatten(c, p, faults)
	}
	return faults
}

// shorten keeps a message that quotes a value of the row to one readable line.
func shorten(s string) string {
	const limit = 300
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit/2], "") + " ... " + strings.ToValidUTF8(s[len(s)-limit/2:], "")
}

// fieldName writes a path as a person would: a.b[0].c.
func fieldName(path []string) string {
	var b strings.Builder
	for _, p := range path {
		if _, err := strconv.Atoi(p); err == nil {
			b.WriteString("[" + p + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(p)
	}
	return b.String()
}
