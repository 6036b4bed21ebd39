package httpapi

import (
	"context"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// How long a GET of something that is not final is held, when its client does not say.
const (
	// maxHold is the most; who asks for more gets that. Common proxies give up after 60 s,
	// and what they answer then is no answer of ours.
	maxHold = 55 * time.Second
	// firstHold is for the first GET of a command or a verification: a caller that
	// asked its SDK not to wait makes that one too.
	firstHold = 5 * time.Second
	laterHold = 25 * time.Second
)

// HoldParams are the parameters of an operation that may be held.
type HoldParams struct {
	Wait        waitParam `query:"wait" minimum:"0" maximum:"60" doc:"Hold the answer until it is final, at most so many seconds, and at most 55; 0 answers at once. Without it the server chooses"`
	Prefer      string    `header:"Prefer" maxLength:"1000" example:"wait=30" doc:"wait=N does the same (RFC 7240); above 55 counts as 55"`
	ReadTimeout string    `header:"X-Stainless-Read-Timeout" hidden:"true"`
}

// waitParam is an optional number of seconds: 0 is not the same as none.
type waitParam struct {
	Seconds int
	set     bool
}

// Receiver, OnParamSet and Schema make it an optional parameter for huma.
func (p *waitParam) Receiver() reflect.Value { return reflect.ValueOf(p).Elem().Field(0) }

// OnParamSet notes whether the parameter was given.
func (p *waitParam) OnParamSet(given bool, _ any) { p.set = given }

// Schema is that of the number.
func (waitParam) Schema(r huma.Registry) *huma.Schema {
	return huma.SchemaFromType(r, reflect.TypeFor[int]())
}

// wish returns how long the client wants to wait, if it says so, and the preference
// that is obeyed thereby, if it was given as one.
func (p *HoldParams) wish() (wait time.Duration, applied string, ok bool) {
	if p.Wait.set {
		return min(time.Duration(p.Wait.Seconds)*time.Second, maxHold), "", true
	}
	for pref := range strings.SplitSeq(p.Prefer, ",") {
		pref, _, _ = strings.Cut(pref, ";") // parameters of the preference
		name, value, _ := strings.Cut(pref, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "wait") {
			continue
		}
		n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 31)
		if err != nil {
			continue // RFC 7240: what cannot be understood is ignored
		}
		n = min(n, uint64(maxHold/time.Second))
		return time.Duration(n) * time.Second, "wait=" + strconv.FormatUint(n, 10), true
	}
	return 0, "", false
}

// budget returns how long to hold when the client does not say: usual, but not longer
// than half of the time after which it gives up.
func (p *HoldParams) budget(usual time.Duration) time.Duration {
	seconds, err := strconv.ParseFloat(p.ReadTimeout, 64)
	if err != nil || !(seconds >= 0) || seconds > 3600 {
		return usual
	}
	return min(usual, time.Duration(seconds*float64(time.Second))/2)
}

// holds keeps requests waiting, and lets all of them go at once.
type holds struct {
	gauge   prometheus.Gauge
	stop    context.Context // ends with drain
	drain   context.CancelFunc
	visited visits
}

func newHolds(gauge prometheus.Gauge) *holds {
	h := &holds{gauge: gauge}
	h.stop, h.drain = context.WithCancel(context.Background())
	return h
}

func (h *holds) draining() bool { return h.stop.Err() != nil }

// hold calls await with a context that ends when the request was held long enough,
// its client is gone, or the server stops.
func hold[T any](ctx context.Context, h *holds, wait time.Duration, await func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	defer context.AfterFunc(h.stop, cancel)()
	h.gauge.Inc()
	defer h.gauge.Dec()
	return await(ctx)
}

// holdJob is the hold of a command or a verification: get answers at once, await when
// the thing is final or its context ends. It also returns the preference that was
// obeyed.
func holdJob[T any](ctx context.Context, h *holds, p *HoldParams, id string, get, await func(context.Context) (T, error), final func(T) bool) (v T, applied string, err error) {
	wait, applied, asked := p.wish()
	if !asked {
		wait = firstHold
		if h.visited.before(id, time.Now()) {
			wait = laterHold
		}
		wait = p.budget(wait)
	}
	if wait == 0 {
		v, err = get(ctx)
	} else {
		v, err = hold(ctx, h, wait, await)
	}
	if err == nil && !final(v) {
		h.visited.note(id, time.Now())
	}
	return v, applied, err
}

// Bounds of visits.
const (
	visitsKept = 8192            // in each of two generations
	visitsAge  = 2 * time.Minute // a caller that comes back at all comes back sooner
)

// visits remembers which things were asked for. It forgets the older ones, so that it
// stays small; a forgotten one is held for a shorter time, no worse. The zero value is
// ready.
type visits struct {
	mu       sync.Mutex
	now, old map[string]struct{}
	began    time.Time // of generation now
}

// before tells whether id was noted, not too long ago.
func (v *visits) before(id string, at time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.turn(at)
	_, young := v.now[id]
	_, old := v.old[id]
	return young || old
}

// note remembers id.
func (v *visits) note(id string, at time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.turn(at)
	v.now[id] = struct{}{}
}

// turn begins a generation when the current one is full or old.
func (v *visits) turn(at time.Time) {
	age := at.Sub(v.began)
	if v.now != nil && len(v.now) < visitsKept && age < visitsAge {
		return
	}
	v.old = v.now
	if age >= 2*visitsAge {
		v.old = nil
	}
	v.now, v.began = make(map[string]struct{}), at
}

// NoteApplied is the header field of an answer that was held as its client preferred.
type NoteApplied struct {
	PreferenceApplied string `header:"Preference-Applied" doc:"The preference that was obeyed"`
}
