package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The base file system: Debian's release that images stand on, and what is added to
// its minimal set.
const (
	debianSuite    = "bookworm"
	debianPackages = "git,ca-certificates,procps,patch"
	debianPython   = "python3-minimal python3"
)

// archive is where this machine's apt gets the suite from, so that the builder
// works wherever apt does.
func archive(ctx context.Context) (string, error) {
	if url := knownArchive(ctx); url != "" {
		return url, nil
	}
	if _, err := output(client(ctx, "", "apt-get", "update")); err == nil { // a new machine has no lists yet
		if url := knownArchive(ctx); url != "" {
			return url, nil
		}
	}
	return "", fmt.Errorf("this machine's apt does not know Debian %s; name an archive that has it with --debian-mirror", debianSuite)
}

// knownArchive looks the suite up in apt's lists; "" when it is not there.
func knownArchive(ctx context.Context) string {
	out, err := output(client(ctx, "", "apt-get", "indextargets",
		"--format", "$(SITE) $(CODENAME) $(COMPONENT)", "Identifier: Packages"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 3 && f[1] == debianSuite && f[2] == "main" {
			return f[0]
		}
	}
	return ""
}

// aptOptions returns the settings of this machine's apt that decide how archives
// are reached. They are used while fetching and do not end up in the image.
func aptOptions(ctx context.Context) []string {
	out, err := output(client(ctx, "", "apt-config", "dump"))
	if err != nil {
		return nil
	}
	var opts []string
	for line := range strings.Lines(string(out)) {
		for _, name := range []string{"Acquire::http", "Acquire::https", "Acquire::Check-", "Acquire::Retries"} {
			if strings.HasPrefix(line, name) {
				opts = append(opts, "--aptopt="+strings.TrimSpace(line))
			}
		}
	}
	return opts
}

// cleanRootfs takes out of the file system what mmdebstrap brought from this
// machine, the archive's address included.
const cleanRootfs = `rm -f "$1/etc/resolv.conf" "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1"/etc/apt/sources.list.d/*
echo sandbox > "$1/etc/hostname"
: > "$1/etc/apt/sources.list"`

// rootfs makes base.tar, and the packages of Python in debs/, once, and returns
// their directory. Delete OUT/work to get Debian's newer packages.
func (c clients) rootfs(ctx context.Context, mirror string) (string, error) {
	dir := filepath.Join(c.cache, "debian-"+hexSum([]byte(debianSuite + debianPackages + debianPython + cleanRootfs))[:12])
	if exists(filepath.Join(dir, "complete")) {
		return dir, nil
	}
	if _, err := freshDir(dir); err != nil {
		return "", err
	}
	if mirror == "" {
		var err error
		if mirror, err = archive(ctx); err != nil {
			return "", err
		}
	}
	archives := filepath.Join(dir, "archives")
	args := append(aptOptions(ctx),
		"--mode=root", "--variant=minbase", "--include="+debianPackages,
		"--skip=output/dev", // device nodes do not belong into an image layer
		"--dpkgopt=path-exclude=/usr/share/man/*",
		"--dpkgopt=path-exclude=/usr/share/doc/*",
		"--dpkgopt=path-exclude=/usr/share/locale/*",
		"--customize-hook=rm -f \"$1\"/var/cache/apt/archives/*.deb",
		"--customize-hook=APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get install --yes --no-install-recommends --download-only "+debianPython,
		"--customize-hook=copy-out /var/cache/apt/archives "+dir,
		"--customize-hook="+cleanRootfs,
		debianSuite, filepath.Join(dir, "base.tar"), mirror)
	cmd := client(ctx, dir, "mmdebstrap", args...)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH="+fmt.Sprint(epoch.Unix()))
	if _, err := output(cmd); err != nil {
		return "", fmt.Errorf("make the base file system: %w", err)
	}
	if err := os.Rename(archives, filepath.Join(dir, "debs")); err != nil {
		return "", err
	}
	return dir, writeFile(filepath.Join(dir, "complete"), nil)
}

// debian fills the context of base.Dockerfile.
func (c clients) debian(mirror string) func(context.Context, string) error {
	return func(ctx context.Context, into string) error {
		dir, err := c.rootfs(ctx, mirror)
		if err != nil {
			return err
		}
		return os.Link(filepath.Join(dir, "base.tar"), filepath.Join(into, "base.tar"))
	}
}

// debs copies Python's packages into a context.
func (c clients) debs(ctx context.Context, into string) error {
	dir, err := c.rootfs(ctx, "")
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(dir, "debs", "*.deb"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no Debian packages in %s", dir)
	}
	if err := os.MkdirAll(into, 0o755); err != nil {
		return err
	}
	for _, file := range files {
		if err := os.Link(file, filepath.Join(into, filepath.Base(file))); err != nil {
			return err
		}
	}
	return nil
}
