package karpenter

import (
	"math"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Delays have the given median and 99th percentile, and an instance has the same delay again.
func TestRandom(t *testing.T) {
	const instances = 20_000
	d := Delay{Median: metav1.Duration{Duration: 40 * time.Second}, P99: metav1.Duration{Duration: 70 * time.Second}}
	var all []time.Duration
	for i := range uint64(instances) {
		all = append(all, newRandom(1, i).delay(d))
	}
	if again := newRandom(1, 7).delay(d); again != all[7] {
		t.Errorf("the same instance had %v, then %v", all[7], again)
	}
	slices.Sort(all)
	for q, want := range map[float64]time.Duration{0.5: d.Median.Duration, 0.99: d.P99.Duration} {
		got := all[int(q*instances)]
		if math.Abs(float64(got-want)) > 0.03*float64(want) {
			t.Errorf("quantile %v: got %v, want %v", q, got, want)
		}
	}
	if got := newRandom(1, 1).delay(Delay{Median: d.Median}); got != d.Median.Duration {
		t.Errorf("without a percentile: got %v, want the median", got)
	}
}
