package telemetry

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestASourceThatFailsHidesNothingElse(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	two := func(context.Context) (map[string]int, error) { return map[string]int{"ready": 2, "creating": 0}, nil }
	down := errors.New("the database is away")
	complaints := 0
	err := RegisterSources(registry, Sources{
		Sessions:      two,
		Verifications: func(context.Context) (map[string]int, error) { return nil, down },
		Jobs:          two,
		Images:        func(context.Context) (ImageUse, error) { return ImageUse{Images: 1, Layers: 3, Bytes: 5}, nil },
		Unreachable:   func() int { return 1 },
		Stuck:         func() int { return 4 },
		Reconciled:    func() time.Time { return time.UnixMilli(1500) },
		Free:          func() (int64, error) { return 7, nil },
	}, func(context.Context, string, ...any) { complaints++ })
	if err != nil {
		t.Fatal(err)
	}
	got, err := registry.Gather()
	if err == nil || !strings.Contains(err.Error(), down.Error()) || complaints == 0 {
		t.Errorf("nobody heard of the failure: %v, %d lines in the log", err, complaints)
	}
	values := map[string]float64{}
	for _, f := range got {
		for _, m := range f.GetMetric() {
			values[f.GetName()] += m.GetGauge().GetValue()
		}
	}
	for name, want := range map[string]float64{"assay_sessions": 2, "assay_jobs": 2, "assay_image_store_layers": 3, "assay_image_store_bytes": 5, "assay_data_dir_free_bytes": 7, "assay_sessions_unreachable": 1, "assay_sandboxes_stuck": 4, "assay_reconciled_timestamp_seconds": 1.5} {
		if values[name] != want {
			t.Errorf("%s is %v, want %v", name, values[name], want)
		}
	}
}

func TestWhatIsWatchedStartsAtZero(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	m, err := NewMetrics(registry, "v1")
	if err != nil {
		t.Fatal(err)
	}
	if n := testutil.CollectAndCount(m.commands); n != 5 {
		t.Errorf("%d outcomes of commands are there at the start", n)
	}
	if v := testutil.ToFloat64(m.ended.WithLabelValues("terminated", "balance_exhausted")); v != 0 {
		t.Errorf("%v sessions ended before there were any", v)
	}
	m.SessionEnded("terminated", "balance_exhausted")
	m.SessionEnded("closed", "")
	if v := testutil.ToFloat64(m.ended.WithLabelValues("closed", "none")); v != 1 {
		t.Errorf("%v sessions were closed, want 1", v)
	}
}
