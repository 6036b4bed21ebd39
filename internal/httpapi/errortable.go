package httpapi

import (
	"net/http"

	"assay"
)

// errorKind is how an error code answers a request.
type errorKind struct {
	status     int
	retryAfter int    // seconds; 0 sends no Retry-After
	doc        string // for docs/errors.md
}

// errorTable is the one table of the codes that answer requests. A code that is not
// in it is the server's fault: 500.
var errorTable = map[assay.Code]errorKind{
	assay.CodeInvalid:             {400, 0, "The request is well-formed, but cannot be done as asked; or its body is not JSON. The message says what to change."},
	assay.CodeUnauthenticated:     {401, 0, "No token, or one that is mistyped, unknown, expired or revoked. Send `Authorization: Bearer KEY`."},
	assay.CodeInsufficientBalance: {402, 0, "Your balance does not cover the first minute of a session; the message says what is needed and what is there. Deposit, or close a session."},
	assay.CodeEmailNotVerified:    {403, 0, "Your GitHub account has no verified primary e-mail address. Verify one at GitHub and log in again."},
	assay.CodeUserDisabled:        {403, 0, "The operator has disabled your account."},
	assay.CodeDetailsWithheld:     {403, 0, "Your key, or the dataset, tells of a verification whether the task is solved, and no more; such a key makes no key that is told more."},
	assay.CodeNotFound:            {404, 0, "There is no such path, a download link is wrong or has expired, or no patch was kept of the verification."},
	assay.CodeDatasetNotFound:     {404, 0, "There is no dataset of that name."},
	assay.CodeSampleNotFound:      {404, 0, "The dataset has no such sample, or no such version of it."},
	assay.CodeSessionNotFound:     {404, 0, "There is no such session, or it is somebody else's."},
	assay.CodeInteractionNotFound: {404, 0, "The session has no such command."},
	assay.CodeJobNotFound:         {404, 0, "The session has no such verification, or it has no verdict yet."},
	assay.CodeAPIKeyNotFound:      {404, 0, "There is no such key, or it was revoked."},
	assay.CodeUserNotFound:        {404, 0, "The user is gone."},
	codeMethodNotAllowed:          {405, 0, "The path exists, with other methods: see the header `Allow`."},
	assay.CodeSessionNotReady:     {409, 0, "The session is still being created. GET it: the answer is held until it is ready."},
	assay.CodeSessionEnded:        {409, 0, "The session was closed, terminated, or could not be made. Create a new one."},
	assay.CodeConflict:            {409, 0, "The state changed meanwhile, a limit of stored things is reached, or an idempotency key was used for another request."},
	assay.CodeImageUnavailable:    {409, 0, "The image of the sample is not on this server; its operator can load it."},
	assay.CodeTooLarge:            {413, 0, "The body, or the diff of a work tree that is asked for, is larger than this server takes or keeps."},
	assay.CodeTooManySessions:     {429, 5, "As many sessions live as you, or the server, may have. Close one."},
	assay.CodeTooManyCommands:     {429, 1, "As many commands run in the session as may. Wait for one."},
	assay.CodeTooManyJobs:         {429, 3, "As many verifications of the session are open as may be. Wait for one."},
	assay.CodeRateLimited:         {429, 1, "Too many requests with one key, or from one address; or too many logins or refused tokens from there. `X-RateLimit-*` tells the limit."},
	assay.CodeLoginNotConfigured:  {503, 3600, "This server has no GitHub login; use an API key, which its operator can make."},
	assay.CodePaymentsNotConfig:   {503, 3600, "This server takes no payments; its operator can credit you."},
	assay.CodeInternal:            {500, 0, "A fault of the server. Tell its operator the request id."},
	assay.CodeUnavailable:         {503, 2, "The server is stopping, or its database or sandbox runtime cannot be reached. Try again."},
}

// codeMethodNotAllowed is known to HTTP alone, so that it is not in the vocabulary.
const codeMethodNotAllowed assay.Code = "method_not_allowed"

// reasonTable says what the codes mean that are not answers to requests, but the
// `error` of a session or a verification.
var reasonTable = map[assay.Code]string{
	assay.CodeExpired:          "Its time was over.",
	assay.CodeOutOfMemory:      "The sandbox as a whole ran out of memory.",
	assay.CodeSandboxLost:      "The sandbox died, or its host restarted.",
	assay.CodeSandboxFailed:    "The sandbox could not be made, or its host could not run the suite properly: it was short of room, or busy with others.",
	assay.CodeImageUnavailable: "The image is missing, or cannot be unpacked.",
	assay.CodeOperator:         "Ended by an operator.",
	assay.CodeBalanceExhausted: "The balance of its user was used up. Deposit, and create a new one.",
	assay.CodePatchFailed:      "A patch of the sample does not apply to its own image.",
	assay.CodeSuiteNotRun:      "No report says that the suite ran, neither with the session's changes nor without them.",
	assay.CodeReportInvalid:    "A report of the verifier cannot be read, or is larger than is read, with the session's changes and without them.",
	assay.CodeAssuranceTooLow:  "The work looks solved, but too little is known of the sample's tests for what its dataset demands of a verdict.",
	assay.CodeVerifierTimeout:  "The suite was cut short.",
	assay.CodeInterrupted:      "The server was killed too often during this job.",
	assay.CodeInternal:         "A fault of the server.",
}

// kindOf returns how code answers, and the code to say: an unknown one is internal.
func kindOf(code assay.Code) (assay.Code, errorKind) {
	if k, ok := errorTable[code]; ok {
		return code, k
	}
	return assay.CodeInternal, errorTable[assay.CodeInternal]
}

// statusText says what a status means here, for the OpenAPI document.
var statusText = map[int]string{
	http.StatusBadRequest:            "The body is not JSON, or what it asks cannot be done",
	http.StatusUnauthorized:          "No token, or a bad, expired or revoked one",
	http.StatusPaymentRequired:       "The balance does not cover this",
	http.StatusForbidden:             "Who calls is known, and may not do this",
	http.StatusNotFound:              "No such object, or somebody else's",
	http.StatusConflict:              "The object is in the wrong state for this; trying again does not help",
	http.StatusRequestEntityTooLarge: "Too large",
	http.StatusUnprocessableEntity:   "The request does not fit; every fault is listed",
	http.StatusTooManyRequests:       "A limit is reached; try again after Retry-After",
	http.StatusInternalServerError:   "A fault of the server; the message carries the request id",
	http.StatusServiceUnavailable:    "Stopping, or something that the server needs is away; try again after Retry-After",
}
