// Package queue has the verifications that wait judged in the background. Their rows in the
// database are the queue: there is no other list that could say something else.
//
//	pending ──claim──> leased ──> ended, by who has the lease
//	   ^                 │
//	   └─────────────────┘  its attempt failed: again after a pause, from a second to ten minutes
//	                        Stop cut it short: at once, by the next server; that counts for nothing
//	                        its server died: at once, and the row knows, see assay.TrialAfter
//
// Who works on a row has a lease on it, renews it as long as it works, and writes to the row as
// its holder alone: a write under a lease that is lost changes nothing.
//
// Users take turns: who has the fewest verifications under way is next, of several the one who
// was served least recently. A verification that is tried alone comes after all others, waits
// until nothing runs in its server, and nothing begins there until it has ended.
//
// One starts at once when it is stored by this server, or by another one on PostgreSQL, whose
// news is listened to; what nobody told of is found by a look now and then.
package queue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"assay"
	"assay/internal/wake"
)

// Job is a verification that was claimed.
type Job struct {
	*assay.Verification
	Origin string // the request that it is done for, as JSON: see telemetry.Origin
}

// Claim says how a job is claimed.
type Claim struct {
	Lease string        // never used before
	For   time.Duration // that it holds without being renewed
	Alone bool          // nothing else runs here, so that also one may be claimed which is tried alone
	At    time.Time     // when the attempt begins
}

// Release says how a job goes back that has not ended.
type Release struct {
	CutShort bool          // by a stop: the attempt does not count
	Pause    time.Duration // before it is claimed again
}

// Counts are numbers of jobs that have not ended.
type Counts struct {
	Available int // may be claimed now
	Alone     int // may be claimed by who runs nothing else
	Paused    int // will be available later
	Running   int

	Mine      int           // of those that run, here
	MineAlone bool          // one of them is tried alone
	Expired   int           // others' leases that were not renewed
	Next      time.Duration // until the first of the paused ones is available; 0 for none
}

// Store keeps the queue. Its clock is that of the database, so that several servers agree.
type Store interface {
	// ClaimVerification claims the job that is next; nil when there is none. Who claims
	// beside others never gets the job of another, and does not wait for them.
	ClaimVerification(ctx context.Context, c Claim) (*Job, error)
	// RenewLease lets a lease hold for a while from now; not held means that it is lost.
	RenewLease(ctx context.Context, lease string, holds time.Duration) (held bool, err error)
	// ReleaseVerification gives a job back; not released means that the lease was lost.
	ReleaseVerification(ctx context.Context, lease string, r Release) (released bool, err error)
	// ReapVerifications gives the jobs back whose server died: those with a lease of another
	// server that was not renewed, or with any lease of another if all others are dead.
	ReapVerifications(ctx context.Context, server string, allDead bool) (jobs int, err error)
	// CountQueue counts for a server.
	CountQueue(ctx context.Context, server string) (Counts, error)
	// ListenToQueue calls heard when another server may have stored a job, until ctx ends.
	// It returns at once where there cannot be another server.
	ListenToQueue(ctx context.Context, log *slog.Logger, heard func())
}

// Config says what a Queue does.
type Config struct {
	Store Store
	// Judge makes an attempt at a verification, stores what became of it, and returns nil; or
	// it returns an error, and is called again later. Its context ends when the lease is lost,
	// and when Stop cuts it short. Required.
	Judge func(ctx context.Context, v *assay.Verification) error
	// Workers is how many are judged at once. Defaults to 2.
	Workers int
	// Lease is how long a lease holds that is not renewed; it is renewed four times as often.
	// Defaults to a minute.
	Lease time.Duration
	// Log hears of jobs that fail. Defaults to none.
	Log *slog.Logger
}

const (
	// lookEvery is how often the queue is looked at although nobody told of a job.
	lookEvery = 5 * time.Second
	// cutShortBound is how long Stop waits for jobs whose context it has ended.
	cutShortBound = 20 * time.Second
)

var (
	errStopped = errors.New("the server stops")
	errLost    = errors.New("another has taken the verification over")
)

