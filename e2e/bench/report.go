package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
)

// Report is what a run found.
type Report struct {
	Machine Machine  `json:"machine"`
	Results []Result `json:"results"`
}

// Result is one measured thing. What there is none of is null.
type Result struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	// FloorP50 is the median of the floor, in Unit.
	FloorP50 *float64 `json:"floor_p50"`
	P50      float64  `json:"p50"`
	// P99 is null where the thing is not a time, or there are too few of them.
	P99 *float64 `json:"p99"`
	// Ratio is P50 by FloorP50.
	Ratio  *float64 `json:"ratio"`
	Target string   `json:"target"` // "" for none
	Met    *bool    `json:"met"`    // null without a target
}

// fewest is how many times it takes to speak of the slowest hundredth.
const fewest = 100

// timed is the result of times, in milliseconds. The floor may be nil.
func timed(name string, floor, product []float64) Result {
	r := Result{Name: name, Unit: "ms", P50: median(product)}
	if len(product) >= fewest {
		r.P99 = new(quantile(product, 0.99))
	}
	if floor != nil {
		r.FloorP50 = new(median(floor))
		r.Ratio = new(r.P50 / *r.FloorP50)
	}
	return r
}

// atMostTimes sets the target: so many times the floor.
func (r Result) atMostTimes(n float64) Result {
	return r.target(fmt.Sprintf("<= %g x floor", n), *r.Ratio <= n)
}

// atMostMore sets the target: so much more than the floor, in r's unit.
func (r Result) atMostMore(n float64) Result {
	return r.target(fmt.Sprintf("<= floor + %g %s", n, r.Unit), r.P50 <= *r.FloorP50+n)
}

// atMost sets the target: so much, in r's unit.
func (r Result) atMost(n float64) Result {
	return r.target(fmt.Sprintf("<= %g %s", n, r.Unit), r.P50 <= n)
}

// atLeast sets the target: so much, in r's unit.
func (r Result) atLeast(n float64) Result {
	return r.target(fmt.Sprintf(">= %g %s", n, r.Unit), r.P50 >= n)
}

// target sets a target and whether it was met.
func (r Result) target(text string, met bool) Result {
	r.Target, r.Met = text, &met
	return r
}

// print prints a row for each result.
func (r Report) print(w io.Writer) {
	fmt.Fprintln(w, r.Machine)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\tunit\tfloor p50\tp50\tp99\tratio\ttarget\tmet")
	for _, x := range r.Results {
		met := "-"
		if x.Met != nil {
			met = map[bool]string{true: "yes", false: "NO"}[*x.Met]
		}
		target := x.Target
		if target == "" {
			target = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			x.Name, x.Unit, number(x.FloorP50), number(&x.P50), number(x.P99), number(x.Ratio), target, met)
	}
	_ = t.Flush() // to standard output
}

// number shows three digits, more only before the point.
func number(v *float64) string {
	switch {
	case v == nil:
		return "-"
	case *v >= 100:
		return strconv.FormatFloat(*v, 'f', 0, 64)
	case *v >= 10:
		return strconv.FormatFloat(*v, 'f', 1, 64)
	}
	return strconv.FormatFloat(*v, 'f', 2, 64)
}

func (r Report) write(name string) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(content, '\n'), 0o644)
}
