package replay

import (
	"math"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	var h histogram
	for i := range 1000 {
		h.add(time.Duration(i+1) * time.Millisecond)
	}
	h.add(-time.Second)
	got := h.quantiles()
	for name, c := range map[string]struct{ got, want time.Duration }{
		"p50": {got.P50, 500 * time.Millisecond},
		"p90": {got.P90, 900 * time.Millisecond},
		"p99": {got.P99, 990 * time.Millisecond},
		"max": {got.Max, time.Second},
	} {
		if off := math.Abs(float64(c.got-c.want)) / float64(c.want); off > 0.02 {
			t.Errorf("%s = %v, want %v", name, c.got, c.want)
		}
	}
	if got.Count != 1001 {
		t.Errorf("count = %d, want 1001", got.Count)
	}
}

func TestHistogram_buckets(t *testing.T) {
	last := -1
	for v := uint64(1); v < 1<<62; v += v/50 + 1 {
		b := bucket(v)
		if b < last {
			t.Fatalf("bucket(%d) = %d after %d", v, b, last)
		}
		if u := upper(b); u < v || float64(u-v) > float64(v)/subBuckets+1 {
			t.Fatalf("upper(bucket(%d)) = %d", v, u)
		}
		last = b
	}
	if (&histogram{}).quantile(0.99) != 0 {
		t.Error("quantile of nothing is not 0")
	}
}
