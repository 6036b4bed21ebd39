package testreport

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The report of a verifier that is neither a test suite nor a linter; documented in
// docs/dataset-format.md. It is ours, so nothing in it is let pass that is not
// understood.

type assayReader struct {
	*jsonReader
	limits Limits
	report *Report
}

func readAssayJSON(r io.Reader, limits Limits, report *Report) error {
	var schema json.Number
	var solved, said bool
	var reason string
	err := readJSON(r, limits, func(j *jsonReader) error {
		a := &assayReader{j, limits, report}
		err := j.object(jsonFields{
			"schema": scalar(j, &schema),
			"solved": func() error { said = true; return scalar(j, &solved)() },
			"reason": scalar(j, &reason),
			"tests":  a.tests,
		}, j.refuse)
		switch {
		case err != nil:
			return err
		case schema != "1":
			return fmt.Errorf("schema is %q, not 1", clip(schema.String(), 100))
		case !said:
			return errors.New(`"solved" is missing`)
		}
		return nil
	})
	if err != nil {
		return err
	}
	report.Solved, report.Reason = &solved, clip(reason, limits.MaxText)
	report.Complete = true
	return nil
}

func (a *assayReader) tests() error {
	there, err := a.array(a.test)
	if err == nil && !there {
		return errors.New("tests is null")
	}
	return err
}

func (a *assayReader) test() error {
	var status string
	var seconds json.Number
	var res Result
	err := a.object(jsonFields{
		"name":             scalar(a.jsonReader, &res.ID),
		"status":           scalar(a.jsonReader, &status),
		"message":          scalar(a.jsonReader, &res.Message),
		"duration_seconds": scalar(a.jsonReader, &seconds),
	}, a.refuse)
	if err != nil {
		return err
	}
	res.Status = Status(status)
	if res.Status.rank() < 0 {
		return fmt.Errorf("test %q has status %q, not passed, failed, skipped or errored", clip(res.ID, 200), clip(status, 100))
	}
	if seconds != "" {
		f, err := seconds.Float64()
		if err != nil || f < 0 {
			return fmt.Errorf("test %q has duration_seconds %s", clip(res.ID, 200), clip(seconds.String(), 100))
		}
		res.Duration = duration(f)
	}
	_, err = a.report.addTest(res, a.limits)
	return err
}
