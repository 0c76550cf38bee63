package packing

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestBound_PerHour(t *testing.T) {
	const gib = 1 << 30
	type amounts = map[string]float64
	compute := Offer{amounts{"cpu": 4, "memory": 8 * gib}, 4}
	memory := Offer{amounts{"cpu": 2, "memory": 16 * gib}, 4}
	device := Offer{amounts{"cpu": 4, "memory": 8 * gib, "nvidia.com/gpu": 1}, 20}
	for name, c := range map[string]struct {
		offers []Offer
		demand amounts
		want   float64
	}{
		"nothing":                     {[]Offer{compute}, nil, 0},
		"no offers":                   {nil, amounts{"cpu": 1}, 0},
		"one resource":                {[]Offer{compute}, amounts{"cpu": 6}, 6},
		"the scarcer resource":        {[]Offer{compute}, amounts{"cpu": 1, "memory": 16 * gib}, 8},
		"the cheapest offer":          {[]Offer{compute, memory}, amounts{"cpu": 4}, 4},
		"a mix, dearer than each":     {[]Offer{compute, memory}, amounts{"cpu": 6, "memory": 24 * gib}, 8},
		"a device and what is around": {[]Offer{compute, device}, amounts{"cpu": 12, "memory": gib, "nvidia.com/gpu": 2}, 44},
		"a resource that nobody has":  {[]Offer{compute}, amounts{"cpu": 4, "example.com/nic": 9}, 4},
		"for nothing":                 {[]Offer{compute, {amounts{"cpu": 1}, 0}}, amounts{"cpu": 100, "memory": 8 * gib}, 4},
		"a negative demand":           {[]Offer{compute}, amounts{"cpu": -1, "memory": 8 * gib}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			if got := New(c.offers).PerHour(c.demand); math.Abs(got-c.want) > 1e-9 {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

var names = []string{"cpu", "memory", "nvidia.com/gpu"}

// instance is a small problem of packing.
type instance struct {
	offers []Offer
	pods   []map[string]float64
}

func randomInstance(random *rand.Rand) instance {
	var in instance
	kinds := 1 + random.IntN(len(names))
	for range 1 + random.IntN(4) {
		o := Offer{Allocatable: map[string]float64{}, Price: float64(random.IntN(12))}
		for _, name := range names[:kinds] {
			o.Allocatable[name] = float64(random.IntN(8))
		}
		in.offers = append(in.offers, o)
	}
	for range random.IntN(7) {
		pod := map[string]float64{}
		for _, name := range names[:kinds] {
			pod[name] = float64(random.IntN(5))
		}
		in.pods = append(in.pods, pod)
	}
	return in
}

func (in instance) demand() map[string]float64 {
	sum := map[string]float64{}
	for _, pod := range in.pods {
		addTo(sum, pod)
	}
	return sum
}

func addTo(sum, amounts map[string]float64) {
	for name, v := range amounts {
		sum[name] += v
	}
}

// cheapest returns the cost of the cheapest packing, by trying all ways to put the pods on
// instances. It is infinite if a pod fits on none.
func (in instance) cheapest() float64 {
	var bins []map[string]float64
	var try func(pod int) float64
	try = func(pod int) float64 {
		if pod == len(in.pods) {
			cost := 0.0
			for _, bin := range bins {
				cost += in.cheapestFor(bin)
			}
			return cost
		}
		best := math.Inf(1)
		for i := range len(bins) + 1 {
			if i == len(bins) {
				bins = append(bins, map[string]float64{})
			}
			addTo(bins[i], in.pods[pod])
			best = min(best, try(pod+1))
			for name, v := range in.pods[pod] {
				bins[i][name] -= v
			}
		}
		bins = bins[:len(bins)-1]
		return best
	}
	return try(0)
}

func (in instance) cheapestFor(bin map[string]float64) float64 {
	best := math.Inf(1)
	for _, o := range in.offers {
		fits := true
		for name, v := range bin {
			fits = fits && v <= o.Allocatable[name]
		}
		if fits {
			best = min(best, o.Price)
		}
	}
	return best
}

// No packing is cheaper than the bound.
func TestBound_IsLower(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	packed, reached := 0, 0
	for range 3000 {
		in := randomInstance(random)
		bound, cost := New(in.offers).PerHour(in.demand()), in.cheapest()
		if bound > cost+1e-9 {
			t.Fatalf("the bound of %+v is %v, but a packing costs %v", in, bound, cost)
		}
		if !math.IsInf(cost, 1) && cost > 0 {
			packed++
			if bound > cost*0.6 {
				reached++
			}
		}
	}
	if packed < 500 || reached < packed/2 {
		t.Errorf("of %d instances with a packing the bound is near its cost in %d: the test shows little", packed, reached)
	}
}

// The bound is the optimum of the linear program: it is as high as the best corner of what unit
// prices may be, which the test finds by trying all corners of two resources.
func TestBound_IsOptimum(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 0))
	for range 2000 {
		var offers []Offer
		for range 1 + random.IntN(6) {
			offers = append(offers, Offer{
				map[string]float64{"cpu": 1 + float64(random.IntN(9)), "memory": float64(1+random.IntN(9)) * 1e9}, 1 + float64(random.IntN(9)),
			})
		}
		cpu, memory := float64(random.IntN(50)), float64(random.IntN(50))
		want := bestCorner(offers, cpu, memory)
		got := New(offers).PerHour(map[string]float64{"cpu": cpu, "memory": memory * 1e9})
		if math.Abs(got-want) > 1e-9*max(1, want) {
			t.Fatalf("%+v, %v cores and %v GB: got %v, want %v", offers, cpu, memory, got, want)
		}
	}
}

func bestCorner(offers []Offer, cpu, memory float64) float64 {
	type line struct{ a, b, c float64 } // a*x + b*y = c
	lines := []line{{1, 0, 0}, {0, 1, 0}}
	for _, o := range offers {
		lines = append(lines, line{o.Allocatable["cpu"], o.Allocatable["memory"] / 1e9, o.Price})
	}
	best := 0.0
	for i, p := range lines {
		for _, q := range lines[:i] {
			det := p.a*q.b - q.a*p.b
			if det == 0 {
				continue
			}
			x, y := (p.c*q.b-q.c*p.b)/det, (p.a*q.c-q.a*p.c)/det
			allowed := x > -1e-12 && y > -1e-12
			for _, l := range lines[2:] {
				allowed = allowed && l.a*x+l.b*y <= l.c+1e-9
			}
			if allowed {
				best = max(best, x*cpu+y*memory)
			}
		}
	}
	return best
}

// The bound of an average is at most the average of the bounds, and it grows in proportion.
func TestBound_IsConvex(t *testing.T) {
	b := New(family())
	random := rand.New(rand.NewPCG(3, 0))
	demand := func() map[string]float64 {
		return map[string]float64{"cpu": 1000 * random.Float64(), "memory": 1e13 * random.Float64() * random.Float64(), "pods": 3000 * random.Float64()}
	}
	for range 300 {
		one, two, mean := demand(), demand(), map[string]float64{}
		for name := range one {
			mean[name] = (one[name] + two[name]) / 2
		}
		if got, most := b.PerHour(mean), (b.PerHour(one)+b.PerHour(two))/2; got > most*(1+1e-9) {
			t.Fatalf("the bound of the average of %v and %v is %v, above %v", one, two, got, most)
		}
		double := map[string]float64{}
		addTo(double, one)
		addTo(double, one)
		if got, want := b.PerHour(double), 2*b.PerHour(one); math.Abs(got-want) > 1e-9*want {
			t.Fatalf("the bound of twice %v is %v, want %v", one, got, want)
		}
	}
}

// family returns offers of 1 to 128 cores with 2, 4 and 8 GiB each, priced by core and by GiB.
func family() []Offer {
	var out []Offer
	for cores := 1.0; cores <= 128; cores *= 2 {
		for gib := 2 * cores; gib <= 8*cores; gib *= 2 {
			out = append(out, Offer{
				map[string]float64{"cpu": cores - 0.1, "memory": (gib - 0.5) * (1 << 30), "pods": 110}, 0.032*cores + 0.0043*gib,
			})
		}
	}
	return out
}

// What an offer has costs no more than the offer.
func TestBound_OfOffers(t *testing.T) {
	offers := family()
	b := New(offers)
	for _, o := range offers {
		if got := b.PerHour(o.Allocatable); got <= 0 || got > o.Price*(1+1e-9) {
			t.Errorf("the bound of all of %+v is %v", o, got)
		}
	}
}

func FuzzBound(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		in := randomInstance(rand.New(rand.NewPCG(seed, 0)))
		if bound, cost := New(in.offers).PerHour(in.demand()), in.cheapest(); bound > cost+1e-9 {
			t.Errorf("the bound of %+v is %v, but a packing costs %v", in, bound, cost)
		}
	})
}

func BenchmarkBound(b *testing.B) {
	bound := New(family())
	demand := map[string]float64{"cpu": 500, "memory": 2e12, "pods": 900}
	for b.Loop() {
		bound.PerHour(demand)
	}
}
