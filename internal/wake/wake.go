// Package wake lets goroutines wait for news about a thing that is kept in the
// database, without polling it.
package wake

import "sync"

// Hub passes news on to whoever waits for it, by key. The zero value is ready.
//
// News carries nothing: a waiter reads the database again. To miss none, it
// subscribes first and reads then:
//
//	news, stop := hub.Subscribe(id)
//	defer stop()
//	thing := read(id)
//	if !thing.Final() { <-news; thing = read(id) }
type Hub struct {
	mu      sync.Mutex
	waiters map[string]map[chan struct{}]struct{}
}

// Subscribe returns a channel that is closed at the next Notify of key. The caller
// must call stop when it no longer waits; calling it again does nothing.
func (h *Hub) Subscribe(key string) (news <-chan struct{}, stop func()) {
	ch := make(chan struct{})
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiters == nil {
		h.waiters = make(map[string]map[chan struct{}]struct{})
	}
	if h.waiters[key] == nil {
		h.waiters[key] = make(map[chan struct{}]struct{})
	}
	h.waiters[key][ch] = struct{}{}
	return ch, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.waiters[key], ch)
		if len(h.waiters[key]) == 0 {
			delete(h.waiters, key)
		}
	}
}

// Notify wakes all who wait for key.
func (h *Hub) Notify(key string) {
	h.mu.Lock()
	waiting := h.waiters[key]
	delete(h.waiters, key)
	h.mu.Unlock()
	for ch := range waiting {
		close(ch)
	}
}
