package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"assay"
	"assay/client/wire"
)

// Error is a refusal of the server.
type Error struct {
	Status    int          // of HTTP
	RequestID string       // to ask the server's operator about
	Faults    []wire.Fault // of a request that does not fit (422)
	Err       *assay.Error // what the server had

	after time.Duration // when to try again, as the server says; -1 when it does not
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap makes errors.Is(err, &assay.Error{Code: c}) and assay.CodeOf work across HTTP.
func (e *Error) Unwrap() error { return e.Err }

// errorOf reads a refusal from an answer.
func errorOf(res *http.Response) *Error {
	e := &Error{Status: res.StatusCode, RequestID: res.Header.Get(wire.HeaderRequestID), after: -1}
	if n, err := strconv.ParseUint(res.Header.Get("Retry-After"), 10, 31); err == nil {
		e.after = time.Duration(n) * time.Second
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	var body struct{ Detail json.RawMessage }
	if err == nil && json.Unmarshal(data, &body) == nil {
		var detail wire.ErrorDetail
		if json.Unmarshal(body.Detail, &e.Faults) == nil && len(e.Faults) > 0 {
			e.Err = assay.Errorf(assay.CodeInvalid, "%s", faultsText(e.Faults))
			return e
		}
		e.Faults = nil
		if json.Unmarshal(body.Detail, &detail) == nil && detail.Code != "" {
			e.Err = assay.Errorf(assay.Code(detail.Code), "%s", detail.Message)
			return e
		}
	}
	// Not of Assay: of something in between, or of another server.
	e.Err = assay.Errorf(codeOfStatus(res.StatusCode), "the server answered %s", res.Status)
	return e
}

func faultsText(faults []wire.Fault) string {
	list := make([]string, len(faults))
	for i, f := range faults {
		list[i] = fmt.Sprintf("%s: %s", strings.Join(f.Loc, "."), f.Msg)
	}
	return strings.Join(list, "; ")
}

func codeOfStatus(status int) assay.Code {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return assay.CodeUnauthenticated
	case http.StatusNotFound:
		return assay.CodeNotFound
	case http.StatusConflict:
		return assay.CodeConflict
	case http.StatusRequestEntityTooLarge:
		return assay.CodeTooLarge
	case http.StatusTooManyRequests:
		return assay.CodeRateLimited
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return assay.CodeUnavailable
	}
	return assay.CodeInternal
}
