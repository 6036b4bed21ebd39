package assay_test

import (
	"log/slog"
	"strings"
	"testing"

	"assay"
)

func TestAFailureIsLoggedInWords(t *testing.T) {
	var none *assay.Failure
	for _, tt := range []struct {
		why  *assay.Failure
		want string
	}{
		{&assay.Failure{Code: assay.CodeExpired, Message: "its time was over"}, `reason="expired: its time was over"`},
		{none, `reason=""`},
	} {
		var text strings.Builder
		slog.New(slog.NewTextHandler(&text, nil)).Info("it ended", "reason", tt.why)
		if !strings.Contains(text.String(), tt.want) {
			t.Errorf("logged as %s, want %s", text.String(), tt.want)
		}
	}
}
