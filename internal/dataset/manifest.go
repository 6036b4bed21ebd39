package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"assay"
)

// manifest is what dataset.yaml says.
type manifest struct {
	name        string
	description string
	answers     assay.Answers  // "" when it does not say
	judging     assay.Judging  // what it says of it
	defaults    map[string]any // as JSON decodes it; samples are laid over it
}

// readManifest reads dataset.yaml. What is wrong in it goes to faults; the error is
// about reading.
func readManifest(root *os.Root, schema *jsonschema.Schema, faults *FaultsError) (*manifest, error) {
	f, err := openRegular(root, manifestFile, maxManifestBytes)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxManifestBytes))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", manifestFile, err)
	}

	var doc yaml.Node
	var value any
	if err := decodeYAML(text, &doc, &value); err != nil {
		addYAMLFaults(err, faults)
		return &manifest{}, nil
	}
	for _, sf := range checkSchema(schema, value) {
		line, column := locate(&doc, sf.path)
		faults.add(Fault{manifestFile, line, column, fieldName(sf.path), sf.message})
	}
	if len(faults.Faults) > 0 {
		return &manifest{}, nil
	}
	m := value.(map[string]any)
	head := &manifest{name: m["name"].(string)}
	head.description, _ = m["description"].(string)
	if answers, ok := m["answers"].(string); ok {
		head.answers = assay.Answers(answers)
	}
	if head.judging, err = judgingOf(m); err != nil {
		faults.add(Fault{File: manifestFile, Message: err.Error()})
	}
	head.defaults, _ = m["defaults"].(map[string]any)
	return head, nil
}

// judgingOf takes what a document that fits the schema says of judging.
func judgingOf(document map[string]any) (j assay.Judging, err error) {
	text, err := json.Marshal(document)
	if err != nil {
		return j, err
	}
	if err := json.Unmarshal(text, &j); err != nil {
		return j, err
	}
	return j, j.Validate()
}

// decodeYAML reads a document both as nodes, which know their lines, and as the value
// that the same document in JSON would be.
func decodeYAML(text []byte, doc *yaml.Node, value *any) error {
	if err := yaml.Unmarshal(text, doc); err != nil {
		return err
	}
	var v any
	if err := doc.Decode(&v); err != nil { // also tells of keys given twice
		return err
	}
	asJSON, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("yaml: not a document that JSON could express: %w", err)
	}
	*value, err = jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	return err
}

// yamlLine matches how the YAML library names a line.
var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)

func addYAMLFaults(err error, faults *FaultsError) {
	messages := []string{err.Error()}
	var several *yaml.TypeError
	if errors.As(err, &several) {
		messages = several.Errors
	}
	for _, msg := range messages {
		line := 0
		if m := yamlLine.FindStringSubmatch(msg); m != nil {
			line, _ = strconv.Atoi(m[1])
			msg = msg[len(m[0]):]
		}
		faults.add(Fault{File: manifestFile, Line: line, Message: strings.TrimPrefix(msg, "yaml: ")})
	}
}

// locate returns where the value at path stands, or the closest one around it that
// is there.
func locate(n *yaml.Node, path []string) (line, column int) {
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n = n.Content[0]
	}
	for _, p := range path {
		next := child(n, p)
		if next == nil {
			break
		}
		n = next
	}
	return n.Line, n.Column
}

func child(n *yaml.Node, name string) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch n.Kind {
	case yaml.MappingNode:
		for pair := range slices.Chunk(n.Content, 2) {
			if pair[0].Value == name {
				return pair[1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(name); err == nil && i < len(n.Content) {
			return n.Content[i]
		}
	}
	return nil
}
