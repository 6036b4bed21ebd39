package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// scrapeBound is how long the sources of one scrape may take in all.
const scrapeBound = 5 * time.Second

// Sources are asked each time the metrics are read. Each is quick, and its work is
// bounded by what lives, not by what ever was. One that fails leaves its metric out of the
// scrape.
type Sources struct {
	// Sessions counts the live sessions by status.
	Sessions func(context.Context) (map[string]int, error)
	// Verifications counts those that have not ended by status.
	Verifications func(context.Context) (map[string]int, error)
	// Jobs counts the jobs of the queue that are not done by state.
	Jobs func(context.Context) (map[string]int, error)
	// Images tells what the image store holds.
	Images func(context.Context) (ImageUse, error)
	// Unreachable counts the live sessions whose sandbox does not answer.
	Unreachable func() int
	// Stuck counts the sandboxes that could not be destroyed.
	Stuck func() int
	// Reconciled tells when rows and sandboxes were last compared in whole; the zero time
	// before the first time.
	Reconciled func() time.Time
	// Free tells the bytes that are free on the file system of the data directory.
	Free func() (int64, error)
}

// ImageUse is what an image store holds.
type ImageUse struct {
	Images, Layers int
	Bytes          int64 // of the layers' files, unpacked
}

// gauges asks its sources at each scrape.
type gauges struct {
	src  Sources
	log  func(ctx context.Context, msg string, args ...any)
	all  []*prometheus.Desc
	desc struct{ sessions, verifications, jobs, images, layers, imageBytes, unreachable, stuck, reconciled, free *prometheus.Desc }
}

// RegisterSources registers the metrics that are asked of src. Failures are told to log,
// which is slog.Logger.WarnContext.
func RegisterSources(registry prometheus.Registerer, src Sources, log func(ctx context.Context, msg string, args ...any)) error {
	g := &gauges{src: src, log: log}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		d := prometheus.NewDesc(name, help, labels, nil)
		g.all = append(g.all, d)
		return d
	}
	g.desc.sessions = desc("assay_sessions", "Live sessions, by status.", "status")
	g.desc.verifications = desc("assay_verifications", "Verifications that have not ended, by status.", "status")
	g.desc.jobs = desc("assay_jobs", "Jobs of the queue that are not done, by state: available wait for a worker, alone wait until nothing else runs, retryable failed and wait.", "state")
	g.desc.images = desc("assay_image_store_images", "Images in the image store.")
	g.desc.layers = desc("assay_image_store_layers", "Layers in the image store, unpacked once each.")
	g.desc.imageBytes = desc("assay_image_store_bytes", "Size of the files of the layers in the image store.")
	g.desc.unreachable = desc("assay_sessions_unreachable", "Live sessions whose sandbox does not answer, though nothing proves that it is dead.")
	g.desc.stuck = desc("assay_sandboxes_stuck", "Sandboxes that could not be destroyed, and are tried again.")
	g.desc.reconciled = desc("assay_reconciled_timestamp_seconds", "When the database was last compared in whole with the sandboxes of the host; 0 before the first time.")
	g.desc.free = desc("assay_data_dir_free_bytes", "Free space on the file system of the data directory.")
	return registry.Register(g)
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range g.all {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeBound)
	defer cancel()
	g.counts(ctx, ch, g.desc.sessions, g.src.Sessions)
	g.counts(ctx, ch, g.desc.verifications, g.src.Verifications)
	g.counts(ctx, ch, g.desc.jobs, g.src.Jobs)
	if use, err := g.src.Images(ctx); err != nil {
		g.failed(ctx, ch, g.desc.images, err)
	} else {
		gauge(ch, g.desc.images, float64(use.Images))
		gauge(ch, g.desc.layers, float64(use.Layers))
		gauge(ch, g.desc.imageBytes, float64(use.Bytes))
	}
	gauge(ch, g.desc.unreachable, float64(g.src.Unreachable()))
	gauge(ch, g.desc.stuck, float64(g.src.Stuck()))
	reconciled := 0.0
	if at := g.src.Reconciled(); !at.IsZero() {
		reconciled = float64(at.UnixMilli()) / 1000
	}
	gauge(ch, g.desc.reconciled, reconciled)
	if free, err := g.src.Free(); err != nil {
		g.failed(ctx, ch, g.desc.free, err)
	} else {
		gauge(ch, g.desc.free, float64(free))
	}
}

func (g *gauges) counts(ctx context.Context, ch chan<- prometheus.Metric, desc *prometheus.Desc, count func(context.Context) (map[string]int, error)) {
	counts, err := count(ctx)
	if err != nil {
		g.failed(ctx, ch, desc, err)
		return
	}
	for label, n := range counts {
		gauge(ch, desc, float64(n), label)
	}
}

func gauge(ch chan<- prometheus.Metric, desc *prometheus.Desc, value float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}

func (g *gauges) failed(ctx context.Context, ch chan<- prometheus.Metric, desc *prometheus.Desc, err error) {
	g.log(ctx, "cannot measure", "metric", desc.String(), "err", err)
	ch <- prometheus.NewInvalidMetric(desc, err)
}
