package session

import (
	"context"
	"time"

	"assay"
	"assay/internal/sandbox"
)

// tellAfter is how long a sandbox may take to answer until its session is told to be
// unreachable: it may take longer by far until that is given up.
const tellAfter = 2 * time.Second

// openTelling opens the sandbox of a session that is reached anew, and says meanwhile if that
// takes long.
func (s *Service) openTelling(ctx context.Context, sess *assay.Session, l *live) (sandbox.Sandbox, error) {
	told := make(chan struct{})
	slow := time.AfterFunc(tellAfter, func() {
		defer close(told)
		s.noAnswer(ctx, sess, l, context.DeadlineExceeded)
	})
	box, err := s.open(ctx, l.handle)
	if !slow.Stop() {
		<-told
	}
	return box, err
}
