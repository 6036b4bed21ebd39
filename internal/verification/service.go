// Package verification has the work of sessions judged, and keeps what came of it.
//
// A request stores the changes of the session's work tree at that moment. Run, which the queue
// calls for those that wait, has them judged by package evaluate, signs the verdict and stores
// it. After a start, Recover removes what earlier attempts have left.
package verification

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"golang.org/x/sys/unix"

	"assay"
	"assay/internal/evaluate"
	"assay/internal/persist"
	"assay/internal/rounds"
	"assay/internal/sandbox"
	"assay/internal/session"
	"assay/internal/wake"
)

// Sessions hands out what a session changed, and tells what a user's sandboxes have used so far.
type Sessions interface {
	CPU(ctx context.Context, userID string) time.Duration
	Get(ctx context.Context, userID, id string) (*assay.Session, error)
	// Snapshot writes it. When that cannot be, for what was done in the work tree, the
	// error wraps a *sandbox.WorkError, and the session is returned with it.
	Snapshot(ctx context.Context, userID, sessionID string, limits sandbox.ChangeLimits, w io.Writer) (*assay.Session, error)
}

// Samples finds a version of a sample.
type Samples interface {
	Sample(ctx context.Context, dataset, id string, version int) (*assay.Sample, error)
}

// Config says what a Service works with.
type Config struct {
	Store    Store
	Sessions Sessions
	Samples  Samples
	Runtime  sandbox.Runtime
	Wake     func() // is told that a verification waits for Run. Defaults to nobody
	Leases   Leases // tells what nobody works on any more. Defaults to nobody who knows
	Dir      string // holds the changes that wait to be judged; made when absent
	Log      *slog.Logger
	Tracer   trace.Tracer // takes the spans of what is done. Defaults to none
	Images   Images       // for patches and digests. Defaults to none: verdicts without
	Signer   Signer       // Defaults to none: verdicts are not signed
	Version  string       // of the program, for signed verdicts
	Observer Observer     // hears what was done, for metrics. Defaults to nobody

	// Yielding, if set, tells the CPU time that sandboxes have used that yield to all others:
	// what they take nobody wanted, so that it excuses no suite.
	Yielding func(ctx context.Context) time.Duration

	MaxOpen int                  // verifications of a session that have not ended. Defaults to 4
	Changes sandbox.ChangeLimits // of a session's work tree. Defaults to 20,000 files and 256 MiB
	Now     func() time.Time     // Defaults to time.Now

	// MaxPatchBytes bounds a judged patch that is kept, compressed. Defaults to 32 MiB.
	MaxPatchBytes int

	// Judging tells what is settled of a dataset, as far as readers are concerned. Defaults to
	// nothing.
	Judging func(ctx context.Context, dataset string) (assay.Judging, error)

	Rounds Rounds // Defaults to none

	// ReuseVerdicts lets a verdict stand for one on the same work, instead of judging it
	// again.
	ReuseVerdicts bool
}

func (c Config) withDefaults() Config {
	if c.MaxOpen == 0 {
		c.MaxOpen = 4
	}
	if c.Changes == (sandbox.ChangeLimits{}) {
		c.Changes = sandbox.ChangeLimits{MaxFiles: 20_000, MaxBytes: 256 << 20}
	}
	if c.Changes.Omit == nil {
		c.Changes.Omit = repository{}
	}
	if c.MaxPatchBytes == 0 {
		c.MaxPatchBytes = 32 << 20
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
	if c.Wake == nil {
		c.Wake = func() {}
	}
	if c.Observer == nil {
		c.Observer = nobody{}
	}
	if c.Judging == nil {
		c.Judging = func(context.Context, string) (assay.Judging, error) { return assay.Judging{}, nil }
	}
	return c
}

// Service is the verifications of a server. It is safe for concurrent use.
type Service struct {
	cfg  Config
	news wake.Hub
	dir  *os.Root

	evaluator *evaluate.Evaluator
	player    *rounds.Player

	diffs chan struct{} // holds a token for each that is being made for a request

	cleaning sync.WaitGroup
	endClean context.CancelFunc // of what Recover does in the background; nil before it
}

// New returns the service; call Recover before its jobs run. Close it at the end.
func New(cfg Config) (*Service, error) {
	cfg = cfg.withDefaults()
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of verifications: %w", err)
	}
	dir, err := os.OpenRoot(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder of verifications: %w", err)
	}
	evaluator := evaluate.New(evaluate.Config{Runtime: cfg.Runtime, Tracer: cfg.Tracer})
	return &Service{
		cfg: cfg, dir: dir, diffs: make(chan struct{}, maxDiffs), evaluator: evaluator,
		player: rounds.New(rounds.Config{Tester: evaluator, Limiter: cfg.Rounds.Beside}),
	}, nil
}

// Close waits for the last clean sandboxes to be gone and frees what New took. Nothing
// may be judged any more.
func (s *Service) Close() error {
	if s.endClean != nil {
		s.endClean()
	}
	s.cleaning.Wait()
	s.evaluator.Close()
	return s.dir.Close()
}

