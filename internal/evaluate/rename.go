// What this file holds is for samples of which no alteration is known, and goes where some are.

package evaluate

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"assay"
	"assay/internal/steering"
	"assay/internal/testid"
)

// Bounds of the test files in which tests get other names.
const (
	maxRenamedFiles = 2000
	maxRenamedBytes = 64 << 20
)

// renaming gives fail_to_pass tests names that nobody knew before.
type renaming struct {
	language string
	pattern  *regexp.Regexp    // finds the names in a test file
	fresh    map[string]string // by the name they have
	found    map[string]bool   // those that were seen in a test file
}

// newRenaming returns nil when no test has a name that could be found.
func newRenaming(sample *assay.Sample, nonce string) *renaming {
	r := &renaming{language: strings.ToLower(sample.Task.Language), fresh: make(map[string]string), found: make(map[string]bool)}
	var alternatives []string
	for _, id := range sample.FailToPass {
		name, prefix := r.nameOf(id)
		if name == "" || r.fresh[name] != "" {
			continue
		}
		r.fresh[name] = prefix + nonce + strconv.Itoa(len(r.fresh))
		alternatives = append(alternatives, regexp.QuoteMeta(name))
	}
	if len(alternatives) == 0 {
		return nil
	}
	slices.SortFunc(alternatives, func(a, b string) int { return len(b) - len(a) }) // the longest that fits
	names := strings.Join(alternatives, "|")
	if r.quoted() {
		r.pattern = regexp.MustCompile("'(?:" + names + ")'|\"(?:" + names + ")\"|`(?:" + names + ")`")
	} else {
		r.pattern = regexp.MustCompile(`\b(?:` + names + `)\b`)
	}
	return r
}

// quoted tells whether the language's tests are named by strings, not by functions.
func (r *renaming) quoted() bool { return r.language == "javascript" || r.language == "typescript" }

// nameOf returns what a test is called in its file, and what a new name must begin
// with; "" when that cannot be told. A Go fuzz test keeps its name, which its corpus
// lies under.
func (r *renaming) nameOf(id string) (name, prefix string) {
	name = testid.Of(r.language, id).Name
	switch {
	case r.quoted():
		return name, ""
	case r.language == "go":
		for _, prefix := range []string{"Test", "Example"} {
			if strings.HasPrefix(name, prefix) && isWord(name) {
				return name, prefix + "_"
			}
		}
	case r.language == "python" && strings.HasPrefix(name, "test") && isWord(name):
		return name, "test_"
	}
	return "", ""
}

var word = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

func isWord(name string) bool { return word.MatchString(name) }

// text gives the tests in a text their new names.
func (r *renaming) text(text string) string {
	return r.pattern.ReplaceAllStringFunc(text, func(name string) string {
		quote := ""
		if r.quoted() {
			quote, name = name[:1], name[1:len(name)-1]
		}
		r.found[name] = true
		return quote + r.fresh[name] + quote
	})
}

// id returns what a test is called in the reports after its renaming.
func (r *renaming) id(id string) string {
	parts := testid.Of(r.language, id)
	if r.quoted() { // blocks may be among what was renamed
		parts.Outer = slices.Clone(parts.Outer)
		for i, block := range parts.Outer {
			if r.found[block] {
				parts.Outer[i] = r.fresh[block]
			}
		}
	}
	if r.found[parts.Name] {
		parts.Name = r.fresh[parts.Name]
	}
	return parts.String()
}

// sample returns the sample whose tests have their new names.
func (r *renaming) sample(s *assay.Sample) *assay.Sample {
	renamed := *s
	renamed.FailToPass, renamed.PassToPass, renamed.FailToFail = r.ids(s.FailToPass), r.ids(s.PassToPass), r.ids(s.FailToFail)
	renamed.Task.Verifier.Quarantined = r.ids(s.Task.Verifier.Quarantined)
	if !r.quoted() { // it may name tests
		renamed.Task.Verifier.Command = r.pattern.ReplaceAllStringFunc(s.Task.Verifier.Command, func(name string) string {
			if r.found[name] {
				return r.fresh[name]
			}
			return name
		})
	}
	return &renamed
}

func (r *renaming) ids(ids []string) []string {
	renamed := make([]string, len(ids))
	for i, id := range ids {
		renamed[i] = r.id(id)
	}
	return renamed
}

// renameTests gives the restored tests their new names on disk.
func (env *environment) renameTests(ctx context.Context, names *renaming) error {
	var files []string
	err := env.box.List(ctx, env.sample.Task.Workdir, func(name string, mode fs.FileMode) error {
		if rule := env.guard.Rule(name); mode.IsRegular() && rule.Fate == steering.Restored && rule.Kind == steering.KindTest && len(files) < maxRenamedFiles {
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	changed := make(map[string]string)
	var read int
	for _, name := range files {
		content, _, err := env.box.ReadFile(ctx, path.Join(env.sample.Task.Workdir, name), maxLookedAtFile)
		if err != nil {
			continue // too large, or no file: it keeps its names
		}
		if read += len(content); read > maxRenamedBytes {
			break
		}
		if text := names.text(string(content)); text != string(content) {
			changed[name] = text
		}
	}
	env.sample = names.sample(env.sample)
	if len(changed) == 0 {
		return nil
	}
	if err := env.box.ApplyLayer(ctx, env.sample.Task.Workdir, layerOf(changed, 0o644)); err != nil {
		return fmt.Errorf("give the tests other names: %w", err)
	}
	return nil
}
