package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/wake"
	"assay/internal/worktree"
)

// Replace replaces the one occurrence of a string in a file of the session.
func (s *Service) Replace(ctx context.Context, userID, sessionID string, req sandbox.ReplaceRequest) (sandbox.ReplaceResult, error) {
	_, l, box, err := s.box(ctx, userID, sessionID)
	if err != nil {
		return sandbox.ReplaceResult{}, err
	}
	var res sandbox.ReplaceResult
	err = s.ask(ctx, l, func(ctx context.Context) (err error) {
		res, err = box.Replace(ctx, req)
		return err
	})
	if err != nil {
		return res, s.operationFailed(ctx, sessionID, "edit a file", err)
	}
	return res, nil
}

// Apply applies a unified diff to the session's work tree, wholly or not at all.
// ok tells whether it applied; message says what was changed, or why not.
func (s *Service) Apply(ctx context.Context, userID, sessionID, diff string) (message string, ok bool, err error) {
	_, l, box, err := s.box(ctx, userID, sessionID)
	if err != nil {
		return "", false, err
	}
	var changed int
	err = s.ask(ctx, l, func(ctx context.Context) (err error) {
		changed, err = worktree.ApplyPatch(ctx, box, l.sample.Task.Workdir, diff)
		return err
	})
	var refused *worktree.PatchError
	switch {
	case errors.As(err, &refused):
		return refused.Error(), false, nil
	case err != nil:
		return "", false, s.operationFailed(ctx, sessionID, "apply a patch", err)
	}
	return fmt.Sprintf("applied; %d files changed", changed), true, nil
}

// Snapshot writes what the session changed in its work tree, as of one moment, as an
// OCI layer tar with names relative to the work tree. The session goes on. When that
// cannot be, for what was done in the work tree, the error wraps a *sandbox.WorkError,
// and the session is returned with it.
func (s *Service) Snapshot(ctx context.Context, userID, sessionID string, limits sandbox.ChangeLimits, w io.Writer) (*assay.Session, error) {
	sess, l, box, err := s.box(ctx, userID, sessionID)
	if err != nil {
		return nil, err
	}
	snapshotter, ok := box.(sandbox.Snapshotter)
	if !ok {
		return nil, assay.Errorf(assay.CodeInvalid, "this server's sandboxes cannot tell what was changed in them")
	}
	err = snapshotter.Changes(ctx, l.sample.Task.Workdir, limits, w)
	var work *sandbox.WorkError
	switch {
	case errors.As(err, &work) && errors.Is(work, sandbox.ErrTooLarge):
		return sess, assay.Wrap(err, assay.CodeTooLarge, "%s; remove what does not belong to the solution (build output, downloads)", work.Reason)
	case errors.As(err, &work):
		return sess, assay.Wrap(err, assay.CodeInvalid, "%s; put the work tree back, or create a new session", work.Reason)
	case err != nil:
		return nil, s.operationFailed(ctx, sessionID, "read the changes", err)
	}
	return sess, nil
}

// operationFailed is the error of an operation on a sandbox that did not answer.
func (s *Service) operationFailed(ctx context.Context, sessionID, doing string, err error) error {
	switch {
	case errors.Is(err, sandbox.ErrGone):
		return s.endedMeanwhile(ctx, sessionID, err)
	case errors.Is(err, unix.EBADMSG), errors.Is(err, unix.EUCLEAN):
		return s.damaged(ctx, sessionID, err)
	case errors.Is(err, sandbox.ErrUnreachable):
		return assay.Wrap(err, assay.CodeUnavailable, "the sandbox of session %s does not answer at the moment; try again in a while, and look first whether what was asked was done", sessionID)
	case errors.Is(err, sandbox.ErrTooLarge):
		return assay.Wrap(err, assay.CodeTooLarge, "the file is too large")
	}
	return fmt.Errorf("%s in session %s: %w", doing, sessionID, err)
}

// endBound is how long an answer waits for the end of a session to be stored, after its
// sandbox was found dead.
const endBound = 5 * time.Second

// endedMeanwhile is the error of an operation whose sandbox is gone. It waits until the
// session's row says so, too: nobody shall hear that a session has ended and then find
// it ready.
func (s *Service) endedMeanwhile(ctx context.Context, sessionID string, cause error) error {
	ctx, cancel := context.WithTimeout(ctx, endBound)
	defer cancel()
	sess, err := wake.Await(ctx, &s.news, sessionID,
		func(ctx context.Context) (*assay.Session, error) { return s.cfg.Store.Session(ctx, "", sessionID) },
		func(sess *assay.Session) bool { return !sess.Status.Live() })
	if err == nil {
		if why := readiness(sess); why != nil {
			return why
		}
	}
	return assay.Wrap(cause, assay.CodeSessionEnded, "session %s ended meanwhile", sessionID)
}

// damaged ends a session whose disk the host has broken, as when the host's own was
// full: what is in it cannot be read any more, and that is no fault of its user.
func (s *Service) damaged(ctx context.Context, sessionID string, cause error) error {
	s.cfg.Log.ErrorContext(ctx, "the disk of a sandbox is damaged", "session", sessionID, "err", cause)
	ctx, cancel := finally(ctx)
	defer cancel()
	sess, err := s.Terminate(ctx, sessionID, assay.Failure{
		Code: assay.CodeSandboxLost, Message: "the host's disk failed under the sandbox; work that was in it is lost",
	})
	if err != nil {
		return err
	}
	return readiness(sess)
}
