package verification

import "testing"

func TestWhatARepositoryKeepsForItselfIsLeftOut(t *testing.T) {
	for name, want := range map[string]bool{
		".git": false, ".git/config": false, ".git/hooks/pre-commit": false, ".git/info/attributes": false,
		".git/objects": true, ".git/objects/aa/bb": true, ".git/logs/HEAD": true, ".git/index": true, ".git/huge": true, "sub/.GIT/objects/pack/p": true,
		".git/modules/a/hooks/update": false, ".git/modules/a/objects/aa": true, ".git/modules/a/config": false,
		"objects/a": false, "git/objects": false, ".github/objects": false, ".gitignore": false, "a/.git": false,
	} {
		if got := ofRepository(name); got != want {
			t.Errorf("%s: %t, want %t", name, got, want)
		}
	}
}
