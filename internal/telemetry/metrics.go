package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"assay"
)

// Metrics is what the services count. It implements their Observer ports.
type Metrics struct {
	created       *prometheus.HistogramVec
	ended         *prometheus.CounterVec
	commands      *prometheus.HistogramVec
	verifications *prometheus.HistogramVec
	orphans       prometheus.Counter
	discrepancies *prometheus.CounterVec
	payments      *prometheus.CounterVec

	alterationRuns     prometheus.Counter
	alterationSearches *prometheus.CounterVec
}

// NewMetrics makes the metrics of the services and registers them, with version as
// that of the program.
func NewMetrics(registry prometheus.Registerer, version string) (*Metrics, error) {
	m := &Metrics{
		created: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "assay_session_create_duration_seconds",
			Help:    "Time from the request of a session until its sandbox is ready or has failed, by outcome: ready, image_unavailable, failed, abandoned.",
			Buckets: []float64{.025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300},
		}, []string{"outcome"}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "assay_sessions_ended_total",
			Help: "Sessions that ended, by final status and reason: the error code of the session, or none.",
		}, []string{"status", "reason"}),
		commands: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "assay_command_duration_seconds",
			Help:    "Time from the request of a command to its end, by outcome: zero, nonzero, timeout, out_of_memory, unknown.",
			Buckets: []float64{.0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800},
		}, []string{"outcome"}),
		verifications: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "assay_verification_duration_seconds",
			Help:    "Time from the request of a verification to its verdict or failure, the time in the queue included, by outcome: solved, unsolved, error.",
			Buckets: []float64{.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600},
		}, []string{"outcome"}),
		orphans: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "assay_orphan_sandboxes_destroyed_total",
			Help: "Sandboxes that were found without an owner and destroyed, at the start and later.",
		}),
		discrepancies: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "assay_discrepancies_total",
			Help: "What the database and the host did not agree on while the server ran, and was put right, by kind. None on a healthy server.",
		}, []string{"kind"}),
		payments: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "assay_payment_events_total",
			Help: "Notifications of the payment provider, by type and outcome: applied, again, foreign, ignored, refused, failed.",
		}, []string{"type", "outcome"}),
	}
	m.alterationRuns = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "assay_alteration_runs_total",
		Help: "Runs of suites in searches for alterations that this server made by itself.",
	})
	m.alterationSearches = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "assay_alteration_searches_total",
		Help: "Searches of a sample's tests for alterations that this server made by itself, by outcome: finished, yielded to other work, failed.",
	}, []string{"outcome"})
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "assay_build_info", Help: "1, with the version of the program.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.begin()
	return m, register(registry, m.created, m.ended, m.commands, m.verifications, m.orphans, m.discrepancies, m.payments, m.alterationRuns, m.alterationSearches, build)
}

// begin shows at 0 what is to be watched, so that the first event counts as a rise.
func (m *Metrics) begin() {
	for _, outcome := range []string{"ready", "image_unavailable", "failed", "abandoned"} {
		m.created.WithLabelValues(outcome)
	}
	for _, outcome := range []string{"zero", "nonzero", "timeout", "out_of_memory", "unknown"} {
		m.commands.WithLabelValues(outcome)
	}
	for _, outcome := range []string{"solved", "unsolved", "error"} {
		m.verifications.WithLabelValues(outcome)
	}
	for _, reason := range []assay.Code{assay.CodeExpired, assay.CodeBalanceExhausted, assay.CodeOutOfMemory, assay.CodeSandboxLost, assay.CodeOperator} {
		m.ended.WithLabelValues(string(assay.SessionTerminated), string(reason))
	}
	for _, reason := range []assay.Code{assay.CodeSandboxFailed, assay.CodeImageUnavailable} {
		m.ended.WithLabelValues(string(assay.SessionError), string(reason))
	}
	m.ended.WithLabelValues(string(assay.SessionClosed), "none")
	m.payments.WithLabelValues("unknown", "refused")
	for _, kind := range assay.DiscrepancyKinds() {
		m.discrepancies.WithLabelValues(string(kind))
	}
	for _, outcome := range []string{"finished", "yielded", "failed"} {
		m.alterationSearches.WithLabelValues(outcome)
	}
}

func register(registry prometheus.Registerer, all ...prometheus.Collector) error {
	for _, c := range all {
		if err := registry.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// SessionCreated implements session.Observer.
func (m *Metrics) SessionCreated(outcome string, took time.Duration) {
	m.created.WithLabelValues(outcome).Observe(took.Seconds())
}

// SessionEnded implements session.Observer.
func (m *Metrics) SessionEnded(status assay.SessionStatus, reason assay.Code) {
	if reason == "" {
		reason = "none"
	}
	m.ended.WithLabelValues(string(status), string(reason)).Inc()
}

// CommandEnded implements session.Observer.
func (m *Metrics) CommandEnded(outcome string, took time.Duration) {
	m.commands.WithLabelValues(outcome).Observe(took.Seconds())
}

// VerificationEnded implements verification.Observer.
func (m *Metrics) VerificationEnded(outcome string, took time.Duration) {
	m.verifications.WithLabelValues(outcome).Observe(took.Seconds())
}

// OrphanDestroyed implements session.Observer and verification.Observer.
func (m *Metrics) OrphanDestroyed() { m.orphans.Inc() }

// DiscrepancyFound implements reconcile.Observer.
func (m *Metrics) DiscrepancyFound(kind assay.DiscrepancyKind) {
	m.discrepancies.WithLabelValues(string(kind)).Inc()
}

// PaymentEvent implements billing.Observer.
func (m *Metrics) PaymentEvent(kind, outcome string) {
	m.payments.WithLabelValues(kind, outcome).Inc()
}

// AlterationRun implements idle.Observer.
func (m *Metrics) AlterationRun() { m.alterationRuns.Inc() }

// AlterationSearch implements idle.Observer.
func (m *Metrics) AlterationSearch(outcome string) {
	m.alterationSearches.WithLabelValues(outcome).Inc()
}
