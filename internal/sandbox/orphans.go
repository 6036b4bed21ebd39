package sandbox

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// DestroyOrphans destroys every sandbox of rt that was made before a time and that
// nobody uses, and returns their ids. It goes on after an error.
func DestroyOrphans(ctx context.Context, rt Runtime, used func(id string) bool, before time.Time) (destroyed []string, err error) {
	found, err := rt.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for orphans: %w", err)
	}
	for _, h := range found {
		if used(h.ID) || !h.CreatedAt.Before(before) {
			continue
		}
		if e := rt.Destroy(ctx, h); e != nil {
			err = errors.Join(err, fmt.Errorf("destroy orphan %s: %w", h.ID, e))
			continue
		}
		destroyed = append(destroyed, h.ID)
	}
	return destroyed, err
}
