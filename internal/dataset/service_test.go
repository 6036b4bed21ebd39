package dataset

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay"
)

func newService(t *testing.T, c Config) (*Service, *memoryStore) {
	t.Helper()
	store := newMemoryStore()
	c.Store = store
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s, store
}

// importLines imports a folder of these rows.
func importLines(t *testing.T, s *Service, lines ...string) *Import {
	t.Helper()
	got, err := s.Import(t.Context(), folder(t, goodManifest, strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestImportTellsEachChange(t *testing.T) {
	s, _ := newService(t, Config{})
	line := func(id string, hints string) string {
		return row(t, map[string]any{"instance_id": id, "hints_text": hints})
	}
	for _, step := range []struct {
		lines []string
		want  ImportResult
		says  []string
	}{
		{[]string{line("b", ""), line("a", "")}, ImportResult{Added: 2}, []string{"added a", "added b"}},
		{[]string{line("b", ""), line("a", "")}, ImportResult{Unchanged: 2}, nil},
		{
			[]string{line("a", "look at app.go"), line("c", "")},
			ImportResult{Added: 1, Changed: 1, Removed: 1},
			[]string{
				"changed a: version 1 is now 2",
				"removed b: version 1 stays for the sessions that use it",
				"added c",
			},
		},
	} {
		got := importLines(t, s, step.lines...)
		if diff := cmp.Diff(step.want, got.ImportResult); diff != "" {
			t.Errorf("counts differ (-want +got):\n%s", diff)
		}
		var says []string
		for _, c := range got.Changes {
			says = append(says, c.String())
		}
		if diff := cmp.Diff(step.says, says); diff != "" {
			t.Errorf("changes differ (-want +got):\n%s", diff)
		}
		if got.Dataset != "small" || got.Samples != 2 {
			t.Errorf("got %d samples of %q", got.Samples, got.Dataset)
		}
	}
}

func TestImportOfAWrongFolderStoresNothing(t *testing.T) {
	s, store := newService(t, Config{})
	_, err := s.Import(t.Context(), folder(t, goodManifest, row(t, nil)+"\n{}\n"))
	var faults *FaultsError
	if !errors.As(err, &faults) {
		t.Errorf("got %v, want faults", err)
	}
	if len(store.datasets)+len(store.samples) != 0 {
		t.Error("half a dataset was stored")
	}
}

func TestSamplesOfNoDataset(t *testing.T) {
	s, _ := newService(t, Config{})
	importLines(t, s, row(t, nil))
	q := Query{Dataset: "nothing"}
	if _, err := s.CountSamples(t.Context(), q); assay.CodeOf(err) != assay.CodeDatasetNotFound {
		t.Errorf("CountSamples: got %v", err)
	}
	err := s.Samples(t.Context(), q, func(*assay.Sample) error { return nil })
	if assay.CodeOf(err) != assay.CodeDatasetNotFound {
		t.Errorf("Samples: got %v", err)
	}
	if n, err := s.CountSamples(t.Context(), Query{}); n != 1 || err != nil {
		t.Errorf("all datasets: %d, %v", n, err)
	}
}
