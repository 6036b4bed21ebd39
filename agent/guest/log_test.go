package guest

import (
	"bytes"
	"strings"
	"testing"
)

func TestAgentLogNamesTheRequestAndFallsSilent(t *testing.T) {
	var out bytes.Buffer
	l := newLog(&out)
	l.command("int_1", "req_1", "timed out after %s", "1s")
	if got, want := out.String(), "assay-agent: command=int_1 request_id=req_1 timed out after 1s\n"; got != want {
		t.Errorf("the log says %q, want %q", got, want)
	}
	for range 2 * maxLog / 1000 {
		l.command("int_2", "", "%s", strings.Repeat("x", 1000))
	}
	if out.Len() > maxLog || out.Len() < maxLog/2 {
		t.Errorf("the log has %d bytes, want about and at most %d", out.Len(), maxLog)
	}
}
