package store

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"assay"
	"assay/internal/queue"
	"assay/internal/store/pgtest"
)

// openBefore is what was open in a database of the queue that was before: a verification that
// waits, two that were under way when the server was killed or stopped, one whose job was given
// up because it could not be stored, and one that has ended.
const openBefore = `INSERT INTO users (id, name, email, created_at, active) VALUES ('usr_1', '', '', 1, 1);
	INSERT INTO datasets (name, description, created_at) VALUES ('old', '', 1);
	INSERT INTO samples SELECT 'old', 'one', 1, 1, '', 1, '', '', '', '', '', '', '', '', '', '', '[]', '[]', '[]', '{}';
	INSERT INTO sessions (id, user_id, dataset, sample_id, sample_version, status, requested_at, expires_at, location, handle) VALUES
		('ses_1', 'usr_1', 'old', 'one', 1, 'closed', 1, 1, '', '');
	INSERT INTO verifications (id, session_id, user_id, dataset, sample_id, sample_version, status, attempt, created_at, location, handle) VALUES
		('ver_1', 'ses_1', 'usr_1', 'old', 'one', 1, 'pending', 0, 1, '', ''),
		('ver_2', 'ses_1', 'usr_1', 'old', 'one', 1, 'starting', 3, 1, '', ''),
		('ver_3', 'ses_1', 'usr_1', 'old', 'one', 1, 'running', 2, 1, '', ''),
		('ver_4', 'ses_1', 'usr_1', 'old', 'one', 1, 'pending', 1, 1, '', ''),
		('ver_5', 'ses_1', 'usr_1', 'old', 'one', 1, 'completed', 1, 1, '', '');
	INSERT INTO river_job (kind, queue, max_attempts, state, finalized_at, args, metadata) VALUES
		('verify', 'verification', 100, 'available', NULL, JSON({"id":"ver_1"}), JSON({"request_id":"req_1","traceparent":"00-1","river:unique_nonce":"x"})),
		('verify', 'verification', 100, 'running', NULL, JSON({"id":"ver_2"}), JSON({"request_id":"req_2","snoozes":1})),
		('verify', 'verification', 100, 'retryable', NULL, JSON({"id":"ver_3"}), JSON({})),
		('verify', 'verification', 100, 'completed', '2026-01-01 00:00:00', JSON({"id":"ver_5"}), JSON({"request_id":"req_5"})),
		('other', 'default', 100, 'available', NULL, JSON({"id":"ver_4"}), JSON({"request_id":"req_4"}));`

// before returns what made the tables of the queue that was before, and what was open.
func before(t *testing.T, engine string) []string {
	t.Helper()
	begin, end := "'", "'" // a literal of either type
	if engine == "sqlite" {
		begin, end = "jsonb('", "')"
	}
	rows := strings.NewReplacer("JSON(", begin, "})", "}"+end).Replace(openBefore)
	return append(migrationsOfRiver(t, engine), rows)
}

// riverModules are the modules with the migrations of River, the queue that was before, and their
// sums, by engine.
var riverModules = map[string][2]string{
	"sqlite":   {"riversqlite", "h1:VmAPT1AETH3sqbbHG9GPiH0OmQFXJk+hFeRgCVUKoI0="},
	"postgres": {"riverdatabasesql", "h1:T16D1SBH3+wzjPZ1DQcX0nje5nsblzoK6dUhQp2zIhw="},
}

// migrationsOfRiver fetches them, in order, as of the last version that was used.
func migrationsOfRiver(t *testing.T, engine string) (texts []string) {
	t.Helper()
	module := riverModules[engine]
	fetch := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", "github.com/riverqueue/river/riverdriver/"+module[0]+"@v0.51.1")
	fetch.Dir = t.TempDir() // it is no module of ours
	out, err := fetch.Output()
	var found struct{ Dir, Sum string }
	if err == nil {
		err = json.Unmarshal(out, &found)
	}
	if err != nil || found.Sum != module[1] {
		t.Fatalf("fetch the migrations of %s: %v: %s", module[0], err, out)
	}
	files, err := filepath.Glob(filepath.Join(found.Dir, "migration", "main", "*.up.sql"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d migrations in %s: %v", len(files), found.Dir, err)
	}
	for _, name := range files { // they are sorted
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, strings.ReplaceAll(string(text), "/* TEMPLATE: schema */", ""))
	}
	return texts
}

func TestWhatTheQueueBeforeHadGoesOn(t *testing.T) {
	migratedFromEach(t, 21, before, func(t *testing.T, s *Store) {
		got := map[string]string{}
		for _, lease := range []string{"1", "2", "3", "4", "5"} {
			job, err := s.ClaimVerification(t.Context(), queue.Claim{Lease: lease, For: time.Minute, At: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			if job == nil {
				continue
			}
			if got[job.ID] = job.Origin; job.Attempt != 1 || job.Crashes != 0 {
				t.Errorf("%s is at attempt %d, and saw %d deaths", job.ID, job.Attempt, job.Crashes)
			}
		}
		for id, want := range map[string][]string{
			"ver_1": {`"request_id"`, `"req_1"`, `"traceparent"`, `"00-1"`}, "ver_2": {`"req_2"`}, "ver_3": {"{}"}, "ver_4": {"{}"},
		} {
			for _, part := range want {
				if !strings.Contains(got[id], part) || strings.Contains(got[id], "river") {
					t.Errorf("%s is for %s, want %s", id, got[id], part)
				}
			}
		}
		if len(got) != 4 {
			t.Errorf("%v go on, want those four that were open", got)
		}
		if v, err := s.Verification(t.Context(), "", "", "ver_5"); err != nil || v.Status != assay.VerificationCompleted {
			t.Errorf("what had ended is %+v, %v", v, err)
		}
		for _, table := range []string{"river_job", "river_queue", "river_leader", "river_notification", "river_migration"} {
			var there any
			if err := s.queue.db.QueryRow(s.engine.tableExists(), table).Scan(&there); err != nil || there != int64(0) && there != false {
				t.Errorf("table %s is there: %v, %v", table, there, err)
			}
		}
	})
}

// A server of before needs its tables as long as it runs.
func TestTheQueueBeforeIsNotTakenFromARunningServer(t *testing.T) {
	url := pgtest.Database(t)
	e, err := newPostgres(url, Options{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	serving, err := pgx.ConnectConfig(t.Context(), e.config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := serving.Exec(t.Context(), `SELECT pg_advisory_lock($1)`, int64(lockOfServer)); err != nil { // all that it takes
		t.Fatal(err)
	}
	if _, err := Migrate(t.Context(), url, Options{}); err == nil || !strings.Contains(err.Error(), "stop it first") {
		t.Errorf("it was migrated: %v", err)
	}
	if err := serving.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := Migrate(t.Context(), url, Options{}); err != nil {
		t.Errorf("after its end: %v", err)
	}
}
