package jobs

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"
	"go.uber.org/goleak"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"assay/internal/store/pgtest"
)

// envCrash names, in a child process of this test, the database of the queue.
const envCrash = "ASSAY_TEST_JOBS_CRASH"

func TestMain(m *testing.M) {
	if path := os.Getenv(envCrash); path != "" {
		if err := workUntilKilled(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	goleak.VerifyTestMain(pgtest.Stopping(m))
}

// engines are the databases that tests run on, each with a way to make an empty one.
var engines = map[string]func(testing.TB) string{
	"sqlite":   func(tb testing.TB) string { return filepath.Join(tb.TempDir(), "q.db") },
	"postgres": pgtest.Database,
}

// onEach runs a test on an empty database of each engine.
func onEach(t *testing.T, test func(t *testing.T, db *sql.DB)) {
	for name, database := range engines {
		t.Run(name, func(t *testing.T) { test(t, newDB(t, database(t))) })
	}
}

// openDB opens a database with the queue's tables.
func openDB(ctx context.Context, name string) (*sql.DB, error) {
	driver, dsn, size := "sqlite", "file:"+name+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(normal)&_txlock=immediate", 1
	if strings.HasPrefix(name, "postgres://") {
		driver, dsn, size = "pgx", name, 4
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	return db, Migrate(ctx, db)
}

func newDB(tb testing.TB, name string) *sql.DB {
	tb.Helper()
	db, err := openDB(tb.Context(), name)
	must(tb, err)
	tb.Cleanup(func() { must(tb, db.Close()) })
	return db
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// newQueue makes a queue and stops it when the test ends.
func newQueue(tb testing.TB, db *sql.DB, cfg Config) *Queue {
	tb.Helper()
	q, err := New(db, cfg)
	must(tb, err)
	tb.Cleanup(func() { must(tb, q.Stop(context.Background())) })
	return q
}

func started(tb testing.TB, db *sql.DB, verify func(context.Context, string) error) *Queue {
	tb.Helper()
	q := newQueue(tb, db, Config{Verify: verify})
	must(tb, q.Start(tb.Context()))
	return q
}

func enqueue(tb testing.TB, q *Queue, db *sql.DB, id string) {
	tb.Helper()
	tx, err := db.BeginTx(tb.Context(), nil)
	must(tb, err)
	defer tx.Rollback()
	committed, err := q.EnqueueVerification(tb.Context(), tx, id)
	must(tb, err)
	must(tb, tx.Commit())
	committed()
}

// states counts the stored jobs by state.
func states(tb testing.TB, db *sql.DB) map[string]int {
	tb.Helper()
	rows, err := db.QueryContext(tb.Context(), `SELECT state, count(*) FROM river_job GROUP BY state`)
	must(tb, err)
	defer rows.Close()
	counts := map[string]int{}
	for rows.Next() {
		var (
			state string
			n     int
		)
		must(tb, rows.Scan(&state, &n))
		counts[state] = n
	}
	must(tb, rows.Err())
	return counts
}

func TestJobStartsAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *sql.DB) {
		begun := make(chan time.Time)
		q := started(t, db, func(context.Context, string) error {
			begun <- time.Now()
			return nil
		})
		var waits []time.Duration
		slow := 0
		for i := range 40 {
			at := time.Now()
			enqueue(t, q, db, fmt.Sprint(i))
			wait := (<-begun).Sub(at)
			if waits = append(waits, wait); wait > pollInterval/10 {
				slow++
			}
			if slow > 3 {
				t.Fatalf("jobs waited for %v: the bell is not heard", waits)
			}
		}
		slices.Sort(waits)
		t.Logf("from enqueueing to the start: median %v, longest %v", waits[len(waits)/2], waits[len(waits)-1])
	})
}

// TestJobWaitsForItsCommit rings the bell, and lets some time pass in which the job is
// not there yet.
func TestJobWaitsForItsCommit(t *testing.T) {
	onEach(t, func(t *testing.T, db *sql.DB) {
		begun := make(chan string, 2)
		q := started(t, db, func(_ context.Context, id string) error {
			begun <- id
			return nil
		})
		tx, err := db.Begin()
		must(t, err)
		early, err := q.EnqueueVerification(t.Context(), tx, "rolled back")
		must(t, err)
		must(t, tx.Rollback())
		early()

		tx, err = db.Begin()
		must(t, err)
		committed, err := q.EnqueueVerification(t.Context(), tx, "committed")
		must(t, err)
		committed() // too early
		select {
		case id := <-begun:
			t.Fatalf("job %q began before its transaction was committed", id)
		case <-time.After(50 * time.Millisecond):
		}
		must(t, tx.Commit())
		committed()
		if id := <-begun; id != "committed" {
			t.Errorf("job %q began, want the one that was committed", id)
		}
	})
}

func TestJobEnqueuedBeforeTheStart(t *testing.T) {
	onEach(t, func(t *testing.T, db *sql.DB) {
		begun := make(chan string)
		q := newQueue(t, db, Config{Verify: func(_ context.Context, id string) error {
			begun <- id
			return nil
		}})
		enqueue(t, q, db, "early")
		must(t, q.Start(t.Context()))
		if id := <-begun; id != "early" {
			t.Errorf("job %q began", id)
		}
	})
}

func TestFailureIsTriedAgain(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("the disk is full") },
		"panic": func() error { panic("a bug") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, db *sql.DB) {
				var calls atomic.Int32
				done := make(chan struct{})
				q := started(t, db, func(context.Context, string) error {
					if calls.Add(1) == 1 {
						return fail()
					}
					close(done)
					return nil
				})
				enqueue(t, q, db, "x")
				<-done
				if n := calls.Load(); n != 2 {
					t.Errorf("called %d times, want 2", n)
				}
			})
		})
	}
}

