package stripe

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	sdk "github.com/stripe/stripe-go/v85"
)

// maxFaultText bounds what is kept of an answer that is not Stripe's own.
const maxFaultText = 300

// fault is an error of Stripe or of the way to it, as short as a line of the log and
// without our secrets, whatever the answer was. The library's error is left behind:
// it prints whole answers.
type fault struct {
	text  string
	cause error // of the way to Stripe, such as context.Canceled; never an answer
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.cause }

func (c *Client) fault(doing string, err error) error {
	var answer *sdk.Error
	if !errors.As(err, &answer) {
		f := &fault{text: doing + ": " + c.redact(err.Error())}
		if way := (*url.Error)(nil); errors.As(err, &way) {
			f.cause = way.Err
		}
		return f
	}
	said := []string{string(answer.Type), string(answer.Code), answer.Param, answer.Msg}
	said = slices.DeleteFunc(said, func(part string) bool { return part == "" })
	text := fmt.Sprintf("it answered %d (%s)", answer.HTTPStatusCode, strings.Join(said, ", "))
	if answer.RequestID != "" {
		text += ", request " + answer.RequestID
	}
	return &fault{text: doing + ": " + c.redact(text)}
}

// redact takes our secrets out of what others wrote, and keeps it short.
func (c *Client) redact(text string) string {
	text = strings.NewReplacer(c.secretKey, "(secret key)", c.webhookSecret, "(webhook secret)", "\n", " ").Replace(text)
	if len(text) > maxFaultText {
		text = strings.ToValidUTF8(text[:maxFaultText], "") + "..."
	}
	return text
}

func isNotFound(err error) bool {
	var answer *sdk.Error
	return errors.As(err, &answer) && answer.HTTPStatusCode == http.StatusNotFound
}

// retryLog is the library's logger. Of what the library has to say, only that it
// sends a request again is news: errors are returned, and answers hold what belongs
// in no log.
type retryLog struct{ log *slog.Logger }

func (l retryLog) Warnf(format string, args ...any) {
	l.log.Warn("stripe: " + fmt.Sprintf(format, args...))
}
func (retryLog) Debugf(string, ...any) {}
func (retryLog) Infof(string, ...any)  {}
func (retryLog) Errorf(string, ...any) {}
