package identity

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"assay"
)

// touchEvery is how often the last use of a key is stored, at most.
const touchEvery = time.Minute

// Bounds of a useLog.
const (
	maxPending = 256    // uses that wait to be stored; more are left to the key's next use
	maxNoted   = 10_000 // keys remembered as noted; beyond, all are forgotten and a few more writes are made
)

// closeTimeout bounds how long close takes to store what waits.
const closeTimeout = 3 * time.Second

// useLog stores when keys were last used, in the background: a request does not wait
// for a write, and of many requests at once one writes.
type useLog struct {
	store   Store
	log     *slog.Logger
	pending chan use
	stop    context.CancelFunc
	done    chan struct{}

	mu    sync.Mutex
	noted map[string]time.Time // by key id: so that a database that fails is asked once a minute
}

type use struct {
	keyID string
	at    time.Time
}

func newUseLog(store Store, log *slog.Logger) *useLog {
	ctx, stop := context.WithCancel(context.Background())
	l := &useLog{
		store:   store,
		log:     log,
		pending: make(chan use, maxPending),
		stop:    stop,
		done:    make(chan struct{}),
		noted:   map[string]time.Time{},
	}
	go l.run(ctx)
	return l
}

// note has a use stored, unless one within the last minute was.
func (l *useLog) note(key *assay.APIKey, now time.Time) {
	if key.LastUsedAt != nil && now.Sub(*key.LastUsedAt) < touchEvery {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if at, ok := l.noted[key.ID]; ok && now.Sub(at) < touchEvery {
		return
	}
	select {
	case l.pending <- use{key.ID, now}:
	default:
		return
	}
	if len(l.noted) >= maxNoted {
		clear(l.noted)
	}
	l.noted[key.ID] = now
}

// close stores what waits, and ends the goroutine. Uses noted afterwards are lost.
func (l *useLog) close() {
	l.stop()
	<-l.done
}

func (l *useLog) run(ctx context.Context) {
	defer close(l.done)
	for {
		select {
		case u := <-l.pending:
			l.touch(context.Background(), u)
		case <-ctx.Done():
			l.drain()
			return
		}
	}
}

// drain stores what waits, within closeTimeout.
func (l *useLog) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	for {
		select {
		case u := <-l.pending:
			l.touch(ctx, u)
		default:
			return
		}
	}
}

// touch stores one use. A failure is logged: nobody waits for it.
func (l *useLog) touch(ctx context.Context, u use) {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	if err := l.store.TouchAPIKey(ctx, u.keyID, u.at); err != nil {
		l.log.WarnContext(ctx, "store the use of an API key", "key_id", u.keyID, "error", err)
	}
}
