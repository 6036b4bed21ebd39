package session

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"assay"
	"assay/internal/persist"
	"assay/internal/sandbox"
	"assay/internal/telemetry"
	"assay/internal/wake"
)

// ExecRequest asks for a command.
type ExecRequest struct {
	Command string // given to bash -c
	Timeout time.Duration
	Idem    Idempotency
}

// Exec stores an interaction and starts its command in the session's work tree.
// It does not wait for the end; see AwaitInteraction.
func (s *Service) Exec(ctx context.Context, userID, sessionID string, req ExecRequest) (*assay.Interaction, error) {
	if err := s.owned(ctx, userID, sessionID); err != nil {
		return nil, err
	}
	asked := &assay.Interaction{
		ID:        assay.NewID(assay.PrefixInteraction),
		SessionID: sessionID,
		CreatedAt: s.cfg.Now().UTC(),
		Command:   req.Command,
		Timeout:   req.Timeout,
		Status:    assay.InteractionProcessing,
	}
	in, created, err := s.cfg.Store.InsertInteraction(ctx, asked, req.Idem, s.cfg.MaxCommands)
	if err != nil {
		s.takeBack(ctx, asked, err)
		return nil, s.refusal(ctx, userID, sessionID, err)
	}
	if !created { // also when the session has ended since
		return in, nil
	}
	s.noteLookups(ctx, in)
	if l, _ := s.boxNow(sessionID); l == nil { // the row that was just written says that it is ready
		s.storeLater(telemetry.Carry(s.ctx, ctx), in, failedEnd(in, "the session ended before the command was started"))
		_, _, err := s.boxOf(ctx, sessionID)
		return nil, err
	}
	run := func(ctx context.Context, box sandbox.Sandbox) (sandbox.Result, error) {
		ctx, span := s.cfg.Tracer.Start(ctx, "agent.exec")
		res, err := box.Exec(ctx, command(ctx, in))
		span.SetAttributes(attribute.Int("process.exit.code", res.Exit.Code))
		endSpan(span, err)
		return res, err
	}
	from := telemetry.Carry(s.ctx, ctx)
	release := s.hold(in.ID)
	err = s.spawn(func() {
		defer release()
		s.run(from, in, run)
	})
	if err != nil {
		defer release()
		s.store(from, in, failedEnd(in, "the server is stopping; the command was not started"))
		return nil, err
	}
	runtime.Gosched() // the command goes first: it forks while its caller is answered
	return in, nil
}

// takeBack ends a command that is stored although its user was told that it may not be: it
// is never started.
func (s *Service) takeBack(ctx context.Context, in *assay.Interaction, err error) {
	if !persist.Uncertain(err) {
		return
	}
	ctx = telemetry.Carry(s.ctx, ctx)
	release := s.hold(in.ID)
	s.later(ctx, func() {
		defer release()
		if persist.Found(ctx, s.cfg.Log, "what became of command "+in.ID, err, func(ctx context.Context) (bool, error) { return s.isRunning(ctx, in) }) {
			s.store(ctx, in, failedEnd(in, "the database went away while the command was taken; it was not started"))
		}
	})
}

// isRunning tells whether a command is stored, without an end.
func (s *Service) isRunning(ctx context.Context, in *assay.Interaction) (bool, error) {
	running, err := s.cfg.Store.RunningInteractions(ctx, in.SessionID)
	return slices.ContainsFunc(running, func(r *assay.Interaction) bool { return r.ID == in.ID }), err
}

// refusal is why a command was not taken, in more words if the session's row has them.
func (s *Service) refusal(ctx context.Context, userID, sessionID string, err error) error {
	if code := assay.CodeOf(err); code != assay.CodeSessionEnded && code != assay.CodeSessionNotReady {
		return err
	}
	sess, e := s.cfg.Store.Session(ctx, userID, sessionID)
	if e == nil {
		if why := readiness(sess); assay.CodeOf(why) == assay.CodeOf(err) {
			return why
		}
	}
	return err
}

// command is what an interaction runs, on behalf of the request that ctx belongs to.
func command(ctx context.Context, in *assay.Interaction) sandbox.Command {
	return sandbox.Command{
		ID:          in.ID,
		RequestID:   telemetry.RequestID(ctx),
		Argv:        []string{"bash", "-c", in.Command},
		Timeout:     in.Timeout,
		OutputLimit: assay.OutputLimit,
	}
}

// Interaction returns a command of a user's session.
func (s *Service) Interaction(ctx context.Context, userID, sessionID, id string) (*assay.Interaction, error) {
	return s.cfg.Store.Interaction(ctx, userID, sessionID, id)
}

// AwaitInteraction returns the command once it has ended, or as it is when ctx ends.
func (s *Service) AwaitInteraction(ctx context.Context, userID, sessionID, id string) (*assay.Interaction, error) {
	return wake.Await(ctx, &s.news, id,
		func(ctx context.Context) (*assay.Interaction, error) {
			return s.Interaction(ctx, userID, sessionID, id)
		},
		func(in *assay.Interaction) bool { return in.Status.Final() })
}

