package main

import (
	"context"
	"slices"
	"time"
)

// byTurns calls the functions one after the other, n times, and returns what each took
// in milliseconds. What a function returns is its time. The first rounds warm up and are
// not counted.
func byTurns(ctx context.Context, warm, n int, turns ...func(context.Context) (time.Duration, error)) ([][]float64, error) {
	times := make([][]float64, len(turns))
	for round := range warm + n {
		for i, turn := range turns {
			took, err := turn(ctx)
			if err != nil {
				return nil, err
			}
			if round >= warm {
				times[i] = append(times[i], milliseconds(took))
			}
		}
	}
	return times, nil
}

// timing makes a turn of a function, all of which counts.
func timing(f func(context.Context) error) func(context.Context) (time.Duration, error) {
	return func(ctx context.Context) (time.Duration, error) {
		began := time.Now()
		err := f(ctx)
		return time.Since(began), err
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile returns the smallest value that at least the part q of values does not
// exceed. There must be some.
func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, int(q*float64(len(sorted))+0.999999)-1)]
}
