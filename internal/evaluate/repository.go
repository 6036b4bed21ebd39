package evaluate

import (
	"archive/tar"
	"context"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"assay/internal/steering"
	"assay/internal/worktree"
)

// inRepository tells whether a name is of a repository's own data.
func inRepository(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool { return strings.EqualFold(part, ".git") })
}

// gitRuns matches the keys of git's configuration whose values git runs.
var gitRuns = regexp.MustCompile(`(?i)^\s*(fsmonitor|sshcommand|hookspath|textconv|clean|smudge|process|pager|editor|askpass|helper|program|external|driver)\s*=`)

// gitFilters matches attributes for which git runs programs.
var gitFilters = regexp.MustCompile(`\b(filter|diff|merge)\s*=`)

// gitHooks are the programs of a repository that git runs (githooks(5)). The samples that
// it lays beside them are called otherwise.
var gitHooks = strings.Fields(`applypatch-msg pre-applypatch post-applypatch pre-commit pre-merge-commit prepare-commit-msg commit-msg post-commit
	pre-rebase post-checkout post-merge pre-push pre-receive update proc-receive post-receive post-update reference-transaction push-to-checkout
	pre-auto-gc post-rewrite sendemail-validate fsmonitor-watchman p4-changelist p4-prepare-changelist p4-post-changelist p4-pre-submit post-index-change`)

// isSetting tells whether a file of a repository holds settings of git.
func isSetting(name string) bool {
	base := strings.ToLower(path.Base(name))
	return base == "config" || base == "config.worktree" || isAttributes(name)
}

func isAttributes(name string) bool {
	return strings.HasSuffix(strings.ToLower(name), "/info/attributes")
}

// repository holds what is of the repository, and tells of programs that were put there
// for git to run. Commits are everybody's right, and so is a repository of one's own.
func (t *changeFilter) repository(ctx context.Context, e worktree.Entry) error {
	t.hold(e)
	if e.Deletes || e.Replaces || e.Type == tar.TypeDir {
		return nil
	}
	var what string
	switch dir, base := path.Split(e.Name); {
	case path.Base(dir) == "hooks" && slices.Contains(gitHooks, strings.ToLower(base)) && (e.Type == tar.TypeSymlink || e.Mode&0o111 != 0):
		what = "a program that git runs was put into the repository"
	case isAttributes(e.Name):
		added, err := t.adds(ctx, e, gitFilters)
		if err != nil || !added {
			return err
		}
		what = "filters of git were set in the repository"
	case isSetting(e.Name):
		added, err := t.adds(ctx, e, gitRuns)
		if err != nil || !added {
			return err
		}
		what = "programs that git runs were set in the repository's configuration"
	default:
		return nil
	}
	if same, err := t.unchanged(ctx, e); err != nil || same {
		return err
	}
	t.tampered.add(steering.Ruling{Kind: steering.KindSteering}, e.Name, what+"; it does not reach the verification")
	return nil
}

// adds tells whether a file has lines that fit and that the image's has not. A link, and a
// file that is too large to be looked at, may have any.
func (t *changeFilter) adds(ctx context.Context, e worktree.Entry, looks *regexp.Regexp) (bool, error) {
	changed, looked := t.content[e.Name]
	if !looked {
		return true, nil
	}
	before, err := t.tree.read(ctx, e.Name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	for _, line := range addedLines(before, changed) {
		if looks.MatchString(line.Text) {
			return true, nil
		}
	}
	return false, nil
}
