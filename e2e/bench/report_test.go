package main

import (
	"strings"
	"testing"
)

func TestQuantileIsAValueThatWasMeasured(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	for _, c := range []struct {
		values []float64
		q      float64
		want   float64
	}{
		{[]float64{7}, 0.5, 7},
		{[]float64{7}, 0.99, 7},
		{[]float64{3, 1, 2}, 0.5, 2},
		{[]float64{3, 1, 2, 4}, 0.5, 2},
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 1, 100},
	} {
		if got := quantile(c.values, c.q); got != c.want {
			t.Errorf("quantile %g of %v: %g, want %g", c.q, c.values, got, c.want)
		}
	}
}

func TestTargetsAreHeldAgainstTheFloor(t *testing.T) {
	r := timed("thing", []float64{10}, []float64{15})
	for _, c := range []struct {
		result Result
		met    bool
	}{
		{r.atMostTimes(1.5), true},
		{r.atMostTimes(1.4), false},
		{r.atMostMore(5), true},
		{r.atMostMore(4.9), false},
	} {
		if *c.result.Met != c.met {
			t.Errorf("15 ms on a floor of 10 ms, target %s: met is %v", c.result.Target, *c.result.Met)
		}
	}
}

func TestTheTableShowsWhatWasMissed(t *testing.T) {
	var table strings.Builder
	Report{Results: []Result{
		timed("good", []float64{10}, []float64{12}).atMostTimes(1.5),
		timed("bad", []float64{10}, []float64{200}).atMostTimes(1.5),
		{Name: "untold", Unit: "1/s", P50: 12345},
	}}.print(&table)
	for name, want := range map[string]string{
		"good":   "ms 10.0 12.0 - 1.20 <= 1.5 x floor yes",
		"bad":    "ms 10.0 200 - 20.0 <= 1.5 x floor NO",
		"untold": "1/s - 12345 - - - -",
	} {
		found := false
		for line := range strings.Lines(table.String()) {
			found = found || strings.Join(strings.Fields(line), " ") == name+" "+want
		}
		if !found {
			t.Errorf("no line %q in\n%s", name+" "+want, &table)
		}
	}
}
