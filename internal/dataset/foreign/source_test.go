package foreign

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// place writes a file into a folder of its own and returns its path.
func place(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// idsOf reads a dataset and returns the ids of its samples, or what is wrong in a row.
func idsOf(t *testing.T, path string) ([]string, error) {
	t.Helper()
	source, err := Open(path, "swe-bench", Options{})
	if err != nil {
		return nil, err
	}
	defer source.Close()
	var ids []string
	err = source.Each(func(r *Record) error {
		for _, f := range r.Faults {
			ids = append(ids, f.Column+": "+f.Message)
		}
		if r.Sample != nil {
			ids = append(ids, r.Sample.ID)
		}
		return nil
	})
	return ids, err
}

const (
	rowA = `{"instance_id": "a", "problem_statement": "p", "FAIL_TO_PASS": ["t"], "patch": "", "test_patch": "", "version": "1"}`
	rowB = `{"version": "1", "test_patch": null, "fail_to_pass": "[\"t\"]", "problem_statement": "p", "instance_id": "b", "more": {}}`
)

func TestRowsComeInManyWays(t *testing.T) {
	for name, c := range map[string]struct{ file, text string }{
		"lines":                  {"x.jsonl", rowA + "\n" + rowB + "\n"},
		"lines as editors do":    {"x.jsonl", "\xef\xbb\xbf" + rowA + "\r\n\r\n  \n" + rowB},
		"a list":                 {"x.json", " [" + rowA + ",\n" + rowB + "]\n"},
		"an empty tail":          {"x.json", "\xef\xbb\xbf[" + rowA + "," + rowB + "]"},
		"values after another":   {"x.json", rowA + "\n" + rowB},
		"values on many lines":   {"x.JSON", strings.ReplaceAll(rowA, ",", ",\n") + rowB},
		"values after a newline": {"x.json", "\n\n" + rowA + rowB + "\n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := idsOf(t, place(t, c.file, c.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"a", "b"}, got); diff != "" {
				t.Errorf("ids differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBadRowsAreToldAndTheNextIsRead(t *testing.T) {
	for name, c := range map[string]struct{ row, want string }{
		"not JSON":      {`{"instance_id": x}`, "not an object in JSON"},
		"a list":        {`[]`, "not an object in JSON"},
		"null":          {`null`, "is null"},
		"two rows":      {rowB + rowB, "something follows the row"},
		"not UTF-8":     {strings.Replace(rowB, "p", "\xff", 1), "it is not UTF-8"},
		"no id":         {`{"problem_statement": "p"}`, "instance_id: is empty or not there"},
		"a number":      {`{"instance_id": 7, "problem_statement": "p"}`, "instance_id: is a number, not a string"},
		"tests no list": {`{"instance_id": "a", "problem_statement": "p", "FAIL_TO_PASS": "t"}`, "FAIL_TO_PASS: the string does not hold a list"},
		"tests mixed":   {`{"instance_id": "a", "problem_statement": "p", "FAIL_TO_PASS": ["t", 1]}`, "FAIL_TO_PASS: element 2 is a number"},
		"tests an object": {
			`{"instance_id": "a", "problem_statement": "p", "FAIL_TO_PASS": {}}`, "FAIL_TO_PASS: is an object, not a list",
		},
		"no time": {`{"instance_id": "a", "problem_statement": "p", "created_at": "then"}`, "created_at: then is not a time"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := idsOf(t, place(t, "x.jsonl", c.row+"\n"+rowA))
			if err != nil {
				t.Fatal(err)
			}
			if all := strings.Join(got, "\n"); !strings.Contains(all, c.want) || got[len(got)-1] != "a" {
				t.Errorf("got %q, want %q and then a", got, c.want)
			}
		})
	}
}

func TestCutFilesAreAnError(t *testing.T) {
	for name, c := range map[string]struct{ file, text string }{
		"a list that does not end":    {"x.json", "[" + rowA},
		"a list cut within a row":     {"x.json", "[" + rowA + "," + rowB[:20]},
		"values cut within a row":     {"x.json", rowA + rowB[:20]},
		"a list with no commas":       {"x.json", "[" + rowA + rowB + "]"},
		"parquet without its end":     {"x.parquet", "PAR1" + rowA},
		"parquet of nothing":          {"x.parquet", ""},
		"parquet that is all footers": {"x.parquet", strings.Repeat("PAR1", 100)},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := idsOf(t, place(t, c.file, c.text)); err == nil {
				t.Errorf("got %q without an error", got)
			}
		})
	}
}

// TestDamagedParquetFiles: a file that was cut or changed anywhere is read, or refused,
// and never ends the program.
func TestDamagedParquetFiles(t *testing.T) {
	whole, err := os.ReadFile("testdata/swe-bench-verified/rows.parquet")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "x.parquet")
	refused := 0
	try := func(data []byte) {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := idsOf(t, file); err != nil {
			refused++
		}
	}
	for at := 0; at < len(whole); at += 101 {
		damaged := append([]byte(nil), whole...)
		damaged[at] ^= 0x55
		try(damaged)
		try(whole[:at])
	}
	if cuts := (len(whole) + 100) / 101; refused < cuts {
		t.Errorf("%d of %d damaged files were refused; each of the %d cut ones must be", refused, 2*cuts, cuts)
	}
}

