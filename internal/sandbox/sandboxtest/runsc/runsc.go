// Package runsc builds gVisor's runtime for tests, once a machine: no package of a
// distribution has it, and the Go module proxy does.
package runsc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Version is the version of the module gvisor.dev/gvisor that is tested and that
// docs/security.md speaks of.
const Version = "v0.0.0-20260905035102-160fafc42237"

// Build returns the path of runsc, build/runsc-VERSION in the repository. It takes
// about two minutes of two cores when it is not there yet; who comes meanwhile waits.
func Build(ctx context.Context) (string, error) {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	dir := filepath.Join(filepath.Dir(strings.TrimSpace(string(mod))), "build")
	binary := filepath.Join(dir, "runsc-"+Version)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("build runsc: %w", err)
	}
	lock, err := os.OpenFile(binary+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", fmt.Errorf("build runsc: %w", err)
	}
	defer lock.Close() // unlocks
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return "", fmt.Errorf("build runsc: %w", err)
	}
	if _, err := os.Stat(binary); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return binary, err
	}
	tmp, err := os.MkdirTemp(dir, ".runsc-*")
	if err != nil {
		return "", fmt.Errorf("build runsc: %w", err)
	}
	defer os.RemoveAll(tmp) // empty by now, or of no use
	install := exec.CommandContext(ctx, "go", "install", "-ldflags=-s -w", "gvisor.dev/gvisor/runsc@"+Version)
	install.Dir = tmp // another module's go.mod has no say
	install.Env = append(os.Environ(), "CGO_ENABLED=0", "GOBIN="+tmp, "GOFLAGS=-trimpath")
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build runsc: %w: %s", err, out)
	}
	return binary, os.Rename(filepath.Join(tmp, "runsc"), binary)
}
