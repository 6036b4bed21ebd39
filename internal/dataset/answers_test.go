package dataset

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"assay"
)

// secrets are in the answers of secretRow, and in nothing else of it.
var secrets = []string{"REFERENCE", "ASSETS", "HIDDEN", "TestFixed", "TestKept", "TestBroken", "TestFlaky", "COMMAND", "CANARY", "REPORT", "STEERS"}

func secretPatch(name string) string {
	return "--- a/" + name + "\n+++ b/" + name + "\n@@ -1 +1 @@\n-a\n+b\n"
}

// secretRow is a row whose every answer holds one of secrets.
func secretRow(t *testing.T) string {
	t.Helper()
	return row(t, map[string]any{
		"patch": secretPatch("REFERENCE"), "non_code_patch": secretPatch("ASSETS"), "test_patch": secretPatch("HIDDEN"),
		"FAIL_TO_PASS": []string{"TestFixed"}, "PASS_TO_PASS": []string{"TestKept", "TestFlaky"}, "FAIL_TO_FAIL": []string{"TestBroken"},
		"version_description": "first",
		"assay": map[string]any{"verifier": map[string]any{
			"command": "echo COMMAND", "reports": []any{map[string]any{"path": "REPORT", "format": "go-test-json"}},
			"canaries":  []any{map[string]any{"path": "CANARY", "text": "x", "id": "{nonce}"}},
			"protected": []string{"STEERS"}, "quarantined": []string{"TestBroken"},
		}},
	})
}

// tells returns which of secrets a text holds.
func tells(text string) (found []string) {
	for _, s := range secrets {
		if strings.Contains(text, s) {
			found = append(found, s)
		}
	}
	return found
}

func TestWhoseEyesAnswersAreFor(t *testing.T) {
	for answers, open := range map[assay.Answers]map[Reader]bool{
		assay.AnswersPublic:    {Anybody: true, User: true},
		assay.AnswersUsers:     {Anybody: false, User: true},
		assay.AnswersOperators: {Anybody: false, User: false},
		"":                     {Anybody: false, User: false}, // no setting is no permission
		"everyone":             {Anybody: false, User: false},
	} {
		for reader, want := range open {
			s := &assay.Sample{Patch: "p", FailToPass: []string{"t"}, Answers: answers}
			got := ViewOf(s, reader)
			if open := got.Patch == "p" && !got.Withheld; open != want {
				t.Errorf("answers %q are open to reader %v: %v, want %v", answers, reader, open, want)
			}
			if s.Patch == "" || s.Withheld {
				t.Fatal("the sample itself was changed")
			}
		}
	}
}

