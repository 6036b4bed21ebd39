package session

import (
	"slices"
	"testing"
)

func TestLooksIntoTheHistoryAreSeen(t *testing.T) {
	for command, want := range map[string][]string{
		"git log --oneline -5":                           nil,
		"git diff; git status; git add -A":               nil,
		"go test ./... | tail --all":                     nil,
		"grep -r --all git .":                            nil,
		"git clone -q . copy; git clone ../other /tmp/x": nil,
		"git clone https://github.com/a/b":               {"git fetch of later commits"},
		"git clone --depth 9 git@github.com:a/b.git":     {"git fetch of later commits"},
		"git clone $URL":                                 {"git fetch of later commits"},
		"gh repo clone a/b":                              {"git fetch of later commits"},
		"git reflog":                                     {"git reflog"},
		"cd /testbed && git -C . log --all --oneline":    {"git log of all references"},
		"git log -g":                                     {"git reflog"},
		"git fsck --lost-found":                          {"git fsck for lost objects"},
		"git cat-file --batch-check --batch-all-objects": {"every object of the repository"},
		"ls .git/objects/pack":                           {"the repository's object files"},
		"git fetch origin && git log --remotes":          {"git log of all references", "git fetch of later commits"},
	} {
		if got := lookedFor(command); !slices.Equal(got, want) {
			t.Errorf("%q looks for %q, want %q", command, got, want)
		}
	}
}
