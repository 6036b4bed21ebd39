package patch

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func versionOf(n node, found bool) *Version {
	if !found {
		return nil
	}
	return &Version{Mode: n.mode, Size: int64(len(n.content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(n.content)), nil
	}}
}

// written is the diff from one tree to another.
func written(t *testing.T, from, to memoryTree) string {
	t.Helper()
	names := map[string]bool{}
	for name := range from {
		names[name] = true
	}
	for name := range to {
		names[name] = true
	}
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(names)) {
		before, had := from[name]
		after, has := to[name]
		if err := WriteDiff(&out, name, versionOf(before, had), versionOf(after, has)); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// What is written makes of one tree the other one, as git applies it and as we do.
func TestWrittenDiffsRoundTrip(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		from := randomTree(rnd)
		to := change(rnd, from)
		diff := written(t, from, to)

		set, err := Parse(diff)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, diff)
		}
		changes, err := Apply(set, from)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, diff)
		}
		checkTree(t, from.with(changes), to, diff)

		repo := newRepo(t)
		repo.write(from)
		if diff != "" {
			repo.input = diff
			repo.git("apply", "--whitespace=nowarn", "-")
		}
		repo.git("add", "-A", "-f")
		applied := strings.TrimSpace(repo.git("write-tree"))
		repo.write(to)
		repo.git("add", "-A", "-f")
		if want := strings.TrimSpace(repo.git("write-tree")); applied != want {
			t.Fatalf("seed %d: git makes another tree of\n%s", seed, diff)
		}
	}
}

func TestWrittenDiffs(t *testing.T) {
	text := func(s string) *Version { return versionOf(node{[]byte(s), 0o644}, true) }
	for _, tt := range []struct {
		name, path    string
		before, after *Version
		want          string
	}{
		{"nothing", "f", text("a\n"), text("a\n"), ""},
		{"a mode that git does not keep", "f", text("a\n"), versionOf(node{[]byte("a\n"), 0o600}, true), ""},
		{
			"a line", "two words", text("a\r\nb"), text("a\r\nc\n"),
			"diff --git a/two words b/two words\nindex 0c991fcb4fe1739224d4a0df2973df2de4eef4ad..747ade9d5743dd3788aaa066f5d001577589acab 100644\n" +
				"--- a/two words\t\n+++ b/two words\t\n@@ -1,2 +1,2 @@\n a\r\n-b\n\\ No newline at end of file\n+c\n",
		},
		{"a mode", "f", text("a\n"), versionOf(node{[]byte("a\n"), 0o755}, true), "diff --git a/f b/f\nold mode 100644\nnew mode 100755\n"},
		{
			"an empty file", "tab\t", nil, text(""),
			"diff --git \"a/tab\\t\" \"b/tab\\t\"\nnew file mode 100644\nindex 0000000000000000000000000000000000000000..e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\n",
		},
		{
			"a link in place of a file", "f", text("a\n"), versionOf(node{[]byte("to"), fs.ModeSymlink | 0o777}, true),
			"diff --git a/f b/f\ndeleted file mode 100644\nindex 78981922613b2afb6025042ff6bd878ac1994e85..0000000000000000000000000000000000000000\n" +
				"--- a/f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n" +
				"diff --git a/f b/f\nnew file mode 120000\nindex 0000000000000000000000000000000000000000..",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			if err := WriteDiff(&out, tt.path, tt.before, tt.after); err != nil {
				t.Fatal(err)
			}
			if got := out.String(); !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestFilesTooLargeForADiff(t *testing.T) {
	huge := &Version{Mode: 0o644, Size: MaxFile + 1, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(zeros{}, MaxFile+1)), nil
	}}
	if err := WriteDiff(io.Discard, "f", nil, huge); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a file of %d bytes: %v", huge.Size, err)
	}
	var out strings.Builder
	if err := WriteDiff(&out, "f", huge, nil); err != nil || out.Len() > 1000 {
		t.Errorf("that it goes takes %d bytes to say: %v", out.Len(), err)
	}
}

// A text that has changed so much that the best diff would take hours is written at once.
func TestDiffOfALongTextTakesNoTime(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	long := func() node { return node{randomLines(rnd, 400_000), 0o644} }
	from, to := memoryTree{"f": long()}, memoryTree{"f": long()}
	set, err := Parse(written(t, from, to))
	if err != nil {
		t.Fatal(err)
	}
	changes, err := Apply(set, from)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(changes[0].Content, to["f"].content) {
		t.Error("it makes another text")
	}
}

func TestPathsThatNoDiffMayName(t *testing.T) {
	for _, path := range []string{"", "/f", "../f", "a/.git/config", ".GIT/x", "a\x00b"} {
		if err := WriteDiff(io.Discard, path, nil, versionOf(node{}, true)); err == nil {
			t.Errorf("%q was written", path)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
