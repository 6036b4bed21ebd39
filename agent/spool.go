package agent

import (
	"context"
	"fmt"
	"io"

	"assay/agent/internal/wire"
)

// ReadSpool hands to fn what the agent kept of the standard output of a command that
// has ended, and how much there was: total bytes. It is streamed, and what fn leaves of
// it is skipped. When ReadSpool fails, what fn has read is not to be believed. An error
// of fn ends it and is returned.
func (c *Client) ReadSpool(ctx context.Context, id string, fn func(total int64, r io.Reader) error) error {
	err := c.once(ctx, wire.Request{Op: wire.OpSpool, ID: id}, nil, func(w *wire.Conn) error {
		var s wire.Spool
		if err := w.ReadHead(&s); err != nil {
			return err
		}
		if s.Kept < 0 || s.Total < s.Kept {
			return fmt.Errorf("output of impossible sizes %+v", s)
		}
		return handOver(w, wire.File{Size: s.Kept}, func(_ string, _ int64, r io.Reader) error { return fn(s.Total, r) })
	})
	if err != nil {
		return fmt.Errorf("read the output of command %s: %w", id, c.diagnose(ctx, err))
	}
	return nil
}
