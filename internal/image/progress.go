package image

import "sync"

// Stage is what is being done to a layer.
type Stage string

// A pulled layer goes through both stages, a loaded one only through StageUnpack.
// A layer that is here already goes straight to StageDone.
const (
	StageDownload Stage = "download"
	StageUnpack   Stage = "unpack"
	StageDone     Stage = "done"
)

// Event is a step of a Load or Pull.
type Event struct {
	Stage Stage
	Layer string // its diff id
	Done  int64  // bytes of the compressed blob
	Total int64  // 0 where it is not known
}

// Progress is told how a Load or Pull gets on. It is called by one goroutine at
// a time, at least once a layer and stage, at most every MiB of a layer. It may be
// nil.
type Progress func(Event)

const progressStep = 1 << 20

// serial makes a Progress safe to call from several goroutines.
func (p Progress) serial() Progress {
	if p == nil {
		return func(Event) {}
	}
	var mu sync.Mutex
	return func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		p(e)
	}
}

// meter reports the bytes of one stage of one layer. It is an io.Writer.
type meter struct {
	progress Progress
	event    Event
	reported int64
}

func newMeter(progress Progress, event Event) *meter {
	progress(event)
	return &meter{progress: progress, event: event, reported: event.Done}
}

func (m *meter) Write(p []byte) (int, error) {
	m.event.Done += int64(len(p))
	if m.event.Done-m.reported >= progressStep {
		m.reported = m.event.Done
		m.progress(m.event)
	}
	return len(p), nil
}
