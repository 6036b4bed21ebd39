package reconcile

import (
	"maps"
	"slices"
	"sync"
	"time"

	"assay"
)

// Report is what a server's rounds have found since it started.
type Report struct {
	Since  time.Time `json:"since"` // when the server started
	Rounds int       `json:"rounds"`
	// Last is when the last round began that compared everything; null before the first.
	Last     *time.Time `json:"last"`
	Took     float64    `json:"took_seconds"`    // the last round
	Error    string     `json:"error,omitempty"` // why the last round did not compare everything
	Interval float64    `json:"interval_seconds"`
	// Found counts what was found, by kind. All kinds are there.
	Found  map[assay.DiscrepancyKind]int `json:"found"`
	Recent []Finding                     `json:"recent"` // the last that were found, oldest first
}

// Total is how much was found.
func (r Report) Total() (n int) {
	for _, of := range r.Found {
		n += of
	}
	return n
}

// Finding is one discrepancy that was found.
type Finding struct {
	Kind  assay.DiscrepancyKind `json:"kind"`
	ID    string                `json:"id"`
	At    time.Time             `json:"at"`              // of the last try to put it right
	Error string                `json:"error,omitempty"` // why it could not be put right; it is tried again
}

// mostRecent bounds the findings that are kept.
const mostRecent = 50

// report keeps a Report. It is safe for concurrent use.
type report struct {
	mu  sync.Mutex
	now Report
}

func newReport(since time.Time) report {
	r := Report{Since: since.UTC(), Found: make(map[assay.DiscrepancyKind]int), Recent: []Finding{}}
	for _, kind := range assay.DiscrepancyKinds() {
		r.Found[kind] = 0
	}
	return report{now: r}
}

// Report tells what was found so far.
func (r *Reconciler) Report() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now
	now.Interval = r.cfg.Every.Seconds()
	now.Found, now.Recent = maps.Clone(now.Found), slices.Clone(now.Recent)
	return now
}

func (r *report) roundEnded(began time.Time, took time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now.Rounds++
	r.now.Took = took.Seconds()
	if err != nil {
		r.now.Error = err.Error()
		return
	}
	began = began.UTC()
	r.now.Error, r.now.Last = "", &began
}

// found notes a try to put a discrepancy right. Another try takes the place of the one before.
func (r *report) found(d assay.Discrepancy, at time.Time, err error) {
	f := Finding{Kind: d.Kind, ID: d.ID, At: at.UTC()}
	if err != nil {
		f.Error = err.Error()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, have := range r.now.Recent {
		if have.Kind == d.Kind && have.ID == d.ID && have.Error != "" {
			r.now.Recent[i] = f
			return
		}
	}
	r.now.Found[d.Kind]++
	r.now.Recent = append(r.now.Recent, f)
	if over := len(r.now.Recent) - mostRecent; over > 0 {
		r.now.Recent = slices.Delete(r.now.Recent, 0, over)
	}
}
