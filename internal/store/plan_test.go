package store

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"assay/internal/store/pgtest"
)

// frequent are the statements that run more often than an operator types.
var frequent = slices.Concat(hotReads, hotWrites, []string{
	selectSessionByKey, countLiveOfUser, countLive, selectLive, setSessionHandle,
	selectRunning, selectRunningOfSession, insertLookup, selectLookups,
	selectVerificationByKey, countOpen, selectOpen, moveVerification, setVerificationHandle,
	selectUser, selectUsers, setActive, countKeys, selectKeys, selectKey, revokeKey,
	insertLogin, deleteExpiredLogins, deleteOldLogins, selectLogins, selectLoginByHash, revokeLogin, revokeLogins,
	insertState, deleteExpiredStates, takeState,
	selectLiveOfUser, selectBilledUsers, selectLiveOfDisabled, countLiveByStatus, countOpenByStatus,
	selectTransactionByKey, selectLastTransaction, selectLastOfType, selectBalance,
	selectLastBefore, selectLastBelow, selectTotalsAt, selectNewest, selectNewestOfType,
	selectDeposit, selectDepositOfPayment, selectDepositByKey, selectOpenDeposits, settleDeposit, setPayment,
	selectCustomer, selectRefunded, selectDisputes, sumRefundsOfDeposit,
	insertWork, selectWork, markReusable, selectReusable, selectLastVerification, insertEnvelope, selectEnvelope,
	selectSamples, selectSamplesOfDataset, dropLatest, setLatest, selectJudging, setJudging, selectPlay, insertPlay, movePlay, selectPlayed, selectExposure, insertTold, selectTold,
	selectSessionUses, selectVerificationUses, selectAlterations, upsertTrial, selectTrial, insertSeed, dropTrials, dropOtherTrials, dropTrialsOfSample, addShown, selectShown,
	insertWithdrawal, selectWithdrawal, selectWithdrawn, forgetReusable, selectNarrow,
	settleStored, dropWrites,
	selectRuns, selectLastCampaign, insertRun, upsertConclusion, selectHash, selectQuarantines,
})

// ofTheLiving are indexes of few rows, which may be read as a whole.
var ofTheLiving = []string{"sessions_live", "interactions_running", "verifications_open", "verifications_queue"}

// TestNoStatementReadsAWholeTable asks SQLite how it would do each statement.
func TestNoStatementReadsAWholeTable(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "assay.db"))
	for _, text := range frequent {
		for _, step := range plan(t, s, text) {
			_, index, _ := strings.Cut(step, " USING INDEX ")
			scans := strings.HasPrefix(step, "SCAN ") && !slices.Contains(ofTheLiving, index)
			if scans || strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s\n\t%s", text, step)
			}
		}
	}
}

func opened(t *testing.T, database string) *Store {
	t.Helper()
	s, err := Open(t.Context(), database, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
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

// node is a step of a plan of PostgreSQL.
type node struct {
	Kind      string `json:"Node Type"`
	Relation  string `json:"Relation Name"`
	Index     string `json:"Index Name"`
	Condition string `json:"Index Cond"`
	Plans     []node
}

// TestPostgreSQLCanDoEachStatementByAnIndex asks PostgreSQL how it would do each
// statement if it wanted neither to read a whole table nor to sort: tables of a test
// are so small that it wants to. It then does so only where it must.
func TestPostgreSQLCanDoEachStatementByAnIndex(t *testing.T) {
	s := opened(t, pgtest.Database(t))
	conn, err := s.queue.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	run := func(text string) {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	run(`SET enable_seqscan = off`)
	run(`SET enable_bitmapscan = off`)
	run(`SET enable_sort = off`)
	run(`SET plan_cache_mode = force_generic_plan`)
	for _, text := range frequent {
		run(`PREPARE statement AS ` + text)
		var plans []struct{ Plan node }
		var answer []byte
		execute := `EXPLAIN (FORMAT JSON) EXECUTE statement`
		if n := placeholders(text); n > 0 {
			execute += `(NULL` + strings.Repeat(`, NULL`, n-1) + `)`
		}
		if err := conn.QueryRowContext(t.Context(), execute).Scan(&answer); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if err := json.Unmarshal(answer, &plans); err != nil {
			t.Fatal(err)
		}
		run(`DEALLOCATE statement`)
		for _, p := range plans {
			checkNode(t, text, p.Plan)
		}
	}
}

// placeholders counts the different $1, $2, ... of a statement.
func placeholders(text string) int {
	n := 0
	for strings.Contains(text, "$"+strconv.Itoa(n+1)) {
		n++
	}
	return n
}

func checkNode(t *testing.T, text string, n node) {
	t.Helper()
	whole := strings.HasSuffix(n.Kind, "Scan") && n.Condition == "" && !slices.Contains(ofTheLiving, n.Index)
	if whole || strings.HasSuffix(n.Kind, "Sort") {
		t.Errorf("%s\n\t%s of %s %s", text, n.Kind, n.Relation, n.Index)
	}
	for _, below := range n.Plans {
		checkNode(t, text, below)
	}
}
