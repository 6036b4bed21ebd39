package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"assay/datasets/starter"
)

// needs lists the programs that a build calls and the Debian packages they are in.
var needs = []struct {
	program  string
	pkg      string
	language starter.Language // "" for all
}{
	{"git", "git", ""},
	{"buildah", "buildah", ""},
	{"mmdebstrap", "mmdebstrap", ""},
	{"go", "golang-go (1.26 or newer, from go.dev)", starter.Go},
	{"pip3", "python3-pip", starter.Python},
	{"npm", "npm", starter.JavaScript},
}

// checkHost says which packages are missing to build samples of a language.
func checkHost(language starter.Language) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("images are built as root: run this as root")
	}
	var missing []string
	for _, need := range needs {
		if need.language != "" && need.language != language {
			continue
		}
		if _, err := exec.LookPath(need.program); err != nil {
			missing = append(missing, need.pkg)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("missing Debian packages: apt-get install --no-install-recommends %s", strings.Join(missing, " "))
	}
	return nil
}

// output runs a command in dir and returns its standard output. An error carries
// the end of what it printed.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, commandError(cmd, err, append(stdout.Bytes(), stderr.Bytes()...))
	}
	return stdout.Bytes(), nil
}

func commandError(cmd *exec.Cmd, err error, printed []byte) error {
	const most = 4 << 10
	if len(printed) > most {
		printed = append([]byte("..."), printed[len(printed)-most:]...)
	}
	return fmt.Errorf("run %s: %w\n%s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(printed))
}

// client prepares an ordinary command of this machine, with its environment: package
// clients need the proxies and certificates that are set there.
func client(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	return cmd
}

// offline runs a command in a network namespace of its own, where only loopback is
// up: neither a build step nor a test can fetch anything.
func offline(cmd *exec.Cmd) error {
	done := make(chan error, 1)
	go func() {
		// The thread keeps the new namespace; it ends with this goroutine,
		// because it is never unlocked.
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("make a network namespace: %w", err)
			return
		}
		if err := loopbackUp(); err != nil {
			done <- fmt.Errorf("bring loopback up: %w", err)
			return
		}
		done <- cmd.Run()
	}()
	return <-done
}

func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(uint16(net.FlagUp))
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
}
