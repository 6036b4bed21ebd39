package assay

import (
	"errors"
	"fmt"
)

// Code is the stable name of an error on the wire. The HTTP status of each code
// stands in one table, in package httpapi; docs/errors.md lists them.
type Code string

// The codes that answer requests.
const (
	CodeInvalid             Code = "invalid_request"   // well-formed, but cannot be done as asked
	CodeUnauthenticated     Code = "unauthenticated"   // no token, or a bad, expired or revoked one
	CodeNotFound            Code = "not_found"         // no such route or object
	CodeDatasetNotFound     Code = "dataset_not_found" //
	CodeSampleNotFound      Code = "sample_not_found"  //
	CodeSessionNotFound     Code = "session_not_found" // also somebody else's
	CodeInteractionNotFound Code = "interaction_not_found"
	CodeJobNotFound         Code = "job_not_found"
	CodeAPIKeyNotFound      Code = "api_key_not_found"
	CodeUserNotFound        Code = "user_not_found"
	CodeSessionNotReady     Code = "session_not_ready" // still creating
	CodeSessionEnded        Code = "session_ended"     // closed, terminated or failed
	CodeConflict            Code = "conflict"          // the state changed meanwhile, or an idempotency key was used for another request
	CodeTooLarge            Code = "too_large"
	CodeTooManySessions     Code = "too_many_sessions"
	CodeTooManyCommands     Code = "too_many_commands"
	CodeTooManyJobs         Code = "too_many_verifications"
	CodeRateLimited         Code = "rate_limited"
	CodeInsufficientBalance Code = "insufficient_balance"    // below the price of a session's first minute
	CodeEmailNotVerified    Code = "email_not_verified"      // the GitHub account has no verified primary address
	CodeUserDisabled        Code = "user_disabled"           // told to whom GitHub vouches for alone
	CodeDetailsWithheld     Code = "details_withheld"        // the key, or the dataset, opens no more of a verification than whether it is solved
	CodeLoginNotConfigured  Code = "login_not_configured"    // the server has no GitHub OAuth app
	CodePaymentsNotConfig   Code = "payments_not_configured" // the server has no Stripe keys
	CodeUnavailable         Code = "unavailable"             // try again: stopping, database or runtime away
	CodeInternal            Code = "internal"
)

// The codes that say why a session or a verification ended otherwise than asked.
const (
	CodeExpired          Code = "expired"           // its time was over
	CodeOutOfMemory      Code = "out_of_memory"     // the sandbox as a whole, not a command
	CodeSandboxLost      Code = "sandbox_lost"      // it died, or its host restarted
	CodeSandboxFailed    Code = "sandbox_failed"    // it could not be made
	CodeImageUnavailable Code = "image_unavailable" // missing, or cannot be unpacked
	CodeOperator         Code = "operator"          // ended by an operator
	CodeBalanceExhausted Code = "balance_exhausted" // its user's balance was used up
	CodePatchFailed      Code = "patch_failed"      // a patch of the sample does not apply to its own image
	CodeSuiteNotRun      Code = "suite_not_run"     // the verifier left no report that says that it ran
	CodeReportInvalid    Code = "report_invalid"    // a report cannot be read
	CodeAssuranceTooLow  Code = "assurance_too_low" // a verdict that it is solved would hold less than its dataset demands
	CodeVerifierTimeout  Code = "verifier_timeout"  // the suite was cut short
	CodeInterrupted      Code = "interrupted"       // the server died in each of several attempts, also when it was tried alone
)

// Error is an error that its user may see: what happened and what to do. Err, if
// any, is for the log alone.
type Error struct {
	Code    Code
	Message string
	Err     error
}

// Errorf returns an Error with a formatted message, which its user sees. Internal
// causes go to Wrap.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap returns an Error whose cause is for the log alone.
func Wrap(err error, code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, &Error{Code: c}) ask for the code alone.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Message == "" && t.Err == nil
}

// CodeOf returns the code of the first Error in err's chain, CodeInternal for any
// other error and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}
