package session

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"assay"
	"assay/internal/sandbox"
)

// Owns tells whether a sandbox is one of a session, by its id.
func Owns(h sandbox.Handle) bool { return strings.HasPrefix(h.ID, assay.PrefixSession) }

// Recover makes the world and the database agree after a start. found is every
// sandbox of a session that this host has. Sessions whose sandbox lives are
// adopted, with the commands that run in them; those that were being made are made
// again; the others end with the reason, at the moment at which they are known to
// have lived; sandboxes that no live session owns are destroyed. No sandbox is waited
// for: what has to be asked of them, or done to them, is done beside the rest of the
// start, and neither one that hangs nor one that cannot be destroyed keeps it from the
// others. It must return before anything else is called.
func (s *Service) Recover(ctx context.Context, found []sandbox.Handle) error {
	sessions, err := s.cfg.Store.LiveSessions(ctx)
	if err != nil {
		return fmt.Errorf("recover sessions: %w", err)
	}
	handles := make(map[string]sandbox.Handle, len(found))
	for _, h := range found {
		handles[h.ID] = h
	}
	for _, sess := range sessions {
		h, ok := handles[sess.ID]
		kept, err := s.recoverOne(ctx, sess, h, ok)
		if err != nil {
			return fmt.Errorf("recover session %s: %w", sess.ID, err)
		}
		if kept {
			delete(handles, sess.ID)
		}
	}
	if err := s.recoverCommands(ctx); err != nil {
		return err
	}
	if err := s.spawn(func() { s.destroyOrphans(handles) }); err != nil {
		return err
	}
	return s.spawn(s.see)
}

// destroyOrphans destroys sandboxes that no live session owns. Those that it cannot
// destroy are left to the sweep of the server. A server that stops meanwhile leaves none
// behind that it can destroy: it may be the last on this host.
func (s *Service) destroyOrphans(orphans map[string]sandbox.Handle) {
	ctx := context.WithoutCancel(s.ctx)
	for _, h := range orphans {
		s.cfg.Log.Info("destroying a sandbox that no live session owns", "sandbox", h.ID)
		if err := s.cfg.Runtime.Destroy(ctx, h); err != nil {
			s.cfg.Log.Error("cannot free a sandbox; it is tried again", "sandbox", h.ID, "err", err)
			if s.ctx.Err() != nil {
				return
			}
			continue
		}
		s.cfg.Observer.OrphanDestroyed()
	}
}

// recoverOne brings one live session back, or ends it. kept tells whether its
// sandbox has an owner now.
func (s *Service) recoverOne(ctx context.Context, sess *assay.Session, h sandbox.Handle, exists bool) (kept bool, err error) {
	if !s.cfg.Now().Before(sess.ExpiresAt) {
		_, err := s.finishAt(ctx, sess, sess.Status, assay.SessionTerminated, sess.LastSeen(),
			&assay.Failure{Code: assay.CodeExpired, Message: "the session's lifetime was over"})
		return false, err
	}
	sample, err := s.cfg.Samples.Sample(ctx, sess.Dataset, sess.SampleID, sess.SampleVersion)
	if err != nil {
		return false, err
	}
	if sess.Status == assay.SessionCreating {
		return true, s.watch(ctx, sess, sample, h)
	}
	if !exists {
		s.cfg.Log.WarnContext(ctx, "sandbox lost while the server was down", "session", sess.ID)
		_, err = s.finishAt(ctx, sess, assay.SessionReady, assay.SessionTerminated, sess.LastSeen(),
			&assay.Failure{Code: assay.CodeSandboxLost, Message: "the sandbox died while the server was down; work that was in it is lost"})
		return false, err
	}
	var stored sandbox.Handle
	if err := json.Unmarshal([]byte(sess.Handle), &stored); err != nil {
		s.cfg.Log.ErrorContext(ctx, "cannot read the stored handle of a session; the host's is taken", "session", sess.ID, "err", err)
		stored = h
	}
	return true, s.watch(ctx, sess, sample, stored)
}

// recoverCommands waits again for the commands that were running, or says that
// their end is not known.
func (s *Service) recoverCommands(ctx context.Context) error {
	running, err := s.cfg.Store.RunningInteractions(ctx, "")
	if err != nil {
		return fmt.Errorf("recover commands: %w", err)
	}
	for _, in := range running {
		if err := s.waitAgain(s.ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// Uses tells whether a sandbox belongs to a live session of this process. Others
// are orphans: their session ended, and they could not be freed then.
func (s *Service) Uses(sandboxID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, used := s.live[sandboxID]
	return used
}
