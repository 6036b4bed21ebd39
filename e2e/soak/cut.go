package main

import (
	"context"
	"strings"
	"time"

	"assay/internal/store/pgtest"
)

// cutCommits cuts the connections of some commits for a while, before or after they reach
// PostgreSQL: nobody hears what became of them.
func (t *troublemaker) cutCommits(ctx context.Context) error {
	if t.proxy == nil {
		return nil // SQLite has no connection
	}
	over := t.begin(commitsCut, "")
	defer over()
	every := 2 + t.random.IntN(6)
	n := 0
	t.proxy.Choose(func(statement string) pgtest.Cut {
		if !strings.HasPrefix(strings.ToLower(statement), "commit") {
			return pgtest.Pass
		}
		if n++; n%every != 0 {
			return pgtest.Pass
		}
		t.count(cutCommit)
		if n/every%2 == 0 {
			return pgtest.CutBefore
		}
		return pgtest.CutAfter
	})
	err := pause(ctx, time.Duration(500+t.random.IntN(2500))*time.Millisecond)
	t.proxy.Choose(nil)
	t.say("one commit in %d was cut", every)
	return err
}
