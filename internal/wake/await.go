package wake

import (
	"context"
	"time"
)

// lastRead bounds the read of a thing whose waiter's time is over.
const lastRead = 5 * time.Second

// Await returns what read returns as soon as final says so, and when ctx ends
// whatever it is then. It reads once at first, and once for each Notify of key.
func Await[T any](ctx context.Context, hub *Hub, key string, read func(context.Context) (T, error), final func(T) bool) (T, error) {
	for ctx.Err() == nil {
		news, stop := hub.Subscribe(key)
		v, err := read(ctx)
		if ctx.Err() == nil && (err != nil || final(v)) {
			stop()
			return v, err
		}
		select {
		case <-news:
		case <-ctx.Done():
		}
		stop()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastRead)
	defer cancel()
	return read(ctx)
}
