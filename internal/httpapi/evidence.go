package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"assay/client/wire"
	"assay/internal/attest"
)

func (a *API) registerEvidence() {
	handle(a, huma.Operation{
		OperationID: "get-diff", Method: http.MethodGet, Path: "/sessions/{session_id}/diff", Tags: []string{tagVerification},
		Summary: "Get the changes as a patch",
		Description: "What was changed in the work tree against the sample's image, as a unified diff that `git apply` takes, sorted by path; never .git. " +
			"With `job_id`: the patch that this verification judged, whose SHA-256 is in its evidence. Without: the work tree as it is now; of a session that has ended, the patch of its last verification.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The diff",
			Content:     map[string]*huma.MediaType{contentTypeDiff: {Schema: &huma.Schema{Type: "string"}}},
		}, "304": {Description: "The diff is that of If-None-Match"}},
	}, []int{400, 404, 409, 413}, a.getDiff)
	handle(a, huma.Operation{
		OperationID: "get-verdict", Method: http.MethodGet, Path: "/sessions/{session_id}/verify/{job_id}/verdict", Tags: []string{tagVerification},
		Summary: "Get the signed verdict",
		Description: "A DSSE envelope whose payload is the verdict and what it rests on, as JSON. 404 until the verification is completed; 403 to a key, or of a dataset, whose `feedback` is `verdict`. " +
			"The public keys, those of the past included, are at `" + wire.KeysPath + "`; `assay verdict check` checks an envelope against them. Whether the operator took a verdict back since is told to anybody at `" + wire.WithdrawnPath + "{job_id}`.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The envelope",
			Content:     map[string]*huma.MediaType{attest.MediaType: {Schema: &huma.Schema{Type: "object"}}},
		}},
	}, []int{403, 404}, a.getVerdict)
	a.mux.HandleFunc("GET "+wire.KeysPath, a.anyone(a.serveKeys))
	a.mux.HandleFunc("GET "+wire.WithdrawnPath+"{job_id}", a.anyone(a.serveStanding))
}

// contentTypeDiff is that of a patch.
const contentTypeDiff = "text/x-diff; charset=utf-8"

type diffInput struct {
	SessionPath
	JobID       string `query:"job_id" maxLength:"64" pattern:"^[!-~]*$" patternDescription:"visible ASCII characters" example:"ver_0dfm6k3b2tvc1r8h5n7pqa4e9s" doc:"Id of a verification of the session"`
	IfNoneMatch string `header:"If-None-Match" hidden:"true"`
}

func (a *API) getDiff(ctx context.Context, in *diffInput) (*huma.StreamResponse, error) {
	p, err := a.cfg.Verifications.Diff(ctx, callOf(ctx).userID, in.SessionID, in.JobID)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer p.Close()
		r, w := humago.Unwrap(hc)
		h, etag := w.Header(), `"sha256:`+p.SHA256+`"`
		h.Set("ETag", etag)
		if in.IfNoneMatch == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Type", contentTypeDiff)
		h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", in.SessionID+".diff"))
		h.Set("Content-Length", strconv.FormatInt(p.Bytes, 10))
		w.WriteHeader(http.StatusOK)
		if r.Method == http.MethodHead {
			return
		}
		if _, err := io.CopyN(w, p, p.Bytes); err != nil {
			if r.Context().Err() == nil {
				a.logFault(r.Context(), fmt.Errorf("send the diff of session %s: %w", in.SessionID, err))
			}
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

type verdictInput struct {
	SessionPath
	JobID string `path:"job_id" example:"ver_0dfm6k3b2tvc1r8h5n7pqa4e9s" doc:"Id of the verification"`
}

func (a *API) getVerdict(ctx context.Context, in *verdictInput) (*huma.StreamResponse, error) {
	envelope, err := a.cfg.Verifications.EnvelopeFor(ctx, callOf(ctx).ofVerdicts(), in.SessionID, in.JobID)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		w.Header().Set("Content-Type", attest.MediaType)
		w.Header().Set("Content-Length", strconv.Itoa(len(envelope)))
		w.Write(envelope) //nolint:errcheck // the client is gone, or gets it
	}}, nil
}

// serveStanding tells whoever has a verdict, and so its id, whether it was taken back.
func (a *API) serveStanding(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("job_id")
	withdrawn, err := a.cfg.Verifications.Withdrawal(r.Context(), id)
	if err != nil {
		a.refuse(r.Context(), err).write(w)
		return
	}
	text, err := json.Marshal(wire.VerdictStanding{VerificationID: id, Withdrawn: wireWithdrawal(withdrawn)})
	if err != nil {
		panic(fmt.Sprintf("marshal the standing of a verdict: %v", err)) // a fault of the program
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(append(text, '\n')) //nolint:errcheck // the client is gone, or gets it
}

// serveKeys serves the public keys that check verdicts. Others may keep them for a while.
func (a *API) serveKeys(w http.ResponseWriter, _ *http.Request) {
	text, err := json.Marshal(a.cfg.VerdictKeys())
	if err != nil {
		panic(fmt.Sprintf("marshal the keys of verdicts: %v", err)) // a fault of the program
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "max-age=60")
	w.Write(append(text, '\n')) //nolint:errcheck // the client is gone, or gets it
}
