// What this file holds is for samples of which no alteration is known, and goes where some are.

package evaluate

import (
	"context"
	"crypto/rand"
	"fmt"
	"path"
	"strings"

	"assay"
)

// newNonce is a word that nobody guesses. It begins with a letter, so that it names
// a function in any language.
func newNonce() string { return "n" + strings.ToLower(rand.Text()) }

// layCanaries lays the tests that must be seen to fail.
func (env *environment) layCanaries(ctx context.Context) error {
	files := make(map[string]string)
	for _, c := range env.sample.Task.Verifier.Canaries {
		name := env.withNonce(c.Path)
		if _, known := files[name]; !known {
			content, _, err := env.box.ReadFile(ctx, path.Join(env.sample.Task.Workdir, name), maxCanaryFile)
			if err != nil && !isNoFile(err) {
				return fmt.Errorf("read %s, to lay a canary: %w", name, err)
			}
			files[name] = string(content)
			env.isLaid(name)
		}
		files[name] += env.withNonce(c.Text)
	}
	if len(files) == 0 {
		return nil
	}
	if err := env.box.ApplyLayer(ctx, env.sample.Task.Workdir, layerOf(files, 0o644)); err != nil {
		return fmt.Errorf("lay the canaries: %w", err)
	}
	return nil
}

// maxCanaryFile bounds a file that a canary is appended to, in bytes.
const maxCanaryFile = 16 << 20

// canaries returns the ids of the tests that must be seen to fail.
func (env *environment) canaries() []string {
	var ids []string
	for _, c := range env.sample.Task.Verifier.Canaries {
		ids = append(ids, env.withNonce(c.ID))
	}
	return ids
}

func (env *environment) withNonce(text string) string {
	return strings.ReplaceAll(text, assay.NoncePlaceholder, env.nonce)
}
