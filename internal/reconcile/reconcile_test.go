package reconcile_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/internal/reconcile"
	"assay/internal/sandbox"
)

// world is a service, a runtime and an observer that do as they are told.
type world struct {
	now    time.Time
	odd    []assay.Discrepancy
	boxes  []sandbox.Handle
	fails  error // of Discrepancies
	stuck  error // of Mend and Destroy
	mended []string
	told   []assay.DiscrepancyKind
	gave   []sandbox.Handle // to Recover
}

func (w *world) Recover(_ context.Context, found []sandbox.Handle) error {
	w.gave = found
	return nil
}

func (w *world) Discrepancies(context.Context, []sandbox.Handle) ([]assay.Discrepancy, error) {
	return w.odd, w.fails
}

func (w *world) Mend(_ context.Context, d assay.Discrepancy) error {
	w.mended = append(w.mended, d.ID)
	return w.stuck
}

func (w *world) List(context.Context) ([]sandbox.Handle, error) { return w.boxes, nil }
func (w *world) Destroy(_ context.Context, h sandbox.Handle) error {
	w.mended = append(w.mended, h.ID)
	return w.stuck
}
func (w *world) DiscrepancyFound(kind assay.DiscrepancyKind) { w.told = append(w.told, kind) }
func (w *world) OrphanDestroyed()                            {}

func over(parts ...*world) (*reconcile.Reconciler, *world) {
	last := parts[len(parts)-1]
	last.now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	cfg := reconcile.Config{
		Runtime: last, Observer: last, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return last.now },
		Uses: func(id string) bool { return strings.HasPrefix(id, "used") },
	}
	for i, w := range parts {
		prefix := string(rune('a' + i))
		cfg.Parts = append(cfg.Parts, reconcile.Part{Service: w, Owns: func(h sandbox.Handle) bool { return strings.HasPrefix(h.ID, prefix) }})
	}
	return reconcile.New(cfg), last
}

func TestWhatIsUnderWayIsLeftAlone(t *testing.T) {
	r, w := over(&world{})
	for i := range 5 {
		w.odd = []assay.Discrepancy{{Kind: assay.SessionUnowned, ID: string(rune('a' + i))}} // another one each time
		w.boxes = []sandbox.Handle{{ID: "used"}, {ID: string(rune('a' + i))}}
		r.Round(t.Context())
		w.now = w.now.Add(time.Hour)
	}
	if w.mended != nil || r.Report().Total() != 0 {
		t.Errorf("mended %q, and reported %+v", w.mended, r.Report())
	}
}

func TestWhatCannotBeMendedIsTriedAgainAndToldOnce(t *testing.T) {
	r, w := over(&world{})
	w.odd, w.stuck = []assay.Discrepancy{{Kind: assay.SessionUnowned, ID: "a"}}, errors.New("no")
	w.boxes = []sandbox.Handle{{ID: "box"}}
	for range 4 {
		r.Round(t.Context())
		w.now = w.now.Add(time.Minute)
	}
	report := r.Report()
	if len(w.mended) != 6 || len(w.told) != 2 || report.Total() != 2 || len(report.Recent) != 2 || report.Recent[0].Error == "" {
		t.Errorf("tried %q, told %v, reported %+v", w.mended, w.told, report)
	}
	w.stuck = nil
	r.Round(t.Context())
	if report := r.Report(); report.Recent[0].Error != "" || report.Recent[1].Error != "" || report.Total() != 2 {
		t.Errorf("reported %+v", report)
	}
}

// Where a comparison fails, what was seen keeps its grace.
func TestARoundThatFailsForgetsNothing(t *testing.T) {
	r, w := over(&world{})
	w.odd = []assay.Discrepancy{{Kind: assay.SessionUnowned, ID: "a"}}
	r.Round(t.Context())
	w.now = w.now.Add(30 * time.Second)
	w.odd, w.fails = nil, errors.New("the database is away")
	r.Round(t.Context())
	if report := r.Report(); report.Error == "" || report.Rounds != 2 || !report.Last.Equal(w.now.Add(-30*time.Second)) {
		t.Errorf("%+v", report)
	}
	w.now = w.now.Add(30 * time.Second)
	w.odd, w.fails = []assay.Discrepancy{{Kind: assay.SessionUnowned, ID: "a"}}, nil
	r.Round(t.Context())
	if len(w.mended) != 1 {
		t.Errorf("mended %q", w.mended)
	}
}

func TestAtAStartEachPartGetsItsOwn(t *testing.T) {
	first := &world{}
	r, last := over(first, &world{})
	last.boxes = []sandbox.Handle{{ID: "a1"}, {ID: "b1"}, {ID: "stray"}}
	if err := r.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(first.gave) != 1 || first.gave[0].ID != "a1" || len(last.gave) != 2 {
		t.Errorf("the first got %v, the last %v", first.gave, last.gave)
	}
}
