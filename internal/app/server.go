package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"assay"
	"assay/internal/attest"
	"assay/internal/httpapi"
	"assay/internal/queue"
	"assay/internal/reconcile"
	"assay/internal/sandbox/oci"
	"assay/internal/session"
	"assay/internal/store"
	"assay/internal/telemetry"
	"assay/internal/verification"
)

// server is an App that runs sandboxes and answers requests.
type server struct {
	*App
	runtime       *oci.Runtime
	sessions      *session.Service
	verifications *verification.Service
	queue         *queue.Queue
	searches      *searches // nil when it makes none
	reconciler    *reconcile.Reconciler
	verdictKeys   *attest.Keyring
	traces        *telemetry.Traces
	lock          *os.File
	claim         *store.Claim
	damage        *damage
	usurped       bool // another server has the database: nothing is waited for, nor stored
}

// Serve answers requests until ctx ends, and drains then: held requests are
// answered, running verifications get ShutdownTimeout to end, and sandboxes stay
// alive for the next start unless the configuration says otherwise. ready is
// called once with the URL of the server.
func (a *App) Serve(ctx context.Context, ready func(url string)) (err error) {
	s, err := a.newServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.recover(ctx); err != nil {
		return err
	}
	if err := s.queue.Start(ctx); err != nil {
		return err
	}
	return s.listen(ctx, ready)
}

func (a *App) newServer(ctx context.Context) (_ *server, err error) {
	s := &server{App: a}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.lock, err = a.dir.lock("serve.lock", errServed); err != nil {
		return nil, err
	}
	if s.claim, err = a.store.Claim(ctx); err != nil {
		return nil, err
	}
	s.damage = a.lookForDamage()
	if err := s.damage.within(ctx, damageWait); err != nil {
		return nil, fmt.Errorf("%w; %s", err, damagedRemedy)
	}
	if s.runtime, err = a.newRuntime("sandboxes", guardCommand()); err != nil {
		return nil, err
	}
	if err := s.runtime.Check(ctx); err != nil {
		return nil, err
	}
	if err := s.watch(ctx); err != nil {
		return nil, err
	}
	s.sessions = session.New(session.Config{
		Store:       a.store,
		Samples:     a.Datasets,
		Runtime:     s.runtime,
		ImageDigest: a.trees().digest,
		Clock:       a.clock,
		Log:         a.Log,
		Tracer:      s.traces.Tracer(),
		Observer:    a.metrics,
		Price:       a.Billing.Price,
		Live:        session.LiveLimits{PerUser: a.Config.MaxSessionsPerUser, Total: a.Config.MaxSessions},
		MaxCommands: a.Config.MaxCommandsPerSession,
		MaxTTL:      time.Duration(a.Config.MaxTTLMinutes) * time.Minute,
		Unreachable: a.Config.UnreachableTimeout,
	})
	s.queue, err = queue.New(queue.Config{
		Store:   a.store,
		Judge:   func(ctx context.Context, v *assay.Verification) error { return s.verifications.Run(ctx, v) },
		Workers: a.Config.MaxVerifications,
		Log:     a.Log,
	})
	if err != nil {
		return nil, err
	}
	if s.verdictKeys, err = attest.OpenKeyring(a.dir.path(verdictKeysFile), nil); err != nil {
		return nil, err
	}
	if a.Config.Alterations == "idle" {
		if s.searches, err = s.newSearches(); err != nil {
			return nil, err
		}
	}
	altered, err := s.rounds()
	if err != nil {
		return nil, err
	}
	s.verifications, err = verification.New(verification.Config{
		Store:    a.store,
		Sessions: s.sessions,
		Samples:  a.Datasets,
		Runtime:  s.runtime,
		Wake:     s.queue.Wake,
		Leases:   s.queue,
		Dir:      a.dir.path("verifications"),
		Log:      a.Log,
		Tracer:   s.traces.Tracer(),
		Observer: a.metrics,
		Images:   a.trees(),
		Signer:   s.verdictKeys,
		Version:  Version,
		Judging:  a.Datasets.Judging,
		Rounds:   altered,

		ReuseVerdicts: a.Config.VerdictCache,
		Yielding:      s.searches.cpu,
	})
	if err != nil {
		return nil, err
	}
	s.reconciler = s.newReconciler()
	return s, nil
}

// newReconciler returns what compares the rows of this server with the sandboxes of its host.
// Sandboxes that are nobody's go to the sessions, which destroy what they do not know.
func (s *server) newReconciler() *reconcile.Reconciler {
	return reconcile.New(reconcile.Config{
		Parts: []reconcile.Part{
			{Service: s.verifications, Owns: verification.Owns},
			{Service: s.sessions, Owns: session.Owns},
		},
		Runtime:  s.runtime,
		Uses:     func(id string) bool { return s.sessions.Uses(id) || s.verifications.Uses(id) || s.searches.uses(id) },
		Observer: s.metrics,
		Log:      s.Log,
		Every:    s.Config.ReconcileEvery,
	})
}

// newRuntime opens the sandboxes below a folder of the data directory.
func (a *App) newRuntime(folder string, guard []string) (*oci.Runtime, error) {
	agent, err := a.Config.agentPath()
	if err != nil {
		return nil, err
	}
	return oci.New(oci.Config{
		Dir:      a.dir.path(folder),
		Runtime:  a.Config.OCIRuntime,
		Agent:    agent,
		Images:   a.Images,
		IDs:      a.Config.idShift(),
		Defaults: a.Config.Resources.limits(),
		Guard:    guard,
		Log:      a.Log,
	})
}

