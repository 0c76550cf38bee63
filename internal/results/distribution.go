package results

import (
	"math"
	"slices"
)

// Distribution describes a set of durations in seconds. Percentiles are observed values (nearest
// rank). If Count is zero, all are.
type Distribution struct {
	Count int     `json:"count"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// distributionOf sorts values in place.
func distributionOf(values []float64) Distribution {
	if len(values) == 0 {
		return Distribution{}
	}
	slices.Sort(values)
	var sum float64
	for _, v := range values {
		sum += v
	}
	return Distribution{
		Count: len(values),
		Mean:  round(sum / float64(len(values))),
		P50:   round(quantile(values, 0.50)),
		P90:   round(quantile(values, 0.90)),
		P99:   round(quantile(values, 0.99)),
		Max:   round(values[len(values)-1]),
	}
}

// quantile returns the smallest value that is not exceeded by at least the fraction q of sorted,
// and zero if sorted is empty.
func quantile[T any](sorted []T, q float64) T {
	if len(sorted) == 0 {
		var zero T
		return zero
	}
	// The tiny step back keeps 0.99 * 100, which is a little over 99 in binary, at rank 99.
	rank := int(math.Ceil(q*float64(len(sorted)) - 1e-9))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// round rounds a published number to millionths: no clock here is finer, and the files stay
// readable.
func round(v float64) float64 { return math.Round(v*1e6) / 1e6 }
