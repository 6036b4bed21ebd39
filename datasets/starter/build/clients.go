package main

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"assay/datasets/starter"
)

// clients fetches from registries through their ordinary clients. Everything that
// arrives is compared with a checksum that a recipe or a pin names.
type clients struct {
	cache string // downloads, by checksum
}

// source lays the files of a release into dir.
func (c clients) source(ctx context.Context, r starter.Recipe, release starter.Release, dir string) error {
	switch r.Language {
	case starter.Go:
		module, err := c.goModule(ctx, r.Package, release)
		if err != nil {
			return err
		}
		return copyTree(module, dir)
	case starter.Python:
		sdist, err := c.sdist(ctx, r.Package, release)
		if err != nil {
			return err
		}
		return unpack(sdist, dir)
	default:
		tarball, err := c.npmTarball(ctx, r.Package, release)
		if err != nil {
			return err
		}
		return unpack(tarball, dir)
	}
}

// goModule downloads a module into this machine's module cache and returns its
// read-only directory there.
func (c clients) goModule(ctx context.Context, module string, release starter.Release) (string, error) {
	dir, err := c.scratch()
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	cmd := client(ctx, dir, "go", "mod", "download", "-json", module+"@"+release.Version)
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS=")
	out, err := output(cmd)
	if err != nil {
		return "", err
	}
	var got struct{ Dir, Sum, Error string }
	if err := json.Unmarshal(out, &got); err != nil {
		return "", fmt.Errorf("read go mod download's answer: %w", err)
	}
	if got.Error != "" {
		return "", fmt.Errorf("download %s@%s: %s", module, release.Version, got.Error)
	}
	return got.Dir, sameSum(module, release, got.Sum)
}

// sdist downloads a source distribution. pip checks the hash before it runs the
// package's build backend for its metadata, which "download" does even without
// dependencies.
func (c clients) sdist(ctx context.Context, name string, release starter.Release) (string, error) {
	return c.download(name, release, func(dir string) *exec.Cmd {
		pin := fmt.Sprintf("%s==%s --hash=%s\n", name, release.Version, release.Checksum)
		requirements := filepath.Join(dir, "requirements.txt")
		if err := os.WriteFile(requirements, []byte(pin), 0o644); err != nil {
			return failing(err)
		}
		return client(ctx, dir, "pip3", "download", "--disable-pip-version-check", "--no-deps", "--require-hashes",
			"--no-binary", name, "--requirement", requirements)
	})
}

// npmTarball downloads a package as npm published it.
func (c clients) npmTarball(ctx context.Context, name string, release starter.Release) (string, error) {
	return c.download(name, release, func(dir string) *exec.Cmd {
		return client(ctx, dir, "npm", "pack", "--ignore-scripts", "--silent", name+"@"+release.Version)
	})
}

// failing is a command whose run fails with err.
func failing(err error) *exec.Cmd { return &exec.Cmd{Err: err} }

// download returns the cached file with the release's checksum. If there is none, it
// runs the command that prepare returns, which must leave one archive in dir.
func (c clients) download(name string, release starter.Release, prepare func(dir string) *exec.Cmd) (string, error) {
	cached := filepath.Join(c.cache, hexSum([]byte(release.Checksum))+".tar.gz")
	if exists(cached) {
		return cached, nil
	}
	dir, err := c.scratch()
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if _, err := output(prepare(dir)); err != nil {
		return "", fmt.Errorf("download %s %s: %w", name, release.Version, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.t*gz"))
	if err != nil {
		return "", err
	}
	archives := files[:0]
	for _, file := range files {
		if strings.HasSuffix(file, ".tar.gz") || strings.HasSuffix(file, ".tgz") {
			archives = append(archives, file)
		}
	}
	if len(archives) != 1 {
		return "", fmt.Errorf("download %s %s: found %d archives instead of one", name, release.Version, len(archives))
	}
	data, err := os.ReadFile(archives[0])
	if err != nil {
		return "", err
	}
	if err := sameSum(name, release, sumLike(release.Checksum, data)); err != nil {
		return "", err
	}
	return cached, os.Rename(archives[0], cached)
}

// sumLike computes the checksum of data in the form of another one.
func sumLike(checksum string, data []byte) string {
	if strings.HasPrefix(checksum, "sha512-") {
		sum := sha512.Sum512(data)
		return "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
	}
	return "sha256:" + hexSum(data)
}

func sameSum(name string, release starter.Release, got string) error {
	if got != release.Checksum {
		return fmt.Errorf("checksum of %s %s is %s, want %s", name, release.Version, got, release.Checksum)
	}
	return nil
}

// scratch makes an empty directory in the cache for one download.
func (c clients) scratch() (string, error) {
	if err := os.MkdirAll(c.cache, 0o755); err != nil {
		return "", err
	}
	return os.MkdirTemp(c.cache, "new-")
}