// Whatever of a sample may tell of its answers is not in the copy without them: also the
// command of the verifier, which may hold the tests, and the note of a quarantine.
func TestNothingOfAnAnswerIsInTheCopyWithout(t *testing.T) {
	s, _ := newService(t, Config{})
	importLines(t, s, secretRow(t))
	if _, err := s.Quarantine(t.Context(), "small", "acme__app-1.0.0", []string{"TestFlaky"}); err != nil {
		t.Fatal(err)
	}
	for version := range 3 {
		whole, err := s.SampleFor(t.Context(), User, "small", "acme__app-1.0.0", version)
		if err != nil {
			t.Fatal(err)
		}
		text := mustJSON(t, whole)
		if got := tells(text); !slices.Equal(got, secrets) {
			t.Fatalf("the sample holds only %q of the secrets", got) // then the rest proves nothing
		}
		without, err := s.SampleFor(t.Context(), Anybody, "small", "acme__app-1.0.0", version)
		if err != nil {
			t.Fatal(err)
		}
		if got := tells(mustJSON(t, without)); got != nil {
			t.Errorf("version %d tells %q", version, got)
		}
		if without.FailToPass == nil || without.PassToPass == nil || without.FailToFail == nil || !without.Withheld {
			t.Errorf("a list is null, or nothing tells that they were withheld: %+v", without)
		}
		if without.ProblemStatement != whole.ProblemStatement || without.Task.Image != whole.Task.Image || without.Task.Verifier.Kind != whole.Task.Verifier.Kind {
			t.Errorf("more than the answers is gone: %+v", without)
		}
		wantNote := "first"
		if version != 1 {
			wantNote = "first [quarantined: 1 tests]"
		}
		if without.VersionDescription != wantNote {
			t.Errorf("version %d is described as %q, want %q", version, without.VersionDescription, wantNote)
		}
	}
	err := s.SamplesFor(t.Context(), Anybody, Query{}, func(sample *assay.Sample) error {
		if got := tells(mustJSON(t, sample)); got != nil {
			t.Errorf("the list tells %q", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A bundle without the answers says so, is another file than the one with them, and is
// not taken for a row.
func TestBundleWithoutAnswers(t *testing.T) {
	s, _ := bundleService(t, testImages(), Config{})
	importLines(t, s, secretRow(t))
	bundleFor := func(reader Reader) (*Bundle, map[string]string, string) {
		sample, err := s.SampleFor(t.Context(), reader, "small", "acme__app-1.0.0", 0)
		if err != nil {
			t.Fatal(err)
		}
		b, data := readBundle(t, s, sample)
		content, all := unpackBundle(t, data)
		return b, content, all
	}
	whole, _, all := bundleFor(User)
	if got := tells(all); !slices.Equal(got, secrets) {
		t.Fatalf("the whole bundle holds only %q", got)
	}
	b, content, all := bundleFor(Anybody)
	if got := tells(all); got != nil {
		t.Errorf("the bundle tells %q", got)
	}
	if b.SHA256 == whole.SHA256 || b.Filename == whole.Filename {
		t.Errorf("both bundles are called %s and %s", b.Filename, b.SHA256)
	}
	for name := range content {
		if strings.HasPrefix(name, "verifier/") {
			t.Errorf("it holds %s", name)
		}
	}
	if content["worktree/z.go"] == "" {
		t.Error("it holds no work tree")
	}
	var doc struct {
		Withheld   string   `json:"withheld"`
		FailToPass []string `json:"fail_to_pass"`
	}
	if err := json.Unmarshal([]byte(content["sample.json"]), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(doc.Withheld, "cannot be verified") || doc.FailToPass == nil {
		t.Errorf("sample.json does not say what is missing: %s", content["sample.json"])
	}

	var line bytes.Buffer
	if err := json.Compact(&line, []byte(content["sample.json"])); err != nil {
		t.Fatal(err)
	}
	_, err := s.Import(t.Context(), folder(t, goodManifest, line.String()))
	var faults *FaultsError
	if !errors.As(err, &faults) || len(faults.Faults) != 1 || !strings.Contains(faults.Faults[0].Message, "withheld") {
		t.Errorf("imported again: %v", err)
	}

	// Both are kept; neither takes the place of the other.
	if again, _, _ := bundleFor(User); again.SHA256 != whole.SHA256 {
		t.Error("the whole bundle is another one now")
	}
}

// unpackBundle returns the files of a bundle by name, and all of them as one text.
func unpackBundle(t *testing.T, data []byte) (files map[string]string, all string) {
	t.Helper()
	zr, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	files = map[string]string{}
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files, all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		files[h.Name] = string(text)
		all += h.Name + "\n" + string(text) + "\n"
	}
}

func TestAnswersOfAFolder(t *testing.T) {
	s, _ := newService(t, Config{})
	imported := func(manifest string) *Import {
		t.Helper()
		got, err := s.Import(t.Context(), folder(t, manifest, row(t, nil)))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := imported(goodManifest); got.Answers != assay.AnswersUsers || got.Overruled != "" {
		t.Errorf("a folder that does not say: %+v", got)
	}
	if got := imported(goodManifest + "\nanswers: operators\n"); got.Answers != assay.AnswersOperators || got.Overruled != "" || got.Unchanged != 1 {
		t.Errorf("a folder that says operators: %+v", got)
	}
	for _, bad := range []assay.Answers{"", "all", "Users"} {
		if _, err := s.SetAnswers(t.Context(), "small", bad); assay.CodeOf(err) != assay.CodeInvalid {
			t.Errorf("set to %q: %v", bad, err)
		}
	}
	if _, err := s.SetAnswers(t.Context(), "none", assay.AnswersPublic); assay.CodeOf(err) != assay.CodeDatasetNotFound {
		t.Errorf("of a dataset that is not there: %v", err)
	}
	if d, err := s.SetAnswers(t.Context(), "small", assay.AnswersUsers); err != nil || d.Answers != assay.AnswersUsers {
		t.Errorf("set to users: %+v, %v", d, err)
	}
	if got := imported(goodManifest + "\nanswers: public\n"); got.Answers != assay.AnswersUsers || got.Overruled != assay.AnswersPublic {
		t.Errorf("a folder against an operator: %+v", got)
	}
	if _, err := ReadFolder(folder(t, goodManifest+"\nanswers: all\n", row(t, nil))); err == nil {
		t.Error("a setting that is none was read")
	}
}
