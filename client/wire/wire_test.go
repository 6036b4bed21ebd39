package wire

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIntegersAreReadInAnyForm(t *testing.T) {
	var got []Integer
	for _, text := range []string{"30", "30.0", "3e1", "-0.0"} {
		var i Integer
		if err := i.UnmarshalJSON([]byte(text)); err != nil {
			t.Error(err)
		}
		got = append(got, i)
	}
	if diff := cmp.Diff([]Integer{30, 30, 30, 0}, got); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"1.5", "1e300", `"30"`} {
		var i Integer
		if err := i.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%s is %d", text, i)
		}
	}
}
