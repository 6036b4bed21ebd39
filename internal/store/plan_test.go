package store

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNoStatementReadsAWholeTable asks SQLite how it would do each statement that runs
// more often than an operator types.
func TestNoStatementReadsAWholeTable(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "assay.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	ofTheLiving := []string{"sessions_live", "interactions_running", "verifications_open"} // indexes of few rows
	for _, text := range slices.Concat(hotReads, hotWrites, []string{
		selectSessionByKey, countLiveOfUser, countLive, selectLive, setSessionHandle,
		selectRunning, selectRunningOfSession,
		selectVerificationByKey, countOpen, selectOpen, moveVerification, setVerificationHandle,
		selectUser, selectUsers, setActive, countKeys, selectKeys, revokeKey,
		insertLogin, deleteExpiredLogins, deleteOldLogins, selectLogins, selectLoginByHash, revokeLogin, revokeLogins,
		insertState, deleteExpiredStates, takeState,
		selectSamples, selectSamplesOfDataset, dropLatest, setLatest,
	}) {
		for _, step := range plan(t, s, text) {
			_, index, _ := strings.Cut(step, " USING INDEX ")
			scans := strings.HasPrefix(step, "SCAN ") && !slices.Contains(ofTheLiving, index)
			if scans || strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s\n\t%s", text, step)
			}
		}
	}
}

// plan is how SQLite would do a statement.
func plan(t *testing.T, s *Store, text string) []string {
	t.Helper()
	args := make([]any, strings.Count(text, "$"))
	rows, err := s.reader.rows(t.Context(), "EXPLAIN QUERY PLAN "+text, args...)
	steps, err := collect(rows, err, func(row scanner) (step string, err error) {
		var id, parent, unused int
		err = row.Scan(&id, &parent, &unused, &step)
		return step, err
	})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return steps
}
