package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"assay/datasets/starter"
)

// buildah builds and runs images without a daemon, in a storage of its own.
type buildah struct {
	storage string
	driver  string
	tmp     string
}

// command prepares a buildah call with an environment that holds nothing of this
// machine's proxies or secrets.
func (b buildah) command(ctx context.Context, args ...string) *exec.Cmd {
	storage := []string{
		"--root", filepath.Join(b.storage, "root"),
		"--runroot", filepath.Join(b.storage, "run"),
		"--storage-driver", b.driver,
	}
	cmd := exec.CommandContext(ctx, "buildah", append(storage, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/root", "TMPDIR=" + b.tmp}
	cmd.Dir = b.tmp
	return cmd
}

// build makes an image from images/NAME.Dockerfile. Its steps run as root in a
// chroot, which needs no OCI runtime and no cgroups, and without network.
func (b buildah) build(ctx context.Context, image, name, dir string) error {
	text, err := starter.Files.ReadFile("images/" + name + ".Dockerfile")
	if err != nil {
		return err
	}
	dockerfile := filepath.Join(dir, "Dockerfile")
	if err := os.WriteFile(dockerfile, text, 0o644); err != nil {
		return err
	}
	cmd := b.command(ctx, "build", "--isolation", "chroot", "--http-proxy=false", "--pull-never",
		"--layers", "--format", "oci", "--file", dockerfile, "--tag", "localhost/"+image, dir)
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	if err := offline(cmd); err != nil {
		return commandError(cmd, err, printed.Bytes())
	}
	return nil
}

// clear removes the containers of a run that was killed.
func (b buildah) clear(ctx context.Context) error {
	if err := os.MkdirAll(b.tmp, 0o755); err != nil {
		return err
	}
	_, err := output(b.command(ctx, "rm", "--all"))
	return err
}

// prune removes images that no name and no newer image needs.
func (b buildah) prune(ctx context.Context) error {
	_, err := output(b.command(ctx, "rmi", "--prune"))
	return err
}

// id returns the id of an image in the storage.
func (b buildah) id(ctx context.Context, image string) (string, error) {
	out, err := output(b.command(ctx, "images", "--quiet", "--no-trunc", "localhost/"+image))
	return strings.TrimSpace(string(out)), err
}

// has tells whether the storage still holds that very image.
func (b buildah) has(ctx context.Context, image, id string) bool {
	found, err := b.id(ctx, image)
	return err == nil && found == id
}

// run runs a bash script in a fresh container of an image, without network, with
// host directories bound to paths inside. It returns what the script printed and
// whether it exited with zero.
func (b buildah) run(ctx context.Context, image, script string, env map[string]string, binds map[string]string) (printed []byte, ok bool, err error) {
	out, err := output(b.command(ctx, "from", "--pull-never", "localhost/"+image))
	if err != nil {
		return nil, false, err
	}
	container := strings.TrimSpace(string(out))
	defer func() {
		_, rmErr := output(b.command(context.WithoutCancel(ctx), "rm", container))
		if err == nil {
			err = rmErr
		}
	}()
	args := []string{"run", "--isolation", "chroot"}
	for inside, host := range binds {
		args = append(args, "--volume", host+":"+inside)
	}
	for name, value := range env {
		args = append(args, "--env", name+"="+value)
	}
	cmd := b.command(ctx, append(args, container, "--", "bash", "-c", script)...)
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	err = offline(cmd)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return both.Bytes(), true, nil
	case ctx.Err() == nil && errors.As(err, &exit):
		return both.Bytes(), false, nil
	default:
		return nil, false, commandError(cmd, err, both.Bytes())
	}
}
