// Package wire is what travels between clients and servers of the HTTP API: the
// bodies of requests and answers, as JSON. Server and Go client share these
// structures, so that they cannot differ.
//
// The field names are those of the public Codeset API, as its Python SDK's types
// tell them; what Assay adds is marked so. A pointer that is not left out when
// empty is null on the wire. Times are UTC.
//
// The tags doc, example, minimum and so on are read by the server, which makes the
// OpenAPI document of them and refuses requests that do not fit.
package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// BasePath is the path below which the API lives.
const BasePath = "/api/v1"

// KeysPath is the path of the public keys that check signed verdicts, a JWK Set.
const KeysPath = "/.well-known/assay-keys.json"

// Headers of the API beyond HTTP's own.
const (
	HeaderRequestID         = "X-Request-Id"       // on every answer; one that the client sent is kept
	HeaderIdempotencyKey    = "Idempotency-Key"    // on a POST: doing it again returns what was done before
	HeaderPrefer            = "Prefer"             // wait=N: how long to hold the request, RFC 7240
	HeaderPreferenceApplied = "Preference-Applied" // the preference that was obeyed
	HeaderShouldRetry       = "X-Should-Retry"     // false where trying again cannot help
)

// Health is what the server says of itself.
type Health struct {
	Status    string    `json:"status" enum:"healthy,unhealthy" doc:"unhealthy when the database or the sandbox runtime cannot be reached"`
	Service   string    `json:"service" example:"assay" doc:"Name of the service"`
	Version   string    `json:"version" example:"1.0.0" doc:"Version of the service"`
	Timestamp time.Time `json:"timestamp" doc:"When the check was made"`

	Reason string `json:"reason,omitempty" doc:"Why the server is unhealthy, for people. Not in the Codeset API"`

	UnreachableSessions int `json:"unreachable_sessions" doc:"Live sessions whose sandbox does not answer just now. Not in the Codeset API"`
	StuckSandboxes      int `json:"stuck_sandboxes" doc:"Sandboxes that could not be destroyed, and are tried again. Not in the Codeset API"`
}

// ErrorBody is the body of every refused request, but for 422 (see ValidationBody).
type ErrorBody struct {
	Detail ErrorDetail `json:"detail"`
}

// ErrorDetail says what went wrong.
type ErrorDetail struct {
	Code    string `json:"code" example:"session_not_found" doc:"Stable name of the error; docs/errors.md lists them"`
	Message string `json:"message" example:"there is no session ses_0dfm6k3b2tvc1r8h5n7pqa4e9s" doc:"What happened and what to do, for people and agents"`
}

// ValidationBody is the body of 422: every fault of the request at once.
type ValidationBody struct {
	Detail []Fault `json:"detail" nullable:"false"`
}

// Fault is one way in which a request does not fit.
type Fault struct {
	Loc  []string `json:"loc" nullable:"false" example:"[\"body\",\"dataset\"]" doc:"Where: body, query, path or header, then the name"`
	Msg  string   `json:"msg" example:"Field required" doc:"What is wrong, for people and agents"`
	Type string   `json:"type" example:"missing" doc:"Kind of fault"`
}

// Failure says why a session or a verification ended otherwise than asked.
type Failure struct {
	Code    string `json:"code" example:"expired" doc:"Stable reason; docs/errors.md lists them"`
	Message string `json:"message" example:"its time was over" doc:"The reason in words"`
}

// Integer is an integer of a request. JSON knows one kind of number: 30, 30.0 and 3e1
// are the same integer.
type Integer int

// UnmarshalJSON reads any way of writing an integer, and null as 0.
func (i *Integer) UnmarshalJSON(data []byte) error {
	if !bytes.ContainsAny(data, ".eE") {
		return json.Unmarshal(data, (*int)(i))
	}
	f, err := strconv.ParseFloat(string(data), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<53 {
		return fmt.Errorf("%s is not an integer", data)
	}
	*i = Integer(f)
	return nil
}
