package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"assay"
	"assay/client/wire"
	"assay/internal/session"
)

// defaultCommandTimeout is in seconds.
const defaultCommandTimeout = 300

func (a *API) registerCommands() {
	handle(a, huma.Operation{
		OperationID: "exec", Method: http.MethodPost, Path: "/sessions/{session_id}/exec", Tags: []string{tagCommands},
		DefaultStatus: http.StatusAccepted,
		Summary:       "Run a command",
		Description:   "Starts `bash -c COMMAND` in the work tree and answers at once; GET the interaction to wait for its end. The Python SDK below 0.4.0, which knows no interactions, is answered at the end, with the outcome.",
	}, []int{404, 409, 429}, a.exec)
	handle(a, huma.Operation{
		OperationID: "get-interaction", Method: http.MethodGet, Path: "/sessions/{session_id}/interactions/{interaction_id}", Tags: []string{tagCommands},
		Summary:     "Get a command",
		Description: "While the command runs the answer is held until it ends: the first time at most 5 s, later at most 25 s, and at most half of the client's read timeout. `wait` and `Prefer: wait=N` say otherwise.",
	}, []int{404}, a.getInteraction)
}

type execInput struct {
	SessionPath
	Idempotent
	SDKHeaders
	Body wire.ExecRequest
}

func (a *API) exec(ctx context.Context, in *execInput) (*answer[wire.ExecAccepted], error) {
	if n := len(in.Body.Command); n > wire.MaxCommandBytes {
		return nil, unfit(wire.Fault{
			Loc: []string{"body", "command"}, Type: "string_too_long",
			Msg: fmt.Sprintf("String should have at most %d bytes; write it to a file in parts and run that", wire.MaxCommandBytes),
		})
	}
	userID := callOf(ctx).userID
	command, err := a.cfg.Sessions.Exec(ctx, userID, in.SessionID, session.ExecRequest{
		Command: in.Body.Command,
		Timeout: time.Duration(timeoutOf(&in.Body)) * time.Second,
		Idem:    in.key(ctx),
	})
	if err != nil {
		return nil, err
	}
	if !in.synchronous() {
		return &answer[wire.ExecAccepted]{Body: wire.ExecAccepted{InteractionID: command.ID, Status: command.Status}}, nil
	}
	command, err = hold(ctx, a.holds, command.Timeout+execMargin, func(ctx context.Context) (*assay.Interaction, error) {
		return a.cfg.Sessions.AwaitInteraction(ctx, userID, in.SessionID, command.ID)
	})
	if err != nil {
		return nil, err
	}
	return &answer[wire.ExecAccepted]{Body: ended(command)}, nil
}

func timeoutOf(r *wire.ExecRequest) wire.Integer {
	switch {
	case r.CommandTimeout != 0:
		return r.CommandTimeout
	case r.Timeout != 0:
		return r.Timeout
	}
	return defaultCommandTimeout
}

type getInteractionInput struct {
	SessionPath
	InteractionID string `path:"interaction_id" example:"int_0dfm6k3b2tvc1r8h5n7pqa4e9s" doc:"Id of the command"`
	HoldParams
}

func (a *API) getInteraction(ctx context.Context, in *getInteractionInput) (*heldAnswer[wire.Interaction], error) {
	userID := callOf(ctx).userID
	command, applied, err := holdJob(ctx, a.holds, &in.HoldParams, in.InteractionID,
		func(ctx context.Context) (*assay.Interaction, error) {
			return a.cfg.Sessions.Interaction(ctx, userID, in.SessionID, in.InteractionID)
		},
		func(ctx context.Context) (*assay.Interaction, error) {
			return a.cfg.Sessions.AwaitInteraction(ctx, userID, in.SessionID, in.InteractionID)
		},
		func(i *assay.Interaction) bool { return i.Status.Final() })
	if err != nil {
		return nil, err
	}
	return &heldAnswer[wire.Interaction]{NoteApplied{applied}, wireInteraction(command)}, nil
}
