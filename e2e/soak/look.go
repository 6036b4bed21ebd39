package main

import (
	"context"
	"path/filepath"
	"strings"
	"time"
)

// recent is how many ends and verdicts are asked for again after each restart.
const recent = 20

// lookRound holds what a server says after its start, and what the host holds, against
// what is known.
func (t *troublemaker) lookRound(ctx context.Context) error {
	known := t.endedSessions()
	if err := t.unowned(ctx, known); err != nil {
		return err
	}
	if err := t.audit(ctx, recent); err != nil {
		return err
	}
	t.books(ctx)
	return nil
}

// unowned looks for what is left of sessions that had ended before the server started:
// it must have freed that before it answered.
func (t *troublemaker) unowned(ctx context.Context, ended []string) error {
	var found []string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		left, err := t.program.Leftovers()
		if err != nil {
			return err
		}
		if found = mentioning(left, ended); len(found) == 0 {
			return nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	for _, what := range found {
		t.wrong(leaked, "%s, of a session that had ended before the start (%s)", what, filepath.Base(t.program.DataDir))
	}
	return nil
}

func mentioning(left, ids []string) (found []string) {
	for _, what := range left {
		for _, id := range ids {
			if strings.Contains(what, id) {
				found = append(found, what)
			}
		}
	}
	return found
}
