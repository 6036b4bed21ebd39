package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"assay/datasets/starter"
)

// epoch dates what the builder makes, so that commit ids come out the same everywhere.
var epoch = time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)

// git prepares a git command that no configuration of this machine changes.
func git(ctx context.Context, dir string, args ...string) *exec.Cmd {
	fixed := []string{
		"-c", "core.logAllRefUpdates=false", // a reflog would remember
		"-c", "core.autocrlf=false",
		"-c", "core.fileMode=true",
		"-c", "gc.auto=0",
	}
	cmd := client(ctx, dir, "git", append(fixed, args...)...)
	date := epoch.Format(time.RFC3339)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CEILING_DIRECTORIES=" + filepath.Dir(dir),
		"GIT_AUTHOR_NAME=Assay Starter", "GIT_AUTHOR_EMAIL=starter@assay.invalid", "GIT_AUTHOR_DATE=" + date,
		"GIT_COMMITTER_NAME=Assay Starter", "GIT_COMMITTER_EMAIL=starter@assay.invalid", "GIT_COMMITTER_DATE=" + date,
	}
	return cmd
}

// gitAll runs git commands one after the other.
func gitAll(ctx context.Context, dir string, commands ...[]string) error {
	for _, args := range commands {
		if _, err := output(git(ctx, dir, args...)); err != nil {
			return err
		}
	}
	return nil
}

// initRepository makes an empty repository that takes every file as it is.
func initRepository(ctx context.Context, dir string) error {
	if err := gitAll(ctx, dir, []string{"init", "--quiet", "--initial-branch=main", "--template="}); err != nil {
		return err
	}
	info := filepath.Join(dir, ".git", "info")
	if err := os.MkdirAll(info, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(info, "attributes"), []byte("* -text\n"), 0o644)
}

// patches are what a fix changed.
type patches struct {
	code string // without tests
	test string
}

// derive diffs two trees with git: one patch for the code, one for the tests.
func derive(ctx context.Context, language starter.Language, base, fixed, dir string) (patches, error) {
	var p patches
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return p, err
	}
	if err := initRepository(ctx, dir); err != nil {
		return p, err
	}
	var trees [2]string
	for i, tree := range []string{base, fixed} {
		if _, err := output(git(ctx, dir, "--work-tree", tree, "add", "--all", "--force")); err != nil {
			return p, err
		}
		id, err := output(git(ctx, dir, "write-tree"))
		if err != nil {
			return p, err
		}
		trees[i] = strings.TrimSpace(string(id))
	}
	changed, err := output(git(ctx, dir, "diff", "--no-renames", "--name-only", "-z", trees[0], trees[1]))
	if err != nil {
		return p, err
	}
	files := map[starter.Kind][]string{}
	for name := range strings.SplitSeq(strings.TrimRight(string(changed), "\x00"), "\x00") {
		kind := starter.Classify(language, name)
		files[kind] = append(files[kind], name)
	}
	for kind, patch := range map[starter.Kind]*string{starter.Code: &p.code, starter.Test: &p.test} {
		if len(files[kind]) == 0 {
			return p, errors.New("derive patches: the versions do not differ in both code and tests")
		}
		args := []string{"--literal-pathspecs", "diff", "--no-renames", trees[0], trees[1], "--"}
		diff, err := output(git(ctx, dir, append(args, files[kind]...)...))
		if err != nil {
			return p, err
		}
		*patch = string(diff)
	}
	return p, nil
}

// commitOnce makes a repository of the tree in dir: one commit, nothing else. The
// commit id depends on the tree alone.
func commitOnce(ctx context.Context, tree, dir string) (string, error) {
	if err := copyTree(tree, dir); err != nil {
		return "", err
	}
	if err := initRepository(ctx, dir); err != nil {
		return "", err
	}
	err := gitAll(ctx, dir,
		[]string{"add", "--all", "--force"},
		[]string{"commit", "--quiet", "--no-verify", "--no-gpg-sign", "--message", "State before the fix"},
		[]string{"gc", "--quiet", "--prune=now"},
	)
	if err != nil {
		return "", err
	}
	return checkOneCommit(ctx, dir)
}

// checkOneCommit returns the id of a repository's only commit. It fails if there is
// anything that could tell of another state: refs, reflogs, remotes, unreachable
// objects, or a work tree that differs.
func checkOneCommit(ctx context.Context, dir string) (string, error) {
	ask := func(args ...string) []string {
		out, err := output(git(ctx, dir, args...))
		if err != nil {
			return []string{err.Error()}
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		slices.Sort(lines)
		return lines
	}
	head := ask("rev-parse", "HEAD")[0]
	commits := ask("rev-list", "--all", "--reflog")
	var reachable []string
	for _, line := range ask("rev-list", "--objects", "--all") {
		id, _, _ := strings.Cut(line, " ")
		reachable = append(reachable, id)
	}
	slices.Sort(reachable)
	stored := ask("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
	switch {
	case len(commits) != 1 || commits[0] != head:
		return "", fmt.Errorf("check %s: not one commit but %q", dir, commits)
	case !slices.Equal(ask("for-each-ref", "--format=%(refname)"), []string{"refs/heads/main"}):
		return "", fmt.Errorf("check %s: there are refs beside main", dir)
	case !slices.Equal(stored, reachable):
		return "", fmt.Errorf("check %s: there are objects that the commit does not need", dir)
	case ask("remote")[0] != "":
		return "", fmt.Errorf("check %s: there is a remote", dir)
	case exists(filepath.Join(dir, ".git", "logs")):
		return "", fmt.Errorf("check %s: there is a reflog", dir)
	}
	status, err := output(git(ctx, dir, "status", "--porcelain", "--ignored"))
	if err != nil {
		return "", err
	}
	if len(bytes.TrimSpace(status)) > 0 {
		return "", fmt.Errorf("check %s: the work tree differs:\n%s", dir, status)
	}
	return head, nil
}
