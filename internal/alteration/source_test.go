package alteration_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sources are the hand-written test files of testdata, by the names that they stand for.
func sources(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("testdata: %d files, %v", len(paths), err)
	}
	all := map[string][]byte{}
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".txt")] = src
	}
	return all
}

func source(t testing.TB, name string) []byte {
	t.Helper()
	src, ok := sources(t)[name]
	if !ok {
		t.Fatalf("testdata/%s.txt: no such file", name)
	}
	return src
}
