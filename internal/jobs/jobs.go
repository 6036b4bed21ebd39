// Package jobs does work in the background that must outlive the process: a job is
// stored in the same transaction as the thing that it is about, and is done at
// least once. It is the only importer of the queue library, River.
//
// The life of a job:
//
//	Enqueue (in tx) -> available -> running -> completed; removed a day later
//	                       ^           |
//	                       +-----------+  its function failed: again after a pause that
//	                                      doubles from a second to ten minutes
//	                                      Stop cut it short: at once, at the next Start
//	                                      the process was killed: at once, after Recover
//
// Whether a failure is worth another try is the business of the service: it stores
// what became of the thing and returns nil. An error means that it could not
// even store that.
//
// A job starts at once, not at the next look at the table: see bell.
package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"assay/internal/telemetry"
	"assay/internal/wake"
)

// Config says what a Queue does.
type Config struct {
	// Verify judges the verification with an id. It may be called more than once for
	// one id, also at the same time, and must find out itself that there is nothing
	// to do. Its context ends when Stop cuts it short. Required.
	Verify func(ctx context.Context, verificationID string) error
	// MaxVerifications is how many are judged at once. Defaults to 2.
	MaxVerifications int
	// Log hears of jobs that fail. Defaults to none.
	Log *slog.Logger
}

const (
	// pollInterval is how often the table is looked at although the bell did not
	// ring, for jobs whose pause is over.
	pollInterval = 5 * time.Second
	// maxAttempts is how often a job is done whose function fails. With the pauses in
	// between that takes more than half a day, in which the disk may be freed.
	maxAttempts = 100
	// keepCompleted is how long a job that was done stays in the table, to be looked at.
	keepCompleted = 24 * time.Hour
	// cutShortBound is how long Stop waits for jobs whose context it has ended.
	cutShortBound = 20 * time.Second
)

// Queue is the jobs of a server. It is safe for concurrent use.
type Queue struct {
	client  *river.Client[*sql.Tx]
	driver  *driver
	workers int
	news    *wake.Hub // of jobs that come, begin and end, by "jobs"
	log     *slog.Logger

	mu      sync.Mutex
	started bool
	stopped bool
}

// New returns the queue of a database whose tables Migrate has made. Of a SQLite
// database, db is the one connection that writes. Start it before its jobs are done;
// they can be enqueued before.
func New(db *sql.DB, cfg Config) (*Queue, error) {
	if cfg.Verify == nil {
		return nil, errors.New("make the job queue: there is no function that verifies")
	}
	if cfg.MaxVerifications == 0 {
		cfg.MaxVerifications = 2
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if open := db.Stats().MaxOpenConnections; open != 1 && !isPostgres(db) {
		return nil, fmt.Errorf("make the job queue: the database has up to %d connections, and must have one", open)
	}
	quiet := slog.New(warnings{cfg.Log.Handler()})
	driver := newDriver(db)
	workers, news := river.NewWorkers(), &wake.Hub{}
	if err := river.AddWorkerSafely(workers, &verifier{verify: cfg.Verify, news: news}); err != nil {
		return nil, fmt.Errorf("make the job queue: %w", err)
	}
	client, err := river.NewClient(driver, &river.Config{
		Queues:                      map[string]river.QueueConfig{queueName: {MaxWorkers: cfg.MaxVerifications}},
		Workers:                     workers,
		Logger:                      quiet,
		ErrorHandler:                &failures{cfg.Log},
		RetryPolicy:                 pauses{},
		MaxAttempts:                 maxAttempts,
		JobTimeout:                  -1, // the verification bounds itself
		RescueStuckJobsAfter:        24 * time.Hour,
		CompletedJobRetentionPeriod: keepCompleted,
		FetchCooldown:               river.FetchCooldownMin,
		FetchPollInterval:           pollInterval,
		ReindexerIndexNames:         []string{}, // SQLite's indexes do not bloat, and the table is small
	})
	if err != nil {
		return nil, fmt.Errorf("make the job queue: %w", err)
	}
	return &Queue{client: client, driver: driver, workers: cfg.MaxVerifications, news: news, log: cfg.Log}, nil
}

// EnqueueVerification adds the job of a verification in the transaction tx of the
// database that the queue was made for. The job has never been if tx is rolled back.
// It starts once tx is committed: at once when committed is called then, and otherwise
// at the next look at the table. The request that ctx belongs to is stored with it, and is
// that of the context with which Verify is called.
func (q *Queue) EnqueueVerification(ctx context.Context, tx *sql.Tx, verificationID string) (committed func(), err error) {
	origin, err := json.Marshal(telemetry.OriginOf(ctx))
	if err == nil {
		_, err = q.client.InsertTx(ctx, tx, verificationArgs{ID: verificationID}, &river.InsertOpts{Metadata: origin})
	}
	if err != nil {
		return nil, fmt.Errorf("enqueue verification %s: %w", verificationID, err)
	}
	return func() {
		q.driver.bell.ring()
		q.news.Notify(newsKey)
	}, nil
}

// Start begins to do jobs. ctx bounds the starting alone; Stop ends the work.
func (q *Queue) Start(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.started || q.stopped {
		return errors.New("start the job queue: it was started or stopped before")
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("start the job queue: %w", err)
	}
	if err := q.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the job queue: %w", err)
	}
	q.started = true
	return nil
}

// Stop takes no new jobs, waits for those that run until ctx ends, and then ends
// their contexts. It returns when all have returned. Those that were cut short are
// done again at the next start. Calling it again, or without Start, does nothing.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	wasRunning := q.started && !q.stopped
	q.stopped = true
	if !wasRunning {
		return nil
	}
	if err := q.client.Stop(ctx); err == nil || ctx.Err() == nil {
		return err
	}
	cut, cancel := context.WithTimeout(context.WithoutCancel(ctx), cutShortBound)
	defer cancel()
	if err := q.client.StopAndCancel(cut); err != nil {
		return fmt.Errorf("stop the job queue: its jobs do not heed the end of their context: %w", err)
	}
	return nil
}
