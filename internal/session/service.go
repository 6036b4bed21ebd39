// Package session gives users sandboxes: it makes them, runs commands and edits
// in them, ends them in time, and finds them again after a restart.
//
// The database holds the truth. What is in memory here (the connection to each
// live sandbox, who waits for what) is rebuilt by Recover. Each live session has
// one goroutine, its watch, that makes the sandbox, waits for its end and frees it.
package session

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/wake"
)

// Samples finds a version of a sample; the latest when version is 0.
type Samples interface {
	Sample(ctx context.Context, dataset, id string, version int) (*assay.Sample, error)
}

// Config says what a Service works with.
type Config struct {
	Store   Store
	Samples Samples
	Runtime sandbox.Runtime
	Log     *slog.Logger
	// ImageDigest returns what identifies the image that a reference names now: a session keeps
	// it. Defaults to none: sessions go by the name.
	ImageDigest func(ctx context.Context, ref string) (string, error)
	// Tracer takes the spans of what is done. Defaults to none.
	Tracer trace.Tracer
	// Observer hears what was done, for metrics. Defaults to nobody.
	Observer Observer

	Live        LiveLimits // how many sessions may live
	MaxCommands int        // running at once in a session. Defaults to 32
	MaxTTL      time.Duration

	// Price is what a minute of a session of a dataset costs. Defaults to nothing.
	Price func(dataset string) assay.MicroUSD
	// SeeEvery is how often it is stored which sessions live: what is billed of one
	// that is lost while no server runs is that much less at most. Defaults to 5
	// seconds.
	SeeEvery time.Duration

	// Creating bounds how many sandboxes are made at once. Defaults to 8.
	Creating int
	// Unreachable is how long a sandbox may not answer, without proof that it is dead,
	// until its session is ended. Defaults to 10 minutes.
	Unreachable time.Duration
	// BeatEvery is how often a sandbox is asked whether it answers, and BeatPatience how long
	// it may take: one that wants for CPU takes its time. Default to 5 and 20 seconds.
	BeatEvery, BeatPatience time.Duration
	// CreateTimeout bounds the making of one. Defaults to 5 minutes: its image may
	// have to be unpacked.
	CreateTimeout time.Duration
	// Clock is the time of the server, where the clock on the wall may jump. Defaults to none.
	Clock *Clock
	// Now is the time. Defaults to Clock's, or to time.Now without one.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.MaxCommands == 0 {
		c.MaxCommands = 32
	}
	if c.MaxTTL == 0 {
		c.MaxTTL = 24 * time.Hour
	}
	if c.Price == nil {
		c.Price = func(string) assay.MicroUSD { return 0 }
	}
	if c.SeeEvery == 0 {
		c.SeeEvery = 5 * time.Second
	}
	if c.Creating == 0 {
		c.Creating = 8
	}
	if c.Unreachable == 0 {
		c.Unreachable = 10 * time.Minute
	}
	if c.BeatEvery == 0 {
		c.BeatEvery = 5 * time.Second
	}
	if c.BeatPatience == 0 {
		c.BeatPatience = 20 * time.Second
	}
	if c.CreateTimeout == 0 {
		c.CreateTimeout = 5 * time.Minute
	}
	if c.Now == nil && c.Clock != nil {
		c.Now = c.Clock.Now
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Tracer == nil {
		c.Tracer = noop.NewTracerProvider().Tracer("")
	}
	if c.Observer == nil {
		c.Observer = nobody{}
	}
	return c
}

// Service is the sessions of a server. It is safe for concurrent use.
type Service struct {
	cfg      Config
	news     wake.Hub // by session id and by interaction id
	creating chan struct{}

	ctx    context.Context // ends when the service stops
	cancel context.CancelFunc

	// timeline is held for reading between asking for the time and storing what begins then, and
	// locked while the times of sessions are put forward.
	timeline sync.RWMutex
	behind   time.Duration // by how much the clock was put back, as far as it was said; of the one who sees
	unsure   *shift        // whose answer was lost; of the same

	mu      sync.Mutex
	stopped bool
	live    map[string]*live         // by session id
	spent   map[string]time.Duration // CPU time of the sandboxes that are gone, by user
	held    map[string]int           // sessions to whose end, and commands to which, somebody sees, by id
	work    sync.WaitGroup           // watches and running commands
}

