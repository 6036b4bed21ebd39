package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"assay"
)

// parseSettings reads settings KEY=VALUE, where KEY is a path of "defaults" in
// dataset.yaml, such as verifier.timeout_seconds, and VALUE is written as there. A
// setting that the schema takes as text is text, whatever else it may look like.
func parseSettings(schema *jsonschema.Schema, settings []string) (map[string]any, error) {
	all := map[string]any{}
	for _, setting := range settings {
		key, text, ok := strings.Cut(setting, "=")
		if !ok || key == "" {
			return nil, assay.Errorf(assay.CodeInvalid, "setting %q is not of the form KEY=VALUE", setting)
		}
		one, err := parseSetting(schema, key, text)
		if err != nil {
			return nil, assay.Errorf(assay.CodeInvalid, "setting %s: %s", key, err)
		}
		all = overlay(all, one)
	}
	return all, nil
}

// parseSetting returns the objects that a path leads through, with the value in the
// innermost.
func parseSetting(schema *jsonschema.Schema, key, text string) (map[string]any, error) {
	var value any = text
	fits := func() error {
		nested := nest(key, value)
		wrong := checkSchema(schema, map[string]any{"schema": json.Number("1"), "name": "any", "defaults": nested})
		if len(wrong) > 0 {
			return fmt.Errorf("%s", wrong[0].message)
		}
		return nil
	}
	err := fits()
	if err == nil {
		return nest(key, value), nil
	}
	var v any
	if yaml.Unmarshal([]byte(text), &v) != nil {
		return nil, err
	}
	asJSON, jsonErr := json.Marshal(v)
	if jsonErr != nil {
		return nil, err
	}
	if value, jsonErr = jsonschema.UnmarshalJSON(bytes.NewReader(asJSON)); jsonErr != nil {
		return nil, err
	}
	if err := fits(); err != nil {
		return nil, err
	}
	return nest(key, value), nil
}

func nest(key string, value any) map[string]any {
	parts := strings.Split(key, ".")
	for i := len(parts) - 1; i > 0; i-- {
		value = map[string]any{parts[i]: value}
	}
	return map[string]any{parts[0]: value}
}
