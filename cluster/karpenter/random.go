package karpenter

import (
	"math"
	"math/rand/v2"
	"time"
)

// z99 is the 99th percentile of the standard normal distribution.
const z99 = 2.3263

// random draws the delays of one instance. The same seed and instance have the same delays, however
// many others there are meanwhile.
type random struct{ r *rand.Rand }

func newRandom(seed, instance uint64) random { return random{rand.New(rand.NewPCG(seed, instance))} }

func (r random) delay(d Delay) time.Duration {
	z := r.r.NormFloat64()
	if d.P99.Duration <= d.Median.Duration || d.Median.Duration <= 0 {
		return d.Median.Duration
	}
	sigma := math.Log(float64(d.P99.Duration)/float64(d.Median.Duration)) / z99
	return time.Duration(float64(d.Median.Duration) * math.Exp(z*sigma))
}
