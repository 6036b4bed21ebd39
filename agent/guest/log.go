package guest

import (
	"fmt"
	"io"
	"sync"
)

// maxLog bounds what an agent says of commands in all its life, in bytes: its log is a
// file of the host, and commands are made by whoever has the sandbox.
const maxLog = 1 << 20

// agentLog is the agent's log. It falls silent when it has said as much as it may.
type agentLog struct {
	mu   sync.Mutex
	to   io.Writer
	left int // bytes
}

func newLog(to io.Writer) *agentLog { return &agentLog{to: to, left: maxLog} }

// command says something of a command, and on behalf of which request it ran.
func (l *agentLog) command(id, requestID, format string, args ...any) {
	if requestID == "" {
		requestID = "none"
	}
	line := fmt.Sprintf("assay-agent: command=%s request_id=%s %s\n", id, requestID, fmt.Sprintf(format, args...))
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left -= len(line); l.left >= 0 {
		io.WriteString(l.to, line) //nolint:errcheck // there is nobody to tell
	}
}