// Start takes the session's changes as they are now and stores a verification of
// them. Changes that cannot be taken, for what the work has become, are stored as the
// reason why, and judged as not solved. It does not wait for the verdict; see Await.
func (s *Service) Start(ctx context.Context, by Reader, sessionID string, idem session.Idempotency) (*assay.Verification, error) {
	if idem.Key != "" { // a retry needs no changes, and its session may have ended since
		v, err := s.cfg.Store.VerificationByKey(ctx, by.UserID, sessionID, idem)
		if assay.CodeOf(err) != assay.CodeJobNotFound {
			return v, err
		}
	}
	id := assay.NewID(assay.PrefixVerification)
	sess, err := s.saveChanges(ctx, by.UserID, sessionID, id)
	if work := (*sandbox.WorkError)(nil); errors.As(err, &work) {
		err = short(s.saveRefusal(id, work.Reason))
	}
	if err != nil {
		s.dropChanges(ctx, id)
		return nil, err
	}
	v, created, err := s.cfg.Store.InsertVerification(ctx, &assay.Verification{
		ID:            id,
		SessionID:     sess.ID,
		UserID:        sess.UserID,
		Dataset:       sess.Dataset,
		SampleID:      sess.SampleID,
		SampleVersion: sess.SampleVersion,
		Status:        assay.VerificationPending,
		CreatedAt:     s.cfg.Now().UTC(),
		Location:      s.cfg.Runtime.Location(),
		Feedback:      by.Feedback,
	}, idem, s.cfg.MaxOpen, originOf(ctx))
	if err == nil || persist.Uncertain(err) {
		s.cfg.Wake()
	}
	if persist.Uncertain(err) {
		return nil, err // an attempt may find the changes; if there is none, the next start removes them
	}
	if err != nil || !created {
		s.dropChanges(ctx, id)
	}
	return v, err
}

// sampleIn returns the sample of a session, in the image that the session began with: its name
// may mean another one by now.
func (s *Service) sampleIn(ctx context.Context, sess *assay.Session) (*assay.Sample, error) {
	sample, err := s.cfg.Samples.Sample(ctx, sess.Dataset, sess.SampleID, sess.SampleVersion)
	if err != nil {
		return nil, err
	}
	return sample.In(sess.ImageDigest), nil
}

// sampleOf is sampleIn of the session whose work a verification judges.
func (s *Service) sampleOf(ctx context.Context, v *assay.Verification) (*assay.Sample, error) {
	sess, err := s.cfg.Sessions.Get(ctx, v.UserID, v.SessionID)
	if err != nil {
		return nil, err
	}
	return s.sampleIn(ctx, sess)
}

// saveChanges stores the session's changes under the id of a verification. Its errors are
// those of Snapshot.
func (s *Service) saveChanges(ctx context.Context, userID, sessionID, id string) (_ *assay.Session, err error) {
	f, err := s.dir.OpenFile(changesName(id), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, short(fmt.Errorf("store the changes of session %s: %w", sessionID, err))
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			s.dropChanges(ctx, id)
			err = short(err)
		}
	}()
	sess, left, err := s.snapshot(ctx, userID, sessionID, f)
	if err != nil {
		return sess, err
	}
	return sess, s.saveLeftOut(id, left)
}

// short tells users to come back when it is our disk that takes no writes.
func short(err error) error {
	for _, need := range []error{unix.ENOSPC, unix.EDQUOT, unix.EROFS, unix.EIO} {
		if errors.Is(err, need) {
			return assay.Wrap(err, assay.CodeUnavailable, "the server has no room for the changes now; try again later")
		}
	}
	return err
}

func (s *Service) dropChanges(ctx context.Context, id string) {
	for _, name := range namesOf(id) {
		if err := s.dir.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.cfg.Log.ErrorContext(ctx, "cannot remove the changes of a verification", "verification", id, "err", err)
		}
	}
}

func changesName(id string) string { return id + ".tar" }

// namesOf are the files that a verification has until it ends.
func namesOf(id string) []string {
	return []string{changesName(id), leftOutName(id), refusalName(id), handName(id)}
}

// Get returns a verification of a user's session.
func (s *Service) Get(ctx context.Context, userID, sessionID, id string) (*assay.Verification, error) {
	return s.cfg.Store.Verification(ctx, userID, sessionID, id)
}

// Await returns the verification once it has ended, or as it is when ctx ends.
func (s *Service) Await(ctx context.Context, userID, sessionID, id string) (*assay.Verification, error) {
	return wake.Await(ctx, &s.news, id,
		func(ctx context.Context) (*assay.Verification, error) { return s.Get(ctx, userID, sessionID, id) },
		func(v *assay.Verification) bool { return v.Status.Final() })
}

// Uses tells whether a sandbox is one in which something is judged now, or that is being
// destroyed after that.
func (s *Service) Uses(sandboxID string) bool { return s.evaluator.Uses(sandboxID) }

// Owns tells whether a sandbox is one of a verification, by its id.
func Owns(h sandbox.Handle) bool { return strings.HasPrefix(h.ID, assay.PrefixVerification) }
