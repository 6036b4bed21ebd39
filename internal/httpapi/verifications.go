package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"assay"
	"assay/client/wire"
)

func (a *API) registerVerifications() {
	handle(a, huma.Operation{
		OperationID: "start-verification", Method: http.MethodPost, Path: "/sessions/{session_id}/verify", Tags: []string{tagVerification},
		DefaultStatus: http.StatusAccepted,
		Summary:       "Verify the work",
		Description:   "Takes what the session changed in its work tree, as of now, and judges it in a fresh sandbox. The session goes on undisturbed. Work that cannot be judged as it is (the work tree is gone, or too much was changed) is not solved, with the reason, and no suite is run. GET the job to wait for the verdict.",
	}, []int{400, 404, 409, 429}, a.startVerification)
	handle(a, huma.Operation{
		OperationID: "get-verification", Method: http.MethodGet, Path: "/sessions/{session_id}/verify/{job_id}", Tags: []string{tagVerification},
		Summary: "Get a verification",
		Description: "Until the verdict the answer is held: the first time at most 5 s, later at most 25 s, and at most half of the client's read timeout. `wait` and `Prefer: wait=N` say otherwise. " +
			"To a key, or of a dataset, whose `feedback` is `verdict`, no more is told than whether the task is solved and how sure that is: `details_withheld` is true then, lists and texts are empty, and numbers 0.",
	}, []int{404}, a.getVerification)
}

type startVerificationInput struct {
	SessionPath
	Idempotent
}

func (a *API) startVerification(ctx context.Context, in *startVerificationInput) (*answer[wire.JobStarted], error) {
	v, err := a.cfg.Verifications.Start(ctx, callOf(ctx).ofVerdicts(), in.SessionID, in.key(ctx))
	if err != nil {
		return nil, err
	}
	started := v.CreatedAt
	if v.StartedAt != nil {
		started = *v.StartedAt
	}
	return &answer[wire.JobStarted]{Body: wire.JobStarted{JobID: v.ID, Status: v.Status, StartedAt: at(started)}}, nil
}

type getVerificationInput struct {
	SessionPath
	JobID string `path:"job_id" example:"ver_0dfm6k3b2tvc1r8h5n7pqa4e9s" doc:"Id of the verification"`
	HoldParams
}

func (a *API) getVerification(ctx context.Context, in *getVerificationInput) (*heldAnswer[wire.Job], error) {
	reader := callOf(ctx).ofVerdicts()
	v, applied, err := holdJob(ctx, a.holds, &in.HoldParams, in.JobID,
		func(ctx context.Context) (*assay.Verification, error) {
			return a.cfg.Verifications.GetFor(ctx, reader, in.SessionID, in.JobID)
		},
		func(ctx context.Context) (*assay.Verification, error) {
			return a.cfg.Verifications.AwaitFor(ctx, reader, in.SessionID, in.JobID)
		},
		func(v *assay.Verification) bool { return v.Status.Final() })
	if err != nil {
		return nil, err
	}
	return &heldAnswer[wire.Job]{NoteApplied{applied}, wireJob(v)}, nil
}