// live is what the server knows of a live session beyond its row.
type live struct {
	userID string
	sample *assay.Sample
	end    context.CancelFunc // ends the watch's wait, once the row says that the session ended
	handle sandbox.Handle     // of its sandbox, or of what an earlier server left of it; without an ID when there is none
	box    sandbox.Sandbox    // nil while it is made, or does not answer
	silent bool               // it does not answer, and was given the time to
	// answered is when it did last.
	answered time.Time
	// reach ends, by forsake and with the reason, when box does not answer any more or the
	// session is over. nil before there was a box.
	reach   context.Context
	forsake context.CancelCauseFunc
	used    time.Duration // CPU time that it had used when somebody asked last
	gone    bool          // used is a part of Service.spent
}

// New returns a service without any live session; call Recover before serving.
func New(cfg Config) *Service {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	return &Service{
		cfg:      cfg,
		creating: make(chan struct{}, cfg.Creating),
		ctx:      ctx,
		cancel:   cancel,
		live:     make(map[string]*live),
		held:     make(map[string]int),
		spent:    make(map[string]time.Duration),
	}
}

// Stop ends the work of the service and leaves the sandboxes alive for the next
// start. It returns when every goroutine has ended, or with ctx's error.
// Calling it again waits again.
func (s *Service) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	s.seeOnce() // before the watches let go of what lives
	s.cancel()
	done := make(chan struct{})
	go func() { s.work.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errStopping = &assay.Error{Code: assay.CodeUnavailable, Message: "the server is stopping; try again in a moment"}

// spawn runs f in a goroutine that Stop waits for. It fails once the service has stopped.
func (s *Service) spawn(f func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errStopping
	}
	s.work.Go(f)
	return nil
}

// later runs f beside the caller. Once the service has stopped nobody does: the next start
// finds what is to be done in the database.
func (s *Service) later(ctx context.Context, f func()) {
	if err := s.spawn(f); err != nil {
		s.cfg.Log.WarnContext(ctx, "left to the next start", "err", err)
	}
}

// box returns the sandbox of a live session, or an error that tells its user why
// there is none.
func (s *Service) box(ctx context.Context, userID, id string) (*assay.Session, *live, sandbox.Sandbox, error) {
	sess, err := s.cfg.Store.Session(ctx, userID, id)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := readiness(sess); err != nil {
		return nil, nil, nil, err
	}
	l, box, err := s.boxOf(ctx, id)
	return sess, l, box, err
}

// owned returns nil if a session is a user's. The row is read only for those that do
// not live here: whose a session is never changes.
func (s *Service) owned(ctx context.Context, userID, id string) error {
	s.mu.Lock()
	l := s.live[id]
	s.mu.Unlock()
	if l != nil && l.userID == userID {
		return nil
	}
	_, err := s.cfg.Store.Session(ctx, userID, id)
	return err
}

// readiness tells the user of a session that is not ready what to do.
func readiness(sess *assay.Session) error {
	switch {
	case sess.Status == assay.SessionReady:
		return nil
	case sess.Status == assay.SessionCreating:
		return assay.Errorf(assay.CodeSessionNotReady, "session %s is still being created; wait until its status is ready", sess.ID)
	case sess.Error != nil:
		return assay.Errorf(assay.CodeSessionEnded, "session %s has ended (%s): %s; create a new one", sess.ID, sess.Error.Code, sess.Error.Message)
	default:
		return assay.Errorf(assay.CodeSessionEnded, "session %s is %s; create a new one", sess.ID, sess.Status)
	}
}

// finalBound is how long the last steps of something may take after the request or
// the service that began it has ended.
const finalBound = 15 * time.Second

// finally returns a context for the last steps: it outlives ctx, but not for long.
func finally(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), finalBound)
}