// run waits for the end of a command and stores it. When the service stops, the
// command goes on and the next start attaches to it. ctx is the service's, with the
// request that the command was given in.
func (s *Service) run(ctx context.Context, in *assay.Interaction, wait func(context.Context, sandbox.Sandbox) (sandbox.Result, error)) {
	ctx, span := s.cfg.Tracer.Start(ctx, "session.exec",
		trace.WithAttributes(attribute.String("assay.session.id", in.SessionID), attribute.String("assay.interaction.id", in.ID)))
	defer span.End()
	res, err := s.untilAnswered(ctx, in.SessionID, wait)
	if err != nil && ctx.Err() != nil {
		return
	}
	s.cfg.Observer.CommandEnded(outcomeOf(res, err), s.cfg.Now().Sub(in.CreatedAt))
	if err != nil {
		level := slog.LevelWarn
		if errors.Is(err, sandbox.ErrGone) { // who ended the session has said so
			level = slog.LevelDebug
		}
		s.cfg.Log.Log(ctx, level, "end of a command not seen", "session", in.SessionID, "interaction", in.ID, "err", err)
		s.store(ctx, in, failedEnd(in, s.unseen(ctx, in, err)))
		return
	}
	if s.store(ctx, in, endOf(in, res)) {
		ctx, cancel := finally(ctx)
		defer cancel()
		if _, box := s.boxNow(in.SessionID); box == nil {
			return // it forgets its oldest ends by itself
		} else if err := box.Forget(ctx, in.ID); err != nil && !errors.Is(err, sandbox.ErrGone) {
			s.cfg.Log.DebugContext(ctx, "command not forgotten", "interaction", in.ID, "err", err)
		}
	}
}

// unseen says to the user why the end of a command is not known.
func (s *Service) unseen(ctx context.Context, in *assay.Interaction, err error) string {
	ctx, cancel := finally(ctx)
	defer cancel()
	sess, e := s.cfg.Store.Session(ctx, "", in.SessionID)
	switch {
	case e == nil && sess.Error != nil:
		return "the session ended during the command: " + sess.Error.Message
	case e == nil && sess.Status == assay.SessionClosed:
		return "the session was closed during the command"
	case errors.Is(err, sandbox.ErrUnknownCommand):
		return "the server lost sight of it before the command began; run it again"
	case errors.Is(err, sandbox.ErrNotStarted):
		return "the command was not started: the sandbox is at its limit of processes, or out of memory or descriptors; end some processes, or wait until they have ended"
	case errors.Is(err, sandbox.ErrGone):
		return "the sandbox died during the command"
	default:
		return "the end of the command was not seen; it may have run in part"
	}
}

// store stores the end of a command and wakes whoever waits for it. It tries until it
// succeeds or ctx ends, which is when the service stops; then the next start attaches
// to the command.
func (s *Service) store(ctx context.Context, in, end *assay.Interaction) (stored bool) {
	err := persist.Until(ctx, s.cfg.Log, "the end of command "+in.ID, func(ctx context.Context) (err error) {
		stored, err = s.cfg.Store.FinishInteraction(ctx, end)
		return err
	})
	if err != nil {
		s.cfg.Log.ErrorContext(ctx, "the end of a command was not stored", "interaction", in.ID, "err", err)
	}
	s.news.Notify(in.ID)
	runtime.Gosched() // who waits for it goes first; the agent is told to forget it afterwards
	return stored && err == nil
}

// storeLater is store for who cannot wait for it.
func (s *Service) storeLater(ctx context.Context, in, end *assay.Interaction) {
	release := s.hold(in.ID)
	store := func() {
		defer release()
		s.store(ctx, in, end)
	}
	if s.spawn(store) != nil {
		store() // once: the service has stopped
	}
}

// failedEnd is the end of a command of which we know none.
func failedEnd(in *assay.Interaction, message string) *assay.Interaction {
	end := *in
	end.Status = assay.InteractionFailed
	end.ExitCode = assay.ExitUnknown
	end.Message = message
	return &end
}

// endOf is the end of a command as its user sees it.
func endOf(in *assay.Interaction, res sandbox.Result) *assay.Interaction {
	end := *in
	end.Status = assay.InteractionCompleted
	end.ExitCode = res.Exit.Code
	end.Stdout = textOf(res.Stdout)
	end.Stderr = textOf(res.Stderr)
	end.Duration = res.Duration
	switch {
	case res.Exit.TimedOut:
		end.ExitCode = assay.ExitTimeout
		end.Message = "the command was killed after its timeout of " + in.Timeout.String() + "; the output so far is kept"
	case res.Exit.OOMKilled:
		end.Message = "a process was killed because the sandbox ran out of memory"
	}
	return &end
}

func textOf(out sandbox.Output) assay.Output {
	return assay.NewOutput(out.Head, out.Tail, out.Total)
}
