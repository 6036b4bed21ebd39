package wire

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"assay/internal/sandbox"
)

// Code is a kind of error that callers tell apart.
type Code string

const (
	CodeInternal       Code = "internal"
	CodeInvalid        Code = "invalid" // the request makes no sense
	CodeProtocol       Code = "protocol"
	CodeBusy           Code = "busy" // a bound of the agent is reached: commands, connections
	CodeUnknownCommand Code = "unknown_command"
	CodeNotStarted     Code = "not_started"
	CodeTooLarge       Code = "too_large"
	CodeNotExist       Code = "not_exist"
	CodeNotRegular     Code = "not_regular" // a directory, device or FIFO where a file is needed
	CodeNoRoom         Code = "no_room"     // the disk is full
	CodeGone           Code = "gone"        // the sandbox is ending
)

// Error is the payload of a Fail frame.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Message }

// Is makes errors.Is see through the wire: an Error is the sentinel of its code.
func (e *Error) Is(target error) bool {
	sentinel, ok := sentinels[e.Code]
	return ok && target == sentinel
}

// sentinels is the one table of errors that cross the wire as what they are.
var sentinels = map[Code]error{
	CodeUnknownCommand: sandbox.ErrUnknownCommand,
	CodeNotStarted:     sandbox.ErrNotStarted,
	CodeTooLarge:       sandbox.ErrTooLarge,
	CodeNotExist:       fs.ErrNotExist,
	CodeNotRegular:     fs.ErrInvalid,
	CodeNoRoom:         sandbox.ErrNoRoom,
	CodeGone:           sandbox.ErrGone,
}

// AsError makes the wire's form of err. Its code is CodeInternal when err is
// neither an *Error nor one of the errors that callers tell apart.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return &Error{Code: e.Code, Message: err.Error()}
	}
	for code, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			return &Error{Code: code, Message: err.Error()}
		}
	}
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return &Error{Code: CodeNoRoom, Message: err.Error()}
	}
	return &Error{Code: CodeInternal, Message: err.Error()}
}