func TestPausesGrow(t *testing.T) {
	for failed, want := range map[int]time.Duration{0: time.Second, 1: 2 * time.Second, 9: 512 * time.Second, 10: 10 * time.Minute, 99: 10 * time.Minute} {
		got := time.Until(pauses{}.NextRetry(jobThatFailed(failed)))
		if got > want || got < want-time.Second/2 {
			t.Errorf("after %d failures before this one: a pause of %v, want %v", failed, got, want)
		}
	}
}

func TestOnlySoManyAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *sql.DB) {
		const most = 3
		var now, peak atomic.Int32
		proceed, ended := make(chan struct{}), make(chan struct{}, 20)
		full := make(chan struct{}, 20)
		q := newQueue(t, db, Config{MaxVerifications: most, Verify: func(context.Context, string) error {
			n := now.Add(1)
			for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
			}
			full <- struct{}{}
			<-proceed
			now.Add(-1)
			ended <- struct{}{}
			return nil
		}})
		must(t, q.Start(t.Context()))
		for i := range 10 {
			enqueue(t, q, db, fmt.Sprint(i))
		}
		for range most {
			<-full
		}
		close(proceed)
		for range 10 {
			<-ended
		}
		if p := peak.Load(); p != most {
			t.Errorf("%d jobs ran at once, want %d", p, most)
		}
	})
}

func TestStopWaitsForJobs(t *testing.T) {
	onEach(t, func(t *testing.T, db *sql.DB) {
		begun, proceed := make(chan struct{}), make(chan struct{})
		var ended atomic.Bool
		q := started(t, db, func(ctx context.Context, _ string) error {
			close(begun)
			<-proceed
			ended.Store(ctx.Err() == nil)
			return ctx.Err()
		})
		enqueue(t, q, db, "x")
		<-begun
		stopped := make(chan error)
		go func() { stopped <- q.Stop(context.Background()) }()
		select {
		case err := <-stopped:
			t.Fatalf("Stop returned %v while a job ran", err)
		case <-time.After(50 * time.Millisecond):
		}
		close(proceed)
		must(t, <-stopped)
		if !ended.Load() {
			t.Error("the context of the job ended although Stop had time")
		}
		must(t, q.Stop(context.Background()))
		if err := q.Start(t.Context()); err == nil {
			t.Error("a queue that was stopped started")
		}
		if got := states(t, db); got["completed"] != 1 {
			t.Errorf("jobs by state: %v, want one completed", got)
		}
	})
}

