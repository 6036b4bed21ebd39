package guest

import (
	"errors"
	"fmt"

	"assay/agent/internal/wire"
)

// errClientGone says that nobody is left to answer.
var errClientGone = errors.New("client is gone")

// errEnding answers requests that the sandbox's end overtook.
var errEnding = &wire.Error{Code: wire.CodeGone, Message: "the sandbox's deadline passed"}

func invalid(format string, args ...any) error {
	return &wire.Error{Code: wire.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}
