package httpapi

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"assay"
	"assay/client/wire"
	"assay/internal/session"
)

// Tags of the document, in reading order.
const (
	tagSessions     = "Sessions"
	tagCommands     = "Commands and edits"
	tagVerification = "Verification"
	tagDatasets     = "Datasets"
	tagAuth         = "Login"
	tagUsers        = "Users"
	tagBilling      = "Billing"
	tagHealth       = "Health"
)

// public is the security of an operation without a token.
var public = []map[string][]string{}

// optional is the security of an operation that answers more to a caller with a token. A
// bad one is refused: nobody must take an answer to strangers for his own.
var optional = []map[string][]string{{}, {"bearer": {}}}

// bearer is the security of every other one.
var bearer = []map[string][]string{{"bearer": {}}}

// handle registers an operation. errs are the statuses that its service can refuse with;
// those that follow from its shape are added: 401 with a token, 429 unless it is never
// limited, 400 and 413 with a body, 422, 500 and 503 always.
func handle[I, O any](a *API, op huma.Operation, errs []int, do func(context.Context, *I) (*O, error)) {
	if op.Security == nil {
		op.Security = bearer
	}
	if takesToken(&op) {
		errs = append(errs, http.StatusUnauthorized)
	}
	if strictnessOf(&op) != limitNever {
		errs = append(errs, http.StatusTooManyRequests)
	}
	if takesBody(reflect.TypeFor[I]()) {
		errs = append(errs, http.StatusBadRequest, http.StatusRequestEntityTooLarge)
		if op.MaxBodyBytes == 0 {
			op.MaxBodyBytes = a.cfg.MaxBodyBytes
		}
		op.MaxBodyBytes++ // huma refuses what fills its limit
		op.BodyReadTimeout = -1
	}
	errs = append(errs, http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusServiceUnavailable)
	op.Responses = a.documentErrors(op.Responses, errs)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, a.refuse(ctx, err)
		}
		return out, nil
	})
}

// takesToken tells whether it matters to an operation who calls.
func takesToken(op *huma.Operation) bool { return len(op.Security) > 0 }

// needsToken tells whether an operation has no answer for a caller without a token.
func needsToken(op *huma.Operation) bool {
	return takesToken(op) && !slices.ContainsFunc(op.Security, func(way map[string][]string) bool { return len(way) == 0 })
}

func takesBody(input reflect.Type) bool {
	_, parsed := input.FieldByName("Body")
	_, raw := input.FieldByName("RawBody")
	return parsed || raw
}

// documentErrors adds the refusals of an operation to its responses.
func (a *API) documentErrors(responses map[string]*huma.Response, errs []int) map[string]*huma.Response {
	if responses == nil {
		responses = map[string]*huma.Response{}
	}
	schemas := a.huma.OpenAPI().Components.Schemas
	for _, status := range errs {
		if responses[strconv.Itoa(status)] != nil {
			continue // the operation's own
		}
		body := reflect.TypeFor[wire.ErrorBody]()
		if status == http.StatusUnprocessableEntity {
			body = reflect.TypeFor[wire.ValidationBody]()
		}
		responses[strconv.Itoa(status)] = &huma.Response{
			Description: statusText[status],
			Headers:     errorHeaders[status],
			Content:     map[string]*huma.MediaType{"application/json": {Schema: schemas.Schema(body, true, "")}},
		}
	}
	return responses
}