// Queue is the jobs of a server. It is safe for concurrent use.
type Queue struct {
	cfg    Config
	server string        // begins all its leases
	rung   chan struct{} // holds one ring until it is heard
	news   wake.Hub      // of jobs that come, begin and end, by newsKey

	strays []stray // are the dispatcher's alone

	loops    sync.WaitGroup // the dispatcher and the listener
	workers  sync.WaitGroup
	endLoops context.CancelFunc
	cutShort context.CancelCauseFunc // ends the jobs' contexts

	life  sync.Mutex    // is held while it starts or stops
	bound time.Duration // cutShortBound, but for tests

	mu      sync.Mutex
	claims  uint64
	running map[string]*Job // by lease

	started, stopped bool
}

// serverLength is the length of what begins the leases of a server.
const serverLength = 8

// New returns a queue. Start it before its jobs are done; they can be stored before.
func New(cfg Config) (*Queue, error) {
	if cfg.Judge == nil {
		return nil, errors.New("make the queue: there is no function that judges")
	}
	if cfg.Workers == 0 {
		cfg.Workers = 2
	}
	if cfg.Lease == 0 {
		cfg.Lease = time.Minute
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Queue{
		cfg: cfg, server: strings.ToLower(rand.Text()[:serverLength]),
		rung: make(chan struct{}, 1), running: map[string]*Job{}, bound: cutShortBound,
	}, nil
}

// Wake tells that a job may have been stored.
func (q *Queue) Wake() {
	q.ring()
	q.news.Notify(newsKey)
}

func (q *Queue) ring() {
	select {
	case q.rung <- struct{}{}:
	default: // it rings already
	}
}

// Recover gives the jobs back that were under way when other servers of this database died,
// and returns how many there were. It must be called before Start, and while no other server
// works on the database.
func (q *Queue) Recover(ctx context.Context) (jobs int, err error) {
	q.life.Lock()
	defer q.life.Unlock()
	if q.started {
		return 0, errors.New("recover the queue: it was started")
	}
	jobs, err = q.cfg.Store.ReapVerifications(ctx, q.server, true)
	if err != nil {
		return 0, fmt.Errorf("recover the queue: %w", err)
	}
	if jobs > 0 {
		q.cfg.Log.Info("verifications begin again that were under way when the server died", "verifications", jobs)
	}
	return jobs, nil
}

// Start begins to do jobs. ctx bounds the starting alone; Stop ends the work.
func (q *Queue) Start(ctx context.Context) error {
	q.life.Lock()
	defer q.life.Unlock()
	if q.started || q.stopped {
		return errors.New("start the queue: it was started or stopped before")
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("start the queue: %w", err)
	}
	q.started = true
	base := context.WithoutCancel(ctx)
	var looping, working context.Context
	looping, q.endLoops = context.WithCancel(base)
	working, q.cutShort = context.WithCancelCause(base)
	q.loops.Go(func() { q.dispatch(looping, working) })
	q.loops.Go(func() { q.cfg.Store.ListenToQueue(looping, q.cfg.Log, q.Wake) })
	return nil
}

// Stop takes no new jobs, waits for those that run until ctx ends, and then ends their
// contexts. It returns when all have returned. Those that were cut short are done again at the
// next start, also one that does not heed the end of its context: that is an error. Calling it
// again, or without Start, does nothing.
func (q *Queue) Stop(ctx context.Context) error {
	q.life.Lock()
	defer q.life.Unlock()
	wasRunning := q.started && !q.stopped
	q.stopped = true
	if !wasRunning {
		return nil
	}
	q.endLoops()
	q.loops.Wait()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		q.workers.Wait()
	}()
	defer q.cutShort(nil)
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	q.cutShort(errStopped)
	select {
	case <-ended:
		return nil
	case <-time.After(q.bound):
		return q.abandon(context.WithoutCancel(ctx))
	}
}

// abandon gives the jobs back that do not end: what they still write is refused.
func (q *Queue) abandon(ctx context.Context) error {
	errs := []error{errors.New("stop the queue: its jobs do not heed the end of their context")}
	for _, lease := range q.leases() {
		_, err := q.cfg.Store.ReleaseVerification(ctx, lease, Release{CutShort: true})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// newLease returns a lease that nobody has had.
func (q *Queue) newLease() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.claims++
	return q.server + strconv.FormatUint(q.claims, 36)
}

// leases returns those of the jobs that run.
func (q *Queue) leases() (all []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for lease := range q.running {
		all = append(all, lease)
	}
	return all
}
