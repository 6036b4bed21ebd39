package session

import (
	"context"
	"encoding/json"
	"fmt"

	"assay"
	"assay/internal/sandbox"
)

// hold notes that somebody sees to the end of a session or a command, whoever it is: it is
// not abandoned. release is called when it has one, or is left to the next start.
func (s *Service) hold(id string) (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[id]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.held[id]--; s.held[id] == 0 {
			delete(s.held, id)
		}
	}
}

// Discrepancies tells which live sessions have no owner or no sandbox or are overdue, which
// are watched though they have ended, and for which commands nobody waits, just now. found are the sandboxes of the host.
func (s *Service) Discrepancies(ctx context.Context, found []sandbox.Handle) (all []assay.Discrepancy, err error) {
	sessions, err := s.cfg.Store.LiveSessions(ctx)
	if err != nil {
		return nil, fmt.Errorf("compare sessions: %w", err)
	}
	running, err := s.cfg.Store.RunningInteractions(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("compare commands: %w", err)
	}
	there := make(map[string]bool, len(found))
	for _, h := range found {
		there[h.ID] = true
	}
	now := s.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sess := range sessions {
		d := assay.Discrepancy{ID: sess.ID}
		switch {
		case s.held[sess.ID] > 0:
			continue
		case !now.Before(sess.ExpiresAt):
			d.Kind = assay.SessionOverdue
		case s.live[sess.ID] == nil:
			d.Kind = assay.SessionUnowned
		case sess.Status == assay.SessionReady && !there[sess.ID]:
			d.Kind = assay.SessionWithoutSandbox
		default:
			continue
		}
		all = append(all, d)
	}
	lives := make(map[string]bool, len(sessions))
	for _, sess := range sessions {
		lives[sess.ID] = true
	}
	for id := range s.live {
		if !lives[id] {
			all = append(all, assay.Discrepancy{Kind: assay.SandboxOutlives, ID: id})
		}
	}
	for _, in := range running {
		if s.held[in.ID] == 0 {
			all = append(all, assay.Discrepancy{Kind: assay.InteractionAbandoned, ID: in.ID})
		}
	}
	return all, nil
}

// Mend puts right what Discrepancies told, if it is still there.
func (s *Service) Mend(ctx context.Context, d assay.Discrepancy) error {
	if d.Kind == assay.InteractionAbandoned {
		return s.mendCommand(ctx, d.ID)
	}
	sess, err := s.cfg.Store.Session(ctx, "", d.ID)
	if err != nil {
		return err
	}
	l, _ := s.boxNow(sess.ID)
	if !sess.Status.Live() {
		if l != nil {
			l.end() // its watch frees the sandbox
		}
		return nil
	}
	switch d.Kind {
	case assay.SessionOverdue:
		at := sess.ExpiresAt
		if l == nil { // nobody has seen it live until then
			at = sess.LastSeen()
		}
		_, err = s.finishAt(ctx, sess, sess.Status, assay.SessionTerminated, at,
			&assay.Failure{Code: assay.CodeExpired, Message: "the session's lifetime was over"})
	case assay.SessionWithoutSandbox:
		_, err = s.finishAt(ctx, sess, assay.SessionReady, assay.SessionTerminated, sess.LastSeen(),
			&assay.Failure{Code: assay.CodeSandboxLost, Message: "the sandbox is gone from its host; work that was in it is lost"})
	case assay.SessionUnowned:
		if l == nil {
			err = s.mendUnowned(ctx, sess)
		}
	}
	return err
}

// mendUnowned ends a session that nobody watches. Where its sandbox lives, it has an owner
// again instead, as after a start; that owner ends it where the sandbox is gone.
func (s *Service) mendUnowned(ctx context.Context, sess *assay.Session) error {
	if sess.Status == assay.SessionCreating {
		_, err := s.finish(ctx, sess, assay.SessionCreating, assay.SessionError,
			&assay.Failure{Code: assay.CodeSandboxFailed, Message: "the server lost sight of the session before its sandbox was made; create another"})
		return err
	}
	sample, err := s.cfg.Samples.Sample(ctx, sess.Dataset, sess.SampleID, sess.SampleVersion)
	if err != nil {
		return err
	}
	var h sandbox.Handle
	if err := json.Unmarshal([]byte(sess.Handle), &h); err != nil {
		h = sandbox.Handle{} // its owner finds nothing
	}
	return s.watch(s.ctx, sess, sample, h)
}

// mendCommand waits again for a command, or says that its end is not known.
func (s *Service) mendCommand(ctx context.Context, id string) error {
	running, err := s.cfg.Store.RunningInteractions(ctx, "")
	if err != nil {
		return fmt.Errorf("compare commands: %w", err)
	}
	for _, in := range running {
		if in.ID == id {
			return s.waitAgain(s.ctx, in)
		}
	}
	return nil // it has ended
}

// waitAgain waits for a command that somebody began, or says that its end is not known.
func (s *Service) waitAgain(ctx context.Context, in *assay.Interaction) error {
	if l, _ := s.boxNow(in.SessionID); l == nil {
		s.storeLater(ctx, in, failedEnd(in, s.unseen(ctx, in, sandbox.ErrGone))) // nobody waits for a full disk
		return nil
	}
	release := s.hold(in.ID)
	attach := func(ctx context.Context, box sandbox.Sandbox) (sandbox.Result, error) { return box.Attach(ctx, in.ID) }
	err := s.spawn(func() {
		defer release()
		s.run(ctx, in, attach)
	})
	if err != nil {
		release()
	}
	return err
}
