package verification

import (
	"archive/tar"
	"testing"

	"assay/internal/worktree"
)

func TestWhatTravelsToTheCleanSandbox(t *testing.T) {
	protected := []string{"pkg/a_test.go", "testdata/in.txt"}
	for _, tt := range []struct {
		entry worktree.Entry
		want  bool
	}{
		{worktree.Entry{Name: "pkg/a.go", Type: tar.TypeReg}, true},
		{worktree.Entry{Name: "pkg", Type: tar.TypeDir}, true},
		{worktree.Entry{Name: ".", Type: tar.TypeDir}, true},
		{worktree.Entry{Name: "pkg/old.go", Type: tar.TypeReg, Deletes: true}, true},
		{worktree.Entry{Name: "testdata", Type: tar.TypeReg, Replaces: true}, true},
		{worktree.Entry{Name: ".gitignore", Type: tar.TypeReg}, true},

		{worktree.Entry{Name: "pkg/a_test.go", Type: tar.TypeReg}, false},
		{worktree.Entry{Name: "pkg/a_test.go", Type: tar.TypeReg, Deletes: true}, false},
		{worktree.Entry{Name: "pkg/a_test.go", Type: tar.TypeReg, Replaces: true}, false},
		{worktree.Entry{Name: "pkg/a_test.go/x", Type: tar.TypeReg}, false},
		{worktree.Entry{Name: "pkg", Type: tar.TypeSymlink}, false},
		{worktree.Entry{Name: "pkg", Type: tar.TypeReg}, false},
		{worktree.Entry{Name: "testdata", Type: tar.TypeReg, Deletes: true}, false},
		{worktree.Entry{Name: ".", Type: tar.TypeReg, Replaces: true}, false},
		{worktree.Entry{Name: ".git/config", Type: tar.TypeReg}, false},
		{worktree.Entry{Name: ".git", Type: tar.TypeReg, Deletes: true}, false},
		{worktree.Entry{Name: "sub/.git/hooks/pre-commit", Type: tar.TypeReg}, false},
	} {
		if got := mayTravel(tt.entry, protected); got != tt.want {
			t.Errorf("%+v travels: %t, want %t", tt.entry, got, tt.want)
		}
	}
}