// errorHeaders documents what refusals of a status carry beside their body.
var errorHeaders = map[int]map[string]*huma.Param{
	http.StatusUnauthorized: {"WWW-Authenticate": {Description: "Bearer", Schema: &huma.Schema{Type: "string"}}},
	http.StatusConflict:     {"X-Should-Retry": {Description: "false: clients must not try again by themselves", Schema: &huma.Schema{Type: "string"}}},
	http.StatusTooManyRequests: {
		"Retry-After":           {Description: "Seconds to wait", Schema: &huma.Schema{Type: "integer"}},
		"X-RateLimit-Limit":     {Description: "What is allowed at once, when it is one number", Schema: &huma.Schema{Type: "integer"}},
		"X-RateLimit-Remaining": {Description: "0", Schema: &huma.Schema{Type: "integer"}},
		"X-RateLimit-Reset":     {Description: "Seconds until all of it is there again", Schema: &huma.Schema{Type: "integer"}},
	},
	http.StatusServiceUnavailable: {"Retry-After": {Description: "Seconds to wait", Schema: &huma.Schema{Type: "integer"}}},
}

// SessionPath is the part of a path that names a session.
type SessionPath struct {
	SessionID string `path:"session_id" example:"ses_0dfm6k3b2tvc1r8h5n7pqa4e9s" doc:"Id of the session"`
}

// Idempotent is the header of an operation that may be retried safely.
type Idempotent struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" pattern:"^[!-~]*$" patternDescription:"visible ASCII characters" example:"6f1d0c1e-retry" doc:"Chosen by the client. The same request with the same key returns what the first one made; another request with it is a conflict"`
}

// key is the idempotency of the request that ctx belongs to.
func (i Idempotent) key(ctx context.Context) session.Idempotency {
	if i.IdempotencyKey == "" {
		return session.Idempotency{}
	}
	return session.Idempotency{Key: i.IdempotencyKey, RequestHash: callOf(ctx).requestHash}
}

// answer is an output with a body alone.
type answer[T any] struct{ Body T }

// heldAnswer is an output of a GET that may be held.
type heldAnswer[T any] struct {
	NoteApplied
	Body T
}

// healthBound is how long the check of the server's health may take.
const healthBound = 5 * time.Second

// Troubles is what is wrong with single sandboxes.
type Troubles struct {
	Unreachable int // live sessions whose sandbox does not answer
	Stuck       int // sandboxes that could not be destroyed
}

type healthAnswer struct {
	Status int
	Body   wire.Health
}

func (a *API) registerHealth() {
	op := huma.Operation{
		OperationID: "health", Method: http.MethodGet, Path: "/health", Tags: []string{tagHealth}, Security: public, Metadata: limitNever.metadata(),
		Summary:     "Check the server",
		Description: "Asks the database and the sandbox runtime for real; while one cannot be reached, reason says which. Single sandboxes that do not answer, or cannot be destroyed, are counted and make no server unhealthy.",
		Responses: map[string]*huma.Response{"503": {
			Description: "The database or the runtime cannot be reached; status is unhealthy",
			Content: map[string]*huma.MediaType{"application/json": {
				Schema: a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[wire.Health](), true, ""),
			}},
		}},
	}
	handle(a, op, nil, func(ctx context.Context, _ *struct{}) (*healthAnswer, error) {
		ctx, cancel := context.WithTimeout(ctx, healthBound)
		defer cancel()
		out := &healthAnswer{Status: http.StatusOK, Body: wire.Health{
			Status: "healthy", Service: "assay", Version: a.cfg.Version, Timestamp: at(a.cfg.Now()),
		}}
		if a.cfg.Troubles != nil {
			troubles := a.cfg.Troubles()
			out.Body.UnreachableSessions, out.Body.StuckSandboxes = troubles.Unreachable, troubles.Stuck
		}
		if err := a.cfg.Health(ctx); err != nil {
			a.logFault(ctx, assay.Wrap(err, assay.CodeUnavailable, "unhealthy"))
			out.Status, out.Body.Status, out.Body.Reason = http.StatusServiceUnavailable, "unhealthy", reasonOf(err)
		}
		return out, nil
	})
}

// reasonOf is what everybody may know of why a server is unhealthy.
func reasonOf(err error) string {
	var known *assay.Error
	if errors.As(err, &known) {
		return known.Message
	}
	return "the server's log says why"
}
