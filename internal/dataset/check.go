package dataset

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"assay"
	"assay/internal/narrow"
	"assay/internal/patch"
	"assay/internal/testreport"
)

// checkSample tells what a schema cannot: whether the parts of a sample fit each other.
func checkSample(s *assay.Sample) []Fault {
	c := &checker{absent: "is not given, neither here nor in the defaults of " + manifestFile}
	c.sample(s)
	return c.faults
}

type checker struct {
	absent string // what is said of a setting that is missing
	faults []Fault
}

func (c *checker) sample(s *assay.Sample) {
	c.patches(s)
	c.lists(s)
	c.task(s)
}

// decidesItself tells of samples whose verifier tells by itself whether the task is
// solved: they need no lists of tests, and their reference fix may be no patch.
func decidesItself(s *assay.Sample) bool { return s.Task.Verifier.Kind == assay.VerifierCustom }

func (c *checker) fault(field, format string, args ...any) {
	c.faults = append(c.faults, Fault{Field: field, Message: fmt.Sprintf(format, args...)})
}

func (c *checker) patches(s *assay.Sample) {
	if s.Patch == "" && s.NonCodePatch == "" && !decidesItself(s) {
		c.fault("patch", "is empty, and so is non_code_patch: there is no reference fix")
	}
	for _, p := range []struct{ field, text string }{
		{"patch", s.Patch},
		{"non_code_patch", s.NonCodePatch},
		{"test_patch", s.TestPatch},
	} {
		if p.text == "" {
			continue
		}
		if _, err := patch.Parse(p.text); err != nil {
			c.fault(p.field, "%v", err)
		}
	}
}

func (c *checker) lists(s *assay.Sample) {
	if len(s.FailToPass) == 0 && !decidesItself(s) {
		c.fault("fail_to_pass", "is empty: nothing could tell whether the task is solved")
	}
	in := map[string]string{}
	for _, l := range []struct {
		field string
		names []string
	}{
		{"fail_to_pass", s.FailToPass},
		{"pass_to_pass", s.PassToPass},
		{"fail_to_fail", s.FailToFail},
	} {
		for _, test := range l.names {
			if test == "" {
				c.fault(l.field, "holds an empty name")
			} else if other := in[test]; other != "" {
				c.fault(l.field, "%q stands in %s as well", test, other)
			}
			in[test] = l.field
		}
	}
	if !gradesFix(s.FailToPass, s.Task.Verifier.Quarantined) {
		c.fault("assay.verifier.quarantined", "holds all of fail_to_pass: nothing could tell whether the task is solved")
	}
}

func (c *checker) task(s *assay.Sample) {
	t := s.Task
	if t.Image == "" {
		c.fault("assay.image", "%s", c.absent)
	} else if ref := t.ImageFor(s.Dataset, s.ID); strings.ContainsAny(ref, "{}") {
		c.fault("assay.image", "%q has a placeholder other than {dataset}, {instance_id} and {language}", t.Image)
	} else if _, err := name.ParseReference(ref); err != nil {
		c.fault("assay.image", "%v", err)
	}
	if t.Workdir == "" {
		c.fault("assay.workdir", "%s", c.absent)
	} else if !path.IsAbs(t.Workdir) || path.Clean(t.Workdir) != t.Workdir || t.Workdir == "/" {
		c.fault("assay.workdir", "%q is not an absolute, clean path below /", t.Workdir)
	}
	if t.Language == "" {
		c.fault("language", "%s", c.absent)
	}
	for key := range t.Env {
		if strings.HasPrefix(key, "ASSAY_") {
			c.fault("assay.env."+key, "names that start with ASSAY_ are set by the server")
		}
	}
	c.verifier(t.Verifier)
}

func (c *checker) verifier(v assay.Verifier) {
	if v.Command == "" {
		c.fault("assay.verifier.command", "%s", c.absent)
	}
	if v.CommandFor != "" {
		if err := narrow.Check(v.CommandFor); err != nil {
			c.fault("assay.verifier.command_for", "%v", err)
		}
	}
	if len(v.Reports) == 0 {
		c.fault("assay.verifier.reports", "%s", c.absent)
	}
	for i, r := range v.Reports {
		field := fmt.Sprintf("assay.verifier.reports[%d]", i)
		if err := checkReportPath(r.Path); err != nil {
			c.fault(field+".path", "%v", err)
		}
		if _, err := testreport.ParseFormat(r.Format); err != nil {
			c.fault(field+".format", "%v", err)
		}
	}
	for i, canary := range v.Canaries {
		if !filepath.IsLocal(canary.Path) || path.Clean(canary.Path) != canary.Path {
			c.fault(fmt.Sprintf("assay.verifier.canaries[%d].path", i), "%q is not a clean path below the work tree", canary.Path)
		}
	}
}

// checkReportPath accepts "-", "{reports}/NAME", a path below the work tree and an
// absolute one, with wildcards within a component.
func checkReportPath(p string) error {
	if p == "-" {
		return nil
	}
	rest := p
	if strings.HasPrefix(p, assay.ReportsPlaceholder) {
		var ok bool
		if rest, ok = strings.CutPrefix(p, assay.ReportsPlaceholder+"/"); !ok {
			return fmt.Errorf("%q names no file in %s", p, assay.ReportsPlaceholder)
		}
	}
	if rest == "" || path.IsAbs(rest) && rest != p || path.Clean(rest) != rest || rest == "/" || rest == ".." || strings.HasPrefix(rest, "../") {
		return fmt.Errorf("%q is not a clean path below %s, / or the work tree, nor \"-\"", p, assay.ReportsPlaceholder)
	}
	if _, err := path.Match(rest, ""); err != nil {
		return fmt.Errorf("%q: %w", p, err)
	}
	return nil
}
