package alteration_test

import (
	"testing"

	"assay/internal/alteration"
)

func TestConsistentFreshTruths(t *testing.T) {
	src := []byte(`func TestA(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"harbour", "city=harbour&n=17", "harbour:17"},
		{"empty", "city=&n=3", ":3"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := f(tc.in); got != tc.want {
				t.Error(got)
			}
		})
	}
}
`)
	found := map[string]alteration.Fresh{}
	for _, f := range alteration.FreshCandidates(alteration.File{Path: "a_test.go", Source: src}, alteration.Options{}) {
		if f.Kind == alteration.Consistent {
			found[f.Old] = f
		}
	}
	for _, old := range []string{"harbour", "17"} {
		f, ok := found[old]
		if !ok || len(f.Edits) != 2 || f.Rank != 0 || len(f.New) != len(old) {
			t.Errorf("%s: %+v", old, f)
		}
		for _, e := range f.Edits {
			if e.Old == `"harbour"` {
				t.Error("the name of a test was changed")
			}
		}
	}
}

func TestAnsweredFreshTruths(t *testing.T) {
	src := []byte("def test_a():\n    assert parse('left', 12) == {'side': 'l', 'n': 12}\n\ndef test_b():\n    assert parse('right')\n")
	n := 0
	for _, f := range alteration.FreshCandidates(alteration.File{Path: "test_a.py", Source: src}, alteration.Options{}) {
		if f.Kind != alteration.Answered || f.Region == "test_b" && len(f.Answers) == 0 && f.Rank == 4 {
			continue
		}
		n++
		if f.Region != "test_a" || len(f.Edits) != 1 || f.Edits[0].EqualityOperand || len(f.Answers) != 4 {
			t.Errorf("%+v", f)
		}
	}
	if n < 3 {
		t.Errorf("%d", n)
	}
}
