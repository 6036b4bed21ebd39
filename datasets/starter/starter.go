// Package starter is the dataset that ships: recipes for real bugs whose sources
// come, at build time, from package registries by name, exact version and
// checksum. It holds no third-party code and no patch text.
//
// A recipe is three files in recipes/: ID.yaml is written by a person, ID.tests.json
// is recorded by running, ID.package-lock.json pins the test dependencies of an npm
// package. The program in build/ turns recipes into OCI images and a dataset folder.
package starter

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
)

// Files are the recipes, the Dockerfiles and the builder's own source: all that
// decides what a build makes.
//
//go:embed *.go recipes images build/*.go
var Files embed.FS

// Fingerprint hashes the named files of Files, in any order, with their names.
func Fingerprint(names ...string) (string, error) {
	names = slices.Clone(names)
	slices.Sort(names)
	sum := sha256.New()
	for _, name := range names {
		data, err := Files.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("fingerprint %s: %w", name, err)
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(data), data)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Glob returns the names in Files that match one of the patterns, sorted.
func Glob(patterns ...string) ([]string, error) {
	var names []string
	for _, pattern := range patterns {
		match, err := fs.Glob(Files, pattern)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", pattern, err)
		}
		names = append(names, match...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
