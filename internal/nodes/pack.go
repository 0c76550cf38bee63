package nodes

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// packer computes how many nodes of one size a number of pods needs, by first fit decreasing: pods
// with the largest requests come first, and each goes on the first node with room. Before that,
// every node gets the pods of the DaemonSets.
//
// The scheduler spreads pods instead of packing them, so the result is the minimum for a snapshot.
// The caller adds headroom.
type packer struct {
	demand *Demand
	// classes are the classes of the nodes round robin: node i has the class i modulo their number.
	classes []*class
	// feasible is whether a class can run a template, by template and class.
	feasible  [][]bool
	size      amounts
	exclusive []bool // by template, whether a node runs at most one of its pods
}

// bin is a node being filled.
type bin struct {
	class int
	free  amounts
}

func newPacker(demand *Demand, shape Shape) *packer {
	p := &packer{demand: demand, size: amountsOf(shape.Resources)}
	for _, node := range Build(shape.period(), shape) {
		p.classes = append(p.classes, newNodeSet([]*corev1.Node{node}).classes...)
	}
	for _, template := range demand.templates {
		asked := constraints(template)
		row := make([]bool, len(p.classes))
		for i, c := range p.classes {
			row[i] = !slices.ContainsFunc(asked, func(ask constraint) bool { return !ask.ok(c) })
		}
		p.feasible = append(p.feasible, row)
		p.exclusive = append(p.exclusive, slices.Contains(selfExclusive(template.pod), corev1.LabelHostname))
	}
	return p
}

// period returns the number of nodes after which the labels repeat, at most MaxNodes.
func (s Shape) period() int {
	period := 1
	lengths := []int{len(defaultZones)}
	for _, values := range s.Labels {
		lengths = append(lengths, len(values))
	}
	for _, length := range lengths {
		period = min(lcm(period, length), MaxNodes)
	}
	return period
}

func lcm(a, b int) int {
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	return a / x * b
}

// runnable reports whether any class can run a template.
func (p *packer) runnable(template int) bool {
	return slices.Contains(p.feasible[template], true)
}

// pack returns the number of nodes that the pods of a snapshot need, and false if that is more than
// MaxNodes.
func (p *packer) pack(now *snapshot) (count int, ok bool) {
	overhead := p.overhead(now)
	var bins []bin
	open := func() *bin {
		class := len(bins) % len(p.classes)
		bins = append(bins, bin{class: class, free: overhead[class].clone()})
		return &bins[len(bins)-1]
	}
	used := 0
	for _, index := range p.order(now) {
		left := now.live[index]
		for i := 0; i < len(bins) && left > 0; i++ {
			if n := p.fill(&bins[i], index, left); n > 0 {
				left -= n
				used = max(used, i+1)
			}
		}
		noRoom := !p.hasRoom(overhead, index)
		for left > 0 {
			if len(bins) >= MaxNodes {
				return 0, false
			}
			b := open()
			n := p.fill(b, index, left)
			if noRoom && p.feasible[index][b.class] {
				// No node has room for such a pod beside the DaemonSets' pods. Count a node for each pod, since
				// the scheduler may place the pod before them.
				n, b.free = 1, amounts{}
			}
			if n > 0 {
				left -= n
				used = len(bins)
			}
		}
	}
	return used, true
}

// fill puts up to n pods of a template on a node and returns how many fit.
func (p *packer) fill(b *bin, index, n int) int {
	if !p.feasible[index][b.class] {
		return 0
	}
	if p.exclusive[index] {
		n = min(n, 1)
	}
	requests := p.demand.templates[index].requests
	for name, amount := range requests {
		n = min(n, int(max(b.free[name], 0)/amount))
	}
	if n > 0 {
		b.free.take(requests, n)
	}
	return n
}

// hasRoom reports whether a node with nothing but its DaemonSets has room for a pod of a template.
func (p *packer) hasRoom(overhead []amounts, index int) bool {
	for class := range overhead {
		if p.fill(&bin{class: class, free: overhead[class].clone()}, index, 1) == 1 {
			return true
		}
	}
	return false
}

// order returns the templates that have pods in a snapshot, those with the largest requests first.
func (p *packer) order(now *snapshot) []int {
	var indexes []int
	share := make([]float64, len(now.live))
	for index, live := range now.live {
		template := p.demand.templates[index]
		if live <= 0 || template.perNode || !p.runnable(index) {
			continue
		}
		for name, amount := range template.requests {
			share[index] = max(share[index], float64(amount)/float64(p.size[name]))
		}
		// Templates that only some nodes can run come first, so that others do not take their place.
		if slices.Contains(p.feasible[index], false) {
			share[index]++
		}
		indexes = append(indexes, index)
	}
	slices.SortStableFunc(indexes, func(a, b int) int { return cmp.Compare(share[b], share[a]) })
	return indexes
}

// overhead returns what a node of each class has left beside the pods of the snapshot's DaemonSets.
func (p *packer) overhead(now *snapshot) []amounts {
	free := make([]amounts, len(p.classes))
	for i := range free {
		free[i] = p.size.clone()
		for index, live := range now.live {
			if live > 0 && p.demand.templates[index].perNode && p.feasible[index][i] {
				free[i].take(p.demand.templates[index].requests, live)
			}
		}
	}
	return free
}

func (a amounts) clone() amounts {
	out := make(amounts, len(a))
	for name, amount := range a {
		out[name] = amount
	}
	return out
}

func (a amounts) take(requests amounts, n int) {
	for name, amount := range requests {
		a[name] -= amount * int64(n)
	}
}
