package store

import (
	"path/filepath"
	"testing"

	"assay"
	"assay/internal/store/pgtest"
)

// TestDatasetsFromBeforeTheSettingAreOfUsers migrates a database that has datasets.
func TestDatasetsFromBeforeTheSettingAreOfUsers(t *testing.T) {
	for name, database := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "assay.db") },
		"postgres": func(t *testing.T) string { return pgtest.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			const before = 12 // the version of the schema without the setting
			url := database(t)
			e, err := engineOf(url, Options{}.withDefaults())
			if err != nil {
				t.Fatal(err)
			}
			db, err := e.migrator()
			if err != nil {
				t.Fatal(err)
			}
			provider, err := newProvider(e, db)
			if err == nil {
				_, err = provider.UpTo(t.Context(), before)
			}
			if err == nil {
				_, err = db.ExecContext(t.Context(), `INSERT INTO datasets (name, description, created_at) VALUES ('old', '', 1)`)
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}

			s := opened(t, url)
			d, err := s.Dataset(t.Context(), "old")
			if err != nil {
				t.Fatal(err)
			}
			if d.Answers != assay.AnswersUsers {
				t.Errorf("it has answers %q", d.Answers)
			}
			// That was nobody's decision: a folder that says otherwise is obeyed.
			if _, err := s.ImportDataset(t.Context(), &assay.Dataset{Name: "old", Answers: assay.AnswersOperators}, nil); err != nil {
				t.Fatal(err)
			}
			if d, err := s.Dataset(t.Context(), "old"); err != nil || d.Answers != assay.AnswersOperators {
				t.Errorf("after an import it has answers %+v, %v", d, err)
			}
		})
	}
}

func TestVerdictsFromBeforeTheyToldOfAnswers(t *testing.T) {
	for text, want := range map[string]bool{
		`{"evidence":{"grader":"1"}}`: true,
		`{}`:                          true,
		`{"evidence":{"grader":"2","answers_open":false}}`: false,
		`{"evidence":{"grader":"2","answers_open":true}}`:  true,
	} {
		v, err := verdictOf(text)
		if err != nil || v.Evidence.AnswersOpen != want {
			t.Errorf("%s: answers open is %v, %v; want %v", text, v.Evidence.AnswersOpen, err, want)
		}
	}
}
