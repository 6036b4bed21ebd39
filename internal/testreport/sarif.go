package testreport

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// SARIF 2.1.0, docs.oasis-open.org/sarif/sarif/v2.1.0: a log of runs, each with the
// results of a tool. A result refers to rules and files of its run, which may stand
// behind it; so results are kept until their run ends.

type sarifReader struct {
	*jsonReader
	limits Limits
	report *Report
	runs   int
	fault  error // the first thing that keeps the report from being whole
}

func readSARIF(r io.Reader, limits Limits, report *Report) error {
	s := &sarifReader{limits: limits, report: report}
	var version string
	err := readJSON(r, limits, func(j *jsonReader) error {
		s.jsonReader = j
		return j.object(jsonFields{
			"version": scalar(j, &version),
			"runs":    s.readRuns,
			"inlineExternalProperties": func() error {
				s.fail(ErrTruncated, "parts of the log stand in inlineExternalProperties, which are not read")
				return j.skip("")
			},
		}, j.skip)
	})
	switch {
	case err == nil && version != "2.1.0":
		err = fmt.Errorf("version %q, and only 2.1.0 is read", clip(version, 100))
	case err == nil && s.runs == 0:
		err = fmt.Errorf("%w: it has no run", ErrTruncated)
	}
	err = cmp.Or(err, s.fault)
	report.Complete = err == nil
	return err
}

// fail notes what keeps the report from being whole. Reading goes on.
func (s *sarifReader) fail(kind error, what string) {
	s.report.problem(what)
	s.fault = cmp.Or(s.fault, fmt.Errorf("%w: %s", kind, clip(what, 200)))
}

func (s *sarifReader) readRuns() error {
	_, err := s.array(func() error {
		s.runs++
		run := &sarifRun{sarifReader: s, components: make([][]sarifRule, 1)}
		err := run.read()
		return cmp.Or(run.finish(), err)
	})
	return err
}

// sarifRun is a run that is being read.
type sarifRun struct {
	*sarifReader
	components [][]sarifRule // rules: of the driver, then of each extension
	artifacts  []string
	results    []sarifResult
	scanned    bool // it has results, or says that there are none
}

type sarifRule struct {
	id, level string
	messages  map[string]string
}

func (r *sarifRun) read() error {
	err := r.object(jsonFields{
		"tool": func() error {
			return r.object(jsonFields{
				"driver":     func() error { return r.component(0) },
				"extensions": r.extensions,
			}, r.skip)
		},
		"invocations": r.invocations,
		"artifacts":   r.readArtifacts,
		"results":     r.readResults,
		"externalPropertyFileReferences": func() error {
			r.fail(ErrTruncated, "parts of the run stand in other files")
			return r.skip("")
		},
	}, r.skip)
	if err == nil && !r.scanned {
		r.fail(ErrTruncated, "a run without results: the tool did not scan")
	}
	return err
}

func (r *sarifRun) extensions() error {
	_, err := r.array(func() error {
		r.components = append(r.components, nil)
		return r.component(len(r.components) - 1)
	})
	return err
}

// component reads the rules of a tool or of an extension of it.
func (r *sarifRun) component(i int) error {
	return r.object(jsonFields{"rules": func() error {
		_, err := r.array(func() error {
			rule, err := r.rule()
			r.components[i] = append(r.components[i], rule)
			return err
		})
		return err
	}}, r.skip)
}

func (r *sarifRun) rule() (rule sarifRule, err error) {
	err = r.object(jsonFields{
		"id": scalar(r.jsonReader, &rule.id),
		"defaultConfiguration": func() error {
			return r.object(jsonFields{"level": scalar(r.jsonReader, &rule.level)}, r.skip)
		},
		"messageStrings": func() error {
			return r.object(nil, func(name string) error {
				var text string
				err := r.object(jsonFields{"text": scalar(r.jsonReader, &text)}, r.skip)
				if rule.messages == nil {
					rule.messages = map[string]string{}
				}
				rule.messages[name] = text
				return err
			})
		},
	}, r.skip)
	return rule, err
}

// invocations reads what the tool says of its own run.
func (r *sarifRun) invocations() error {
	_, err := r.array(func() error {
		successful := true
		err := r.object(jsonFields{
			"executionSuccessful":            scalar(r.jsonReader, &successful),
			"toolExecutionNotifications":     r.notifications,
			"toolConfigurationNotifications": r.notifications,
		}, r.skip)
		if !successful {
			r.fail(ErrTruncated, "the tool says that its run was not successful")
		}
		return err
	})
	return err
}

func (r *sarifRun) notifications() error {
	_, err := r.array(func() error {
		var level string
		var said sarifMessage
		err := r.object(jsonFields{"level": scalar(r.jsonReader, &level), "message": func() error { return said.read(r) }}, r.skip)
		if level == "error" {
			r.fail(ErrTruncated, "the tool ran into an error: "+said.text)
		}
		return err
	})
	return err
}

func (r *sarifRun) readArtifacts() error {
	_, err := r.array(func() error {
		var at sarifPlace
		err := r.object(jsonFields{"location": func() error { return at.readArtifact(r) }}, r.skip)
		r.artifacts = append(r.artifacts, at.uri)
		return err
	})
	return err
}

func (r *sarifRun) readResults() error {
	there, err := r.array(func() error {
		if len(r.results)+len(r.report.Results) >= r.limits.MaxTests {
			return fmt.Errorf("%w: more than %d findings", ErrTooLarge, r.limits.MaxTests)
		}
		res := sarifResult{rule: -1}
		err := res.read(r)
		if err == nil {
			r.results = append(r.results, res)
		}
		return err
	})
	r.scanned = r.scanned || there
	return err
}

// finish adds the findings of the run to the report.
func (r *sarifRun) finish() error {
	for _, res := range r.results {
		rule := res.lookUp(r.components)
		if !res.isFinding(cmp.Or(res.level, rule.level)) {
			continue
		}
		file, message := res.at.file(r.artifacts), res.message.resolve(rule)
		_, err := r.report.addTest(Result{
			ID:      findingID(cmp.Or(res.ruleID, rule.id), file, message),
			Status:  Failed,
			Message: message,
			Details: place(file, res.at.line.String(), res.at.column.String()),
		}, r.limits)
		if err != nil {
			return err
		}
	}
	return nil
}

// index reads a number that points into an array; -1 if it is none.
func index(n json.Number) int {
	return number(strings.TrimSpace(n.String()))
}
