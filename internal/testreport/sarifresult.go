package testreport

import (
	"encoding/json"
	"strconv"
	"strings"
)

// sarifResult is a result of a SARIF run as it is written.
type sarifResult struct {
	ruleID      string
	rule        int // index into the rules of component, -1 if it has none
	component   int // 0 is the driver
	kind, level string
	baseline    string
	message     sarifMessage
	at          sarifPlace // the first one
	suppressed  int        // suppressions that hold
	disputed    int        // suppressions that do not
}

type sarifMessage struct {
	text, id  string
	arguments []string
}

type sarifPlace struct {
	uri          string
	artifact     json.Number
	line, column json.Number
}

func (s *sarifResult) read(r *sarifRun) error {
	var ruleIndex json.Number
	var byReference sarifRuleReference
	err := r.object(jsonFields{
		"ruleId":        scalar(r.jsonReader, &s.ruleID),
		"ruleIndex":     scalar(r.jsonReader, &ruleIndex),
		"rule":          func() error { return byReference.read(r) },
		"kind":          scalar(r.jsonReader, &s.kind),
		"level":         scalar(r.jsonReader, &s.level),
		"baselineState": scalar(r.jsonReader, &s.baseline),
		"message":       func() error { return s.message.read(r) },
		"locations": func() error {
			first := true
			_, err := r.array(func() error {
				if !first {
					return r.skip("")
				}
				first = false
				return s.at.read(r)
			})
			return err
		},
		"suppressions": func() error { return s.readSuppressions(r) },
	}, r.skip)
	s.rule = index(ruleIndex)
	if s.rule < 0 {
		s.rule = index(byReference.index)
	}
	if s.ruleID == "" {
		s.ruleID = byReference.id
	}
	if i := index(byReference.component); i >= 0 {
		s.component = 1 + i
	}
	return err
}

// sarifRuleReference is a reportingDescriptorReference.
type sarifRuleReference struct {
	id               string
	index, component json.Number
}

func (f *sarifRuleReference) read(r *sarifRun) error {
	return r.object(jsonFields{
		"id":    scalar(r.jsonReader, &f.id),
		"index": scalar(r.jsonReader, &f.index),
		"toolComponent": func() error {
			return r.object(jsonFields{"index": scalar(r.jsonReader, &f.component)}, r.skip)
		},
	}, r.skip)
}

// readSuppressions reads by what a result was silenced. A suppression that is under
// review or was rejected silences nothing.
func (s *sarifResult) readSuppressions(r *sarifRun) error {
	_, err := r.array(func() error {
		var status string
		err := r.object(jsonFields{"status": scalar(r.jsonReader, &status)}, r.skip)
		if status == "" || status == "accepted" {
			s.suppressed++
		} else {
			s.disputed++
		}
		return err
	})
	return err
}

func (s *sarifResult) lookUp(components [][]sarifRule) sarifRule {
	if s.component >= len(components) {
		return sarifRule{}
	}
	rules := components[s.component]
	if s.rule >= 0 && s.rule < len(rules) {
		return rules[s.rule]
	}
	for _, rule := range rules {
		if rule.id != "" && rule.id == s.ruleID {
			return rule
		}
	}
	return sarifRule{}
}

// isFinding tells whether a result of a level speaks against the code. One that a
// person has to look at (open, review) does, unless its level says otherwise.
func (s *sarifResult) isFinding(level string) bool {
	switch {
	case s.kind == "pass", s.kind == "notApplicable", s.kind == "informational", level == "none":
		return false
	case s.baseline == "absent": // it was there once
		return false
	}
	return s.suppressed == 0 || s.disputed > 0
}

func (m *sarifMessage) read(r *sarifRun) error {
	return r.object(jsonFields{
		"text": scalar(r.jsonReader, &m.text),
		"id":   scalar(r.jsonReader, &m.id),
		"arguments": func() error {
			_, err := r.array(func() error {
				var argument string
				err := scalar(r.jsonReader, &argument)()
				m.arguments = append(m.arguments, argument)
				return err
			})
			return err
		},
	}, r.skip)
}

// resolve returns the text of a message, which may stand in its rule.
func (m *sarifMessage) resolve(rule sarifRule) string {
	text := m.text
	if text == "" {
		text = rule.messages[m.id]
	}
	if text == "" {
		return m.id
	}
	if len(m.arguments) == 0 {
		return text
	}
	var pairs []string
	for i, argument := range m.arguments {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", argument)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func (p *sarifPlace) read(r *sarifRun) error {
	return r.object(jsonFields{"physicalLocation": func() error {
		return r.object(jsonFields{
			"artifactLocation": func() error { return p.readArtifact(r) },
			"region": func() error {
				return r.object(jsonFields{"startLine": scalar(r.jsonReader, &p.line), "startColumn": scalar(r.jsonReader, &p.column)}, r.skip)
			},
		}, r.skip)
	}}, r.skip)
}

func (p *sarifPlace) readArtifact(r *sarifRun) error {
	return r.object(jsonFields{"uri": scalar(r.jsonReader, &p.uri), "index": scalar(r.jsonReader, &p.artifact)}, r.skip)
}

func (p *sarifPlace) file(artifacts []string) string {
	uri := p.uri
	if i := index(p.artifact); uri == "" && i >= 0 && i < len(artifacts) {
		uri = artifacts[i]
	}
	return uriPath(uri)
}
