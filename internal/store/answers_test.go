package store

import (
	"path/filepath"
	"testing"

	"assay"
	"assay/internal/store/pgtest"
)

// migratedFrom opens a database on each engine that had an older version of the schema, and
// rows of that time.
func migratedFrom(t *testing.T, version int64, insert string, check func(t *testing.T, s *Store)) {
	t.Helper()
	migratedFromEach(t, version, func(*testing.T, string) []string { return []string{insert} }, check)
}

// migratedFromEach is migratedFrom with what an engine says differently, one transaction after
// the other.
func migratedFromEach(t *testing.T, version int64, insert func(t *testing.T, engine string) []string, check func(t *testing.T, s *Store)) {
	t.Helper()
	for name, database := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "assay.db") },
		"postgres": func(t *testing.T) string { return pgtest.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
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
				_, err = provider.UpTo(t.Context(), version)
			}
			for _, text := range insert(t, name) {
				if err == nil {
					_, err = db.ExecContext(t.Context(), text)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			check(t, opened(t, url))
		})
	}
}

// oldDataset is one of any version of the schema.
const oldDataset = `INSERT INTO datasets (name, description, created_at) VALUES ('old', '', 1)`

func TestDatasetsFromBeforeTheSettingAreOfUsers(t *testing.T) {
	migratedFrom(t, 12, oldDataset, func(t *testing.T, s *Store) {
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

func TestKeysFromBeforeFeedbackAreToldAll(t *testing.T) {
	const old = `INSERT INTO users (id, name, email, created_at, active) VALUES ('usr_1', '', '', 1, 1);
		INSERT INTO api_keys (id, user_id, name, hash, hint, created_at) VALUES ('key_1', 'usr_1', '', 'ab', '', 1)`
	migratedFrom(t, 14, old, func(t *testing.T, s *Store) {
		if k, err := s.APIKey(t.Context(), "key_1"); err != nil || k.Feedback != assay.FeedbackFull {
			t.Errorf("the key is told %+v, %v", k, err)
		}
	})
}

func TestWhoHadAVerdictBeforeWasToldAll(t *testing.T) {
	const old = `INSERT INTO users (id, name, email, created_at, active) VALUES ('usr_1', '', '', 1, 1);
		INSERT INTO datasets (name, description, created_at) VALUES ('old', '', 1);
		INSERT INTO samples SELECT 'old', id, 1, 1, '', 1, '', '', '', '', '', '', '', '', '', '', '[]', '[]', '[]', '{}' FROM (SELECT 'one' AS id UNION SELECT 'two') AS ids;
		INSERT INTO sessions (id, user_id, dataset, sample_id, sample_version, status, requested_at, expires_at, location, handle) VALUES
			('ses_1', 'usr_1', 'old', 'one', 1, 'closed', 1, 1, '', ''), ('ses_2', 'usr_1', 'old', 'two', 1, 'closed', 1, 1, '', '');
		INSERT INTO verifications (id, session_id, user_id, dataset, sample_id, sample_version, status, attempt, created_at, location, handle) VALUES
			('ver_1', 'ses_1', 'usr_1', 'old', 'one', 1, 'completed', 1, 1, '', ''), ('ver_2', 'ses_2', 'usr_1', 'old', 'two', 1, 'error', 1, 1, '', '')`
	migratedFrom(t, 16, old, func(t *testing.T, s *Store) {
		for sample, want := range map[string]bool{"one": true, "two": false} {
			if told, err := s.DetailsTold(t.Context(), "usr_1", "old", sample, 1); told != want || err != nil {
				t.Errorf("told of sample %s: %v, %v", sample, told, err)
			}
		}
	})
}

func TestDatasetsFromBeforeJudgingSayNothingOfIt(t *testing.T) {
	migratedFrom(t, 14, oldDataset, func(t *testing.T, s *Store) {
		if j, err := s.Judging(t.Context(), "old"); err != nil || j != (assay.Judging{}) {
			t.Errorf("it is judged by %+v, %v", j, err)
		}
		want := assay.Judging{Rounds: 2}
		if _, err := s.ImportDataset(t.Context(), &assay.Dataset{Name: "old", Judging: want}, nil); err != nil {
			t.Fatal(err)
		}
		if j, err := s.Judging(t.Context(), "old"); err != nil || j != want {
			t.Errorf("after an import it is judged by %+v, %v", j, err)
		}
	})
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
