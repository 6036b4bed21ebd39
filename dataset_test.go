package assay

import (
	"math"
	"testing"
)

func TestMedianOdds(t *testing.T) {
	for _, tt := range []struct {
		searched, blind int
		want            float64 // 0 for none
	}{
		{0, 0, 0},
		{1, 0, 1},
		{1, 1, 1.0 / 7},
		{2, 1, (1 + 1.0/7) / 2},
		{3, 1, 1},
		{3, 2, 1.0 / 7},
	} {
		a := DatasetAlterations{Searched: tt.searched, Altered: tt.blind, Blind: tt.blind}
		got := a.MedianOdds()
		if (got == nil) != (tt.want == 0) || got != nil && math.Abs(*got-tt.want) > 1e-12 {
			t.Errorf("%d of %d: %v, want %v", tt.blind, tt.searched, got, tt.want)
		}
	}
}
