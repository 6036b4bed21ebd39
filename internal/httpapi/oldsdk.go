package httpapi

import (
	"strconv"
	"strings"
	"time"

	"assay"
	"assay/client/wire"
)

// execMargin is how much longer than its timeout the end of a command may take to be
// known.
const execMargin = 30 * time.Second

// SDKHeaders tell which SDK calls. Every SDK that Stainless generates sends them, so
// that the user agent has to say that it is ours.
type SDKHeaders struct {
	UserAgent      string `header:"User-Agent" hidden:"true"`
	Language       string `header:"X-Stainless-Lang" hidden:"true"`
	PackageVersion string `header:"X-Stainless-Package-Version" hidden:"true"`
}

// synchronous tells whether the caller is the Codeset SDK for Python below 0.4.0, whose
// exec is one call that returns the outcome. Its user agent is "Codeset/Python 0.3.0"
// or that of a subclass, such as "AsyncCodeset/Python 0.3.0".
func (h SDKHeaders) synchronous() bool {
	if h.Language != "python" || !strings.Contains(h.UserAgent, "Codeset/Python") {
		return false
	}
	major, rest, _ := strings.Cut(h.PackageVersion, ".")
	minor, _, _ := strings.Cut(rest, ".")
	x, errX := strconv.Atoi(major)
	y, errY := strconv.Atoi(minor)
	return errX == nil && errY == nil && x == 0 && y < 4
}

// ended is the answer to a synchronous exec. A command whose end is not known, as when
// the server stops, never looks successful.
func ended(in *assay.Interaction) wire.ExecAccepted {
	exit, stderr := in.ExitCode, in.Stderr.Text
	if !in.Status.Final() {
		exit, stderr = assay.ExitUnknown, "the end of the command was not seen: the server is stopping; GET interaction "+in.ID+" for it"
	} else if exit == assay.ExitUnknown && stderr == "" {
		stderr = in.Message
	}
	return wire.ExecAccepted{
		InteractionID: in.ID, Status: in.Status,
		ExitCode: &exit, Stdout: &in.Stdout.Text, Stderr: &stderr,
		ExecutionTimeSeconds: new(in.Duration.Seconds()),
	}
}