// TestJobThatWasCutShortIsDoneAtTheNextStart stops without patience.
func TestJobThatWasCutShortIsDoneAtTheNextStart(t *testing.T) {
	onEach(t, func(t *testing.T, db *sql.DB) {
		begun := make(chan struct{})
		q := started(t, db, func(ctx context.Context, _ string) error {
			close(begun)
			<-ctx.Done()
			return ctx.Err()
		})
		enqueue(t, q, db, "x")
		<-begun
		now, cancel := context.WithCancel(context.Background())
		cancel()
		must(t, q.Stop(now))
		if got := states(t, db); got["available"] != 1 {
			t.Errorf("jobs by state: %v, want one available", got)
		}

		again := make(chan string)
		next := newQueue(t, db, Config{Verify: func(_ context.Context, id string) error {
			again <- id
			return nil
		}})
		must(t, next.Start(t.Context()))
		if id := <-again; id != "x" {
			t.Errorf("job %q began, want x", id)
		}
	})
}

func TestStopWithoutStart(t *testing.T) {
	onEach(t, func(t *testing.T, db *sql.DB) {
		q := newQueue(t, db, Config{Verify: func(context.Context, string) error { return nil }})
		must(t, q.Stop(t.Context()))
	})
}

func TestNewRefuses(t *testing.T) {
	db := newDB(t, filepath.Join(t.TempDir(), "q.db"))
	if _, err := New(db, Config{}); err == nil {
		t.Error("a queue without a function was made")
	}
	db.SetMaxOpenConns(2)
	if _, err := New(db, Config{Verify: func(context.Context, string) error { return nil }}); err == nil {
		t.Error("a queue with two writers was made")
	}
}

// workUntilKilled does a job that never ends, in a child process of the test below.
func workUntilKilled(path string) error {
	db, err := openDB(context.Background(), path)
	if err != nil {
		return err
	}
	q, err := New(db, Config{MaxVerifications: 2, Verify: func(_ context.Context, id string) error {
		fmt.Println(id)
		select {}
	}})
	if err != nil {
		return err
	}
	if err := q.Start(context.Background()); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin) // until the parent is gone
	return err
}

// TestKilledJobsAreDoneAgain kills a process in the middle of two jobs.
func TestKilledJobsAreDoneAgain(t *testing.T) {
	for name, database := range engines {
		t.Run(name, func(t *testing.T) { testKilledJobs(t, database(t)) })
	}
}

func testKilledJobs(t *testing.T, path string) {
	db := newDB(t, path)
	begun := make(chan string)
	q := newQueue(t, db, Config{MaxVerifications: 3, Verify: func(_ context.Context, id string) error {
		begun <- id
		return nil
	}})
	want := []string{"a", "b", "c"}
	for _, id := range want {
		enqueue(t, q, db, id)
	}
	killInJobs(t, path, 2)
	if got := states(t, db); got["running"] != 2 || got["available"] != 1 {
		t.Fatalf("jobs by state: %v, want two running and one available", got)
	}

	n, err := q.Recover(t.Context())
	must(t, err)
	if n != 2 {
		t.Errorf("%d jobs were put back, want 2", n)
	}
	if n, err := q.Recover(t.Context()); n != 0 || err != nil {
		t.Errorf("a second time: %d jobs, %v; want none", n, err)
	}
	must(t, q.Start(t.Context()))
	var got []string
	for range want {
		got = append(got, <-begun)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("jobs %v were done, want %v", got, want)
	}
	if _, err := q.Recover(t.Context()); err == nil {
		t.Error("the jobs of a queue that is started were put back")
	}
}

// killInJobs starts a process that does jobs and kills it when it does n of them.
func killInJobs(t *testing.T, path string, n int) {
	t.Helper()
	child := osexec.Command(os.Args[0])
	child.Env = append(os.Environ(), envCrash+"="+path)
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	must(t, err)
	defer stdin.Close()
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	lines := bufio.NewScanner(out)
	for range n {
		if !lines.Scan() {
			t.Errorf("the child ended before it was killed: %v", lines.Err())
		}
	}
	must(t, child.Process.Kill())
	_ = child.Wait() // always an error: it was killed
}

// BenchmarkEnqueueToStart is the time from the beginning of the transaction until the
// job's function is called.
func BenchmarkEnqueueToStart(b *testing.B) {
	for name, database := range engines {
		b.Run(name, func(b *testing.B) {
			begun := make(chan struct{})
			db := newDB(b, database(b))
			q := started(b, db, func(context.Context, string) error {
				begun <- struct{}{}
				return nil
			})
			for b.Loop() {
				enqueue(b, q, db, "x")
				<-begun
			}
		})
	}
}

func jobThatFailed(times int) *rivertype.JobRow {
	return &rivertype.JobRow{Errors: make([]rivertype.AttemptError, times)}
}