// agentPath returns the guest agent: the configured one, or the one beside this program.
func (c Config) agentPath() (string, error) {
	if c.Agent != "" {
		return c.Agent, checkAgent(c.Agent)
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the guest agent: %w", err)
	}
	beside := filepath.Join(filepath.Dir(self), "assay-agent")
	if checkAgent(beside) == nil {
		return beside, nil
	}
	if inPath, err := exec.LookPath("assay-agent"); err == nil {
		return inPath, nil
	}
	return "", fmt.Errorf("there is no guest agent at %s; build it with make build, or name it with --agent", beside)
}

// checkAgent refuses what cannot be the guest agent's program.
func checkAgent(path string) error {
	info, err := os.Stat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0) {
		err = errors.New("it is no program")
	}
	if err != nil {
		return fmt.Errorf("the guest agent %s cannot be used (%w); build it with make build, and name it with --agent", path, err)
	}
	return nil
}

// recover makes the world and the database agree before anything is served.
func (s *server) recover(ctx context.Context) error {
	if err := s.trees().sweep(); err != nil {
		s.Log.Error("cannot free a work tree that was read", "err", err)
	}
	if _, err := s.queue.Recover(ctx); err != nil {
		return err
	}
	return s.reconciler.Begin(ctx)
}

// every calls f again and again, until ctx ends.
func every(ctx context.Context, interval time.Duration, f func()) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f()
		}
	}
}

// listen serves both listeners until ctx ends, and drains.
func (s *server) listen(ctx context.Context, ready func(string)) error {
	var lc net.ListenConfig
	api, err := lc.Listen(ctx, "tcp", s.Config.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer api.Close()
	url := s.Config.scheme() + "://" + api.Addr().String()
	handler, drain, err := s.handler(url)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	group := newGroup(cancel)

	srv := s.httpServer(handler)
	group.serve(srv, func() error { return s.serveOn(srv, api) })
	if s.Config.MetricsListen != "" {
		metrics, err := lc.Listen(ctx, "tcp", s.Config.MetricsListen)
		if err != nil {
			return fmt.Errorf("listen for metrics: %w", err)
		}
		msrv := s.httpServer(s.metricsHandler())
		group.serve(msrv, func() error { return msrv.Serve(metrics) })
		s.Log.Info("metrics", "url", "http://"+metrics.Addr().String()+"/metrics")
	}
	if operators, err := s.operatorListener(); err != nil { // users can be served without
		s.Log.Error("operators cannot ask this server", "err", err)
	} else {
		osrv := s.httpServer(s.operatorHandler())
		group.serve(osrv, func() error { return osrv.Serve(operators) })
	}
	group.run(func() { every(ctx, s.Config.ReconcileEvery, func() { s.reconciler.Round(ctx) }) })
	group.run(func() { s.meter(ctx) })
	group.run(func() { s.evict(ctx) })
	group.run(func() { s.Billing.Reconciler(ctx) })
	group.run(func() { s.searches.run(ctx) })
	group.run(func() {
		if err := s.claim.Keep(ctx); err != nil {
			cancel(err)
		}
	})
	s.Log.Info("serving", "url", url, "version", Version, "data_dir", string(s.dir))
	ready(url)

	<-ctx.Done()
	s.usurped = errors.Is(context.Cause(ctx), store.ErrClaimTaken)
	s.Log.Info("stopping; held requests are answered", "destroy_sandboxes", s.Config.DestroyOnExit && !s.usurped)
	drain()
	err = errors.Join(group.stop(s.patience()), s.drain())
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		err = errors.Join(cause, err)
	}
	return err
}

func (s *server) handler(url string) (http.Handler, func(), error) {
	key, err := s.dir.secret("url.key")
	if err != nil {
		return nil, nil, err
	}
	if s.Config.BaseURL != "" {
		url = s.Config.BaseURL
	}
	origins, err := s.Config.paymentOrigins()
	if err != nil {
		return nil, nil, err
	}
	proxies, err := s.Config.trustedProxies()
	if err != nil {
		return nil, nil, err
	}
	logins, err := s.logins(url)
	if err != nil {
		return nil, nil, err
	}
	api, err := httpapi.New(httpapi.Config{
		Sessions:      s.sessions,
		Verifications: s.verifications,
		Datasets:      s.Datasets,
		Identity:      s.Identity,
		Billing:       s.Billing,
		Logins:        logins,
		Health:        s.health,
		Troubles: func() httpapi.Troubles {
			return httpapi.Troubles{Unreachable: s.sessions.Unreachable(), Stuck: s.runtime.Stuck()}
		},
		Version:     Version,
		BaseURL:     url,
		URLKey:      key,
		VerdictKeys: s.verdictKeys.Public,

		PaymentOrigins: origins,
		MaxTTLMinutes:  s.Config.MaxTTLMinutes,
		MaxBodyBytes:   s.Config.MaxBodyBytes,
		MaxEditBytes:   s.Config.MaxEditBytes,
		Quotas: map[assay.Code]int{
			assay.CodeTooManySessions: s.Config.MaxSessionsPerUser,
			assay.CodeTooManyCommands: s.Config.MaxCommandsPerSession,
		},
		Limits:         s.Config.rateLimits(),
		TrustedProxies: proxies,
		Registry:       s.registry,
		Tracer:         s.traces.Tracer(),
		Log:            s.Log,
	})
	if err != nil {
		return nil, nil, err
	}
	return api.Handler(), api.Drain, nil
}

func (s *server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

func (s *server) serveOn(srv *http.Server, l net.Listener) error {
	if s.Config.TLSCert != "" {
		return srv.ServeTLS(l, s.Config.TLSCert, s.Config.TLSKey)
	}
	return srv.Serve(l)
}
