package replay

import (
	"math/bits"
	"time"
)

// subBuckets is how many buckets a power of two of microseconds is divided into: a value is known to
// within 1/subBuckets.
const (
	subBits    = 6
	subBuckets = 1 << subBits
)

// histogram counts durations in buckets that grow with what they hold. Its size does not depend on how
// many are counted.
type histogram struct {
	counts [(64 - subBits) * subBuckets]uint32
	total  int
	most   time.Duration
}

func (h *histogram) add(d time.Duration) {
	d = max(0, d)
	h.counts[bucket(uint64(d/time.Microsecond))]++
	h.total++
	h.most = max(h.most, d)
}

// bucket gives values below 2*subBuckets a bucket each; above, the leading subBits+1 bits decide.
func bucket(v uint64) int {
	shift := max(0, bits.Len64(v)-subBits-1)
	return shift<<subBits + int(v>>shift)
}

// upper is the largest value of a bucket.
func upper(bucket int) uint64 {
	shift := max(0, bucket>>subBits-1)
	return uint64(bucket-shift<<subBits+1)<<shift - 1
}

func (h *histogram) quantile(q float64) time.Duration {
	rank := int(q * float64(h.total))
	for i, n := range h.counts {
		if rank -= int(n); rank < 0 {
			return min(h.most, time.Duration(upper(i))*time.Microsecond)
		}
	}
	return h.most
}

func (h *histogram) quantiles() Quantiles {
	return Quantiles{Count: h.total, P50: h.quantile(0.5), P90: h.quantile(0.9), P99: h.quantile(0.99), Max: h.most}
}
