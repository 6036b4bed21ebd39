package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"assay/client/wire"
	"assay/internal/sandbox"
)

func (a *API) registerEdits() {
	handle(a, huma.Operation{
		OperationID: "str-replace", Method: http.MethodPost, Path: "/sessions/{session_id}/str_replace", Tags: []string{tagCommands},
		MaxBodyBytes: a.cfg.MaxEditBytes,
		Summary:      "Replace a string in a file",
		Description:  "The string must occur exactly once. When it does not, or the file cannot be edited, success is false and the message says what to do; nothing was changed. Idempotency-Key has no effect here: doing it again finds the string gone and changes nothing.",
	}, []int{404, 409}, a.replace)
	handle(a, huma.Operation{
		OperationID: "apply-diff", Method: http.MethodPost, Path: "/sessions/{session_id}/apply", Tags: []string{tagCommands},
		MaxBodyBytes: a.cfg.MaxEditBytes,
		Deprecated:   true,
		Summary:      "Apply a unified diff",
		Description:  "For the Python SDK 0.1. Applies the diff to the work tree, wholly or not at all.",
	}, []int{404, 409}, a.apply)
}

type replaceInput struct {
	SessionPath
	Body wire.ReplaceRequest
}

func (a *API) replace(ctx context.Context, in *replaceInput) (*answer[wire.EditResult], error) {
	res, err := a.cfg.Sessions.Replace(ctx, callOf(ctx).userID, in.SessionID, sandbox.ReplaceRequest{
		Path: in.Body.FilePath, Old: in.Body.StrToReplace, New: in.Body.StrToInsert,
	})
	if err != nil {
		return nil, err
	}
	return &answer[wire.EditResult]{Body: wire.EditResult{Success: res.Replaced, Message: res.Message}}, nil
}

type applyInput struct {
	SessionPath
	Body wire.ApplyRequest
}

func (a *API) apply(ctx context.Context, in *applyInput) (*answer[wire.EditResult], error) {
	message, ok, err := a.cfg.Sessions.Apply(ctx, callOf(ctx).userID, in.SessionID, in.Body.Diff)
	if err != nil {
		return nil, err
	}
	return &answer[wire.EditResult]{Body: wire.EditResult{Success: ok, Message: message}}, nil
}
