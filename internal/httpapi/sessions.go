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

func (a *API) registerSessions() {
	handle(a, huma.Operation{
		OperationID: "create-session", Method: http.MethodPost, Path: "/sessions", Tags: []string{tagSessions},
		DefaultStatus: http.StatusCreated,
		Summary:       "Create a session",
		Description:   "Begins to make a sandbox of the sample's latest version and answers at once. GET the session to wait until it is ready. It ends by itself after ttl_minutes.",
	}, []int{402, 404, 409, 429}, a.createSession)
	handle(a, huma.Operation{
		OperationID: "list-sessions", Method: http.MethodGet, Path: "/sessions", Tags: []string{tagSessions},
		Summary:     "List your sessions",
		Description: "Newest first, ended ones too, a page at a time.",
	}, nil, a.listSessions)
	handle(a, huma.Operation{
		OperationID: "get-session", Method: http.MethodGet, Path: "/sessions/{session_id}", Tags: []string{tagSessions},
		Summary:     "Get a session",
		Description: "While the session is being created the answer is held until it is ready or could not be made, at most 25 s and at most half of the client's read timeout. `wait` and `Prefer: wait=N` say otherwise.",
	}, []int{404}, a.getSession)
	handle(a, huma.Operation{
		OperationID: "close-session", Method: http.MethodDelete, Path: "/sessions/{session_id}", Tags: []string{tagSessions},
		Summary:     "Close a session",
		Description: "Ends the session and destroys its sandbox. Works in every state, and again.",
	}, []int{404}, a.closeSession)
}

type createSessionInput struct {
	Idempotent
	Body wire.SessionCreate
}

func (a *API) createSession(ctx context.Context, in *createSessionInput) (*answer[wire.SessionCreated], error) {
	s, err := a.cfg.Sessions.Create(ctx, callOf(ctx).userID, session.CreateRequest{
		Dataset:  in.Body.Dataset,
		SampleID: in.Body.SampleID,
		TTL:      time.Duration(in.Body.TTLMinutes) * time.Minute,
		Idem:     in.key(ctx),
	})
	if err != nil {
		return nil, err
	}
	return &answer[wire.SessionCreated]{Body: wire.SessionCreated{SessionID: s.ID, Status: s.Status, ExpiresAt: at(s.ExpiresAt)}}, nil
}

type listSessionsInput struct {
	Status  string `query:"status" enum:"creating,ready,error,closed,terminated" doc:"Only sessions in this state"`
	Dataset string `query:"dataset" maxLength:"255" pattern:"^[^\\x00]*$" patternDescription:"free of NUL characters" doc:"Only sessions of samples of this dataset"`
	Limit   int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"Sessions a page"`
	Cursor  string `query:"cursor" maxLength:"255" pattern:"^[^\\x00]*$" patternDescription:"free of NUL characters" doc:"next_cursor of the page before"`
}

func (a *API) listSessions(ctx context.Context, in *listSessionsInput) (*answer[wire.SessionList], error) {
	page, err := a.cfg.Sessions.List(ctx, session.Query{
		UserID:  callOf(ctx).userID,
		Status:  assay.SessionStatus(in.Status),
		Dataset: in.Dataset,
		Limit:   in.Limit,
		Before:  in.Cursor,
	})
	if err != nil {
		return nil, err
	}
	list := wire.SessionList{
		Sessions:   make([]wire.Session, len(page.Sessions)),
		TotalCount: page.Total,
		HasMore:    page.More,
	}
	for i, s := range page.Sessions {
		list.Sessions[i] = a.wireSession(s)
	}
	if n := len(page.Sessions); page.More && n > 0 {
		list.NextCursor = &page.Sessions[n-1].ID
	}
	return &answer[wire.SessionList]{Body: list}, nil
}

type getSessionInput struct {
	SessionPath
	HoldParams
}

func (a *API) getSession(ctx context.Context, in *getSessionInput) (*heldAnswer[wire.Session], error) {
	userID := callOf(ctx).userID
	wait, applied, asked := in.wish()
	if !asked {
		wait = in.budget(laterHold)
	}
	s, err := a.cfg.Sessions.Get(ctx, userID, in.SessionID)
	if err == nil && s.Status == assay.SessionCreating && wait > 0 {
		s, err = hold(ctx, a.holds, wait, func(ctx context.Context) (*assay.Session, error) {
			return a.cfg.Sessions.Await(ctx, userID, in.SessionID)
		})
	}
	if err != nil {
		return nil, err
	}
	return &heldAnswer[wire.Session]{NoteApplied{applied}, a.wireSession(s)}, nil
}

func (a *API) closeSession(ctx context.Context, in *SessionPath) (*answer[wire.SessionClosed], error) {
	s, err := a.cfg.Sessions.Close(ctx, callOf(ctx).userID, in.SessionID)
	if err != nil {
		return nil, err
	}
	return &answer[wire.SessionClosed]{Body: wire.SessionClosed{
		Message:         fmt.Sprintf("session %s is %s", s.ID, s.Status),
		DurationSeconds: s.Duration(a.cfg.Now()).Seconds(),
	}}, nil
}
