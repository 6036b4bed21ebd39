package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"

	"assay"
)

// DefaultVerifierTimeout is the verifier's timeout, in seconds, of a sample that
// names none.
const DefaultVerifierTimeout = 1800

// resolveTask lays a sample's own settings over the defaults of its dataset: first the
// language column of the row, then its "assay" object.
func resolveTask(defaults map[string]any, language string, own any) (assay.Task, error) {
	merged := defaults
	if language != "" {
		merged = overlay(merged, map[string]any{"language": language})
	}
	if o, ok := own.(map[string]any); ok {
		merged = overlay(merged, o)
	}
	task := assay.Task{
		Network:  "none",
		Grading:  assay.GradingSWEBench,
		Verifier: assay.Verifier{Kind: assay.VerifierTestSuite, TimeoutSeconds: DefaultVerifierTimeout},
	}
	text, err := json.Marshal(merged)
	if err != nil {
		return task, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields() // the schema knows the same fields; a test holds them together
	if err := dec.Decode(&task); err != nil {
		return task, fmt.Errorf("read the task: %w", err)
	}
	return task, nil
}

// overlay returns base with top laid over it: objects merge, all else replaces. It
// changes neither.
func overlay(base, top map[string]any) map[string]any {
	merged := maps.Clone(base)
	if merged == nil {
		merged = map[string]any{}
	}
	for key, v := range top {
		below, isMap := merged[key].(map[string]any)
		above, both := v.(map[string]any)
		if isMap && both {
			v = overlay(below, above)
		}
		merged[key] = v
	}
	return merged
}