func TestRecogniseTellsTheCandidates(t *testing.T) {
	for name, c := range map[string]struct {
		row  string
		want []string
	}{
		"unknown": {`{"question": "?", "answer": 42}`, []string{"answer, question", "--format", "swe-bench", "harbor", "gitbug-java"}},
		"SWE-Gym or SWE-bench": {
			`{"instance_id": "a", "FAIL_TO_PASS": [], "patch": "", "test_patch": "", "version": "1"}`,
			[]string{"--format: swe-bench, swe-gym"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(place(t, "x.jsonl", c.row), "", Options{})
			if err == nil {
				t.Fatal("it is recognised")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
}

func TestWhatIsNoDatasetIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ path, format, want string }{
		"nothing":          {filepath.Join(t.TempDir(), "none"), "", "no such file"},
		"another file":     {place(t, "x.csv", "a,b\n"), "", "rows are read from"},
		"an empty folder":  {t.TempDir(), "", "holds no dataset.yaml"},
		"an empty file":    {place(t, "x.jsonl", "\n"), "", "holds no row"},
		"unknown format":   {place(t, "x.jsonl", rowA), "swe-bunch", `"swe-bunch" is not known`},
		"rows for tasks":   {place(t, "x.jsonl", rowA), "harbor", "holds no task folder"},
		"a broken row one": {place(t, "x.jsonl", "{"), "", "the first row is not read"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(c.path, c.format, Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestFoldersOfTasksOfTwoFormats(t *testing.T) {
	dir := t.TempDir()
	for _, file := range []string{"a/task.toml", "b/task.yaml"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(file)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(dir, "", Options{}); err == nil || !strings.Contains(err.Error(), "--format: harbor, terminal-bench") {
		t.Errorf("got %v", err)
	}
	source, err := Open(dir, "terminal-bench", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if diff := cmp.Diff([]string{"b"}, source.folders); diff != "" {
		t.Errorf("folders differ (-want +got):\n%s", diff)
	}
}

func TestLinksOutOfAFolderAreNotFollowed(t *testing.T) {
	secret := place(t, "secret.jsonl", rowA)
	dir := t.TempDir()
	if err := os.Symlink(secret, filepath.Join(dir, "x.jsonl")); err != nil {
		t.Fatal(err)
	}
	if got, err := idsOf(t, dir); err == nil {
		t.Errorf("got %q from outside of the folder", got)
	}
	if got, err := idsOf(t, filepath.Join(dir, "x.jsonl")); err != nil || len(got) != 1 {
		t.Errorf("a link that the user names: got %q, %v", got, err)
	}
}

func TestAFIFOIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "x.jsonl"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := idsOf(t, dir); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got %v", err)
	}
}

func TestTheCallerCanEndTheReading(t *testing.T) {
	source, err := Open(place(t, "x.jsonl", rowA+"\n"+rowB), "swe-bench", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	enough, n := errors.New("enough"), 0
	err = source.Each(func(*Record) error { n++; return enough })
	if !errors.Is(err, enough) || n != 1 {
		t.Errorf("read %d rows: %v", n, err)
	}
}
