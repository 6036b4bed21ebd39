package main

import (
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/e2e/attacks/grid"
)

func TestSamplesAreChosenByWord(t *testing.T) {
	for text, want := range map[string][]string{"none": nil, "a,b": {"a", "b"}} {
		var c choice
		if err := c.Set(text); err != nil {
			t.Fatal(err)
		}
		if ids, err := c.of(1, ""); err != nil || !slices.Equal(ids, want) {
			t.Errorf("%s is %v: %v", text, ids, err)
		}
	}
	var c choice
	if err := c.Set("quick"); err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(10) {
		ids, err := c.of(seed, "")
		if again, _ := c.of(seed, ""); err != nil || !slices.Equal(ids, again) || len(ids) != 3 {
			t.Errorf("seed %d gives %v: %v", seed, ids, err)
		}
		for _, id := range ids {
			if !isVariant(rowsVariant, id) {
				t.Errorf("%s cannot be a row of SWE-bench", id)
			}
		}
	}
}

// What is tried on searched samples is told apart from what is tried on the others, in each
// form that its sample has.
func TestScriptsAreTriedInBothForms(t *testing.T) {
	scripts := []script{
		{Name: "a", Sample: "jpadilla__pyjwt-2.10.1"}, {Name: "b", Sample: "ljharb__qs-6.11.1"}, {Name: "c", Sample: "hughsk__flat-5.0.1", Variant: rowsVariant},
		{Name: "d", Sample: "jpadilla__pyjwt-2.10.1", Variant: "pytest-text"}, {Name: "e", Sample: "golang-jwt__jwt-5.2.2"},
	}
	got := map[string]string{}
	for _, s := range onSearched(scripts, []string{"jpadilla__pyjwt-2.10.1", "ljharb__qs-6.11.1", "hughsk__flat-5.0.1"}) {
		got[s.Name] = s.dataset()
	}
	for name, dataset := range map[string]string{
		"rounds/a": "searched", "rounds/rows/a": "searched-swe-bench", "rounds/b": "searched", "rounds/rows/c": "searched-swe-bench",
	} {
		if got[name] != dataset {
			t.Errorf("%s is on %q", name, got[name])
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("and %v", got)
	}
}

// Nothing is searched that nothing is tried on.
func TestWhatIsSearchedIsNeeded(t *testing.T) {
	got := needed([]script{
		{Sample: "a", Searched: true}, {Sample: "a", Searched: true}, {Sample: "b"}, {Sample: "c", Searched: true, Variant: rowsVariant}, {Sample: "a", Searched: true, Variant: rowsVariant},
	})
	if diff := cmp.Diff(map[grid.Form][]string{grid.Starter: {"a"}, grid.SWEBench: {"c", "a"}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestDrawsOfScriptsAreSpread(t *testing.T) {
	var scripts []script
	for i := range 30 {
		scripts = append(scripts, script{Name: "a" + strconv.Itoa(i), Sample: "a"})
	}
	scripts = append(scripts, script{Name: "b", Sample: "b"}, script{Name: "c", Sample: "a", Variant: rowsVariant})
	drawn := drawScripts(scripts, 1, 3)
	names := []string{}
	for _, s := range drawn {
		names = append(names, s.Sample+s.Variant)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"a", "a" + rowsVariant, "b"}) {
		t.Errorf("drawn are %v", names)
	}
	if got := drawScripts(scripts, 1, -1); len(got) != len(scripts) {
		t.Errorf("all are %d", len(got))
	}
}

// Each name is one trial's: rows are kept by it. Only who guesses, and who is to be lucky
// again and again, needs to be somebody new each time.
func TestTrialsHaveNamesOfTheirOwn(t *testing.T) {
	o := options{seed: 3, ids: []string{"jpadilla__pyjwt-2.10.1", "hughsk__flat-5.0.1"}, drawn: -1, plays: 7, honestPlays: 3}
	bad, err := readScripts(".", attack)
	if err != nil {
		t.Fatal(err)
	}
	good, err := readScripts("../honest", honest)
	if err != nil {
		t.Fatal(err)
	}
	names, plays := map[string]bool{}, 0
	for _, s := range slices.Concat(bad, generatedScripts(o.seed, -1), good, o.onSearched(bad, good)) {
		if names[s.Name] {
			t.Errorf("%s is there twice", s.Name)
		}
		names[s.Name] = true
		if s.Searched != strings.HasPrefix(s.Name, "rounds/") || s.NewUser != (s.Searched && (s.Kind == guess || s.Kind == honest)) {
			t.Errorf("%s: %+v", s.Name, s.From)
		}
		if s.Searched && s.Kind == guess {
			plays++
		}
	}
	ways := map[string]bool{}
	for _, a := range grid.All(1, o.ids...) {
		if a.Class == grid.Guessing {
			ways[a.Play()] = true
		}
	}
	if plays != 7*len(ways) {
		t.Errorf("%d plays of %d ways to guess", plays, len(ways))
	}
}

// What was left is ended, and no process of another program that has its id by now.
func TestWhatWasLeftIsEnded(t *testing.T) {
	data := t.TempDir()
	if err := endLeftover(data, "bash"); err != nil {
		t.Errorf("with nothing left: %v", err)
	}
	for program, ends := range map[string]bool{"/some/where/bash": true, "/bin/assay": false} {
		cmd := exec.CommandContext(t.Context(), "bash", "-c", "read -r line; exit")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		if err := noteHolder(data, cmd.Process.Pid); err != nil {
			t.Fatal(err)
		}
		if err := endLeftover(data, program); err != nil {
			t.Error(err)
		}
		_, _ = in.Write([]byte("\n")) // to who is left
		if err := <-ended; (err != nil) != ends {
			t.Errorf("what is left of bash, told to end as %s, ended with %v", program, err)
		}
	}
}
