package main

import (
	"hash/fnv"
	"math"
	"time"
)

// random is a splitmix64 generator. It does not use the standard library, so that the traces do not
// depend on the Go version. Every subject has its own generator, so that a change to one does not
// affect the others.
type random struct{ state uint64 }

func newRandom(seed uint64, subject string) *random {
	h := fnv.New64a()
	h.Write([]byte(subject))
	return &random{state: seed*0x9E3779B97F4A7C15 ^ h.Sum64()}
}

func (r *random) next() uint64 {
	r.state += 0x9E3779B97F4A7C15
	z := r.state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// intN returns a number in [0, n).
func (r *random) intN(n int) int { return int(r.next() % uint64(n)) }

// float returns a number in [0, 1).
func (r *random) float() float64 { return float64(r.next()>>11) / (1 << 53) }

// between returns a number of whole seconds in [a, b).
func (r *random) between(a, b time.Duration) time.Duration {
	return a + time.Duration(r.intN(int((b-a)/time.Second)))*time.Second
}

// around returns a log-normal duration in whole seconds, which is typical of run times: half of
// them are below the median; with a spread of 0.5, one in six is above 1.65 times the median.
func (r *random) around(median time.Duration, spread float64) time.Duration {
	normal := -6.0 // the sum of twelve uniform numbers is close enough to normal
	for range 12 {
		normal += r.float()
	}
	return max(time.Duration(median.Seconds()*math.Exp(spread*normal)), 1) * time.Second
}

// suffix returns n characters, as Kubernetes appends them to generated names.
func (r *random) suffix(n int) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[r.intN(len(alphabet))]
	}
	return string(out)
}
