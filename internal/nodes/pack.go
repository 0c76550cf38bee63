package nodes

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// packer computes how many nodes of a pool a number of pods needs, by first fit decreasing: pods
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
	feasible [][]bool
	// member is whether the pool is sized for the pods of a template.
	member    []bool
	size      amounts
	exclusive []bool // by template, whether a node runs at most one of its pods
	// most is the maximum number of nodes.
	most int
}

// bin is a node being filled.
type bin struct {
	class int
	free  amounts
	ports []hostPort
}

func newPacker(demand *Demand, pool *pool) *packer {
	p := &packer{demand: demand, size: amounts{}, member: make([]bool, len(demand.templates)), most: MaxNodes}
	if pool.fixed != nil {
		p.most = len(pool.fixed)
	}
	for _, node := range pool.samples() {
		added := newNodeSet([]*corev1.Node{node}).classes[0]
		demand.limitVolumes(added.size, node.Name)
		p.classes = append(p.classes, added)
		for name, amount := range added.size {
			p.size[name] = max(p.size[name], amount)
		}
	}
	for _, index := range pool.members {
		p.member[index] = true
	}
	for _, template := range demand.templates {
		p.feasible = append(p.feasible, feasible(template, p.classes))
		p.exclusive = append(p.exclusive, len(template.ports) > 0 || slices.Contains(selfExclusive(template.pod), corev1.LabelHostname))
	}
	return p
}

// feasible returns which classes the pods of a template can use. If all of them must be in one
// place, such as a zone, these are the classes of one place.
func feasible(template *podTemplate, classes []*class) []bool {
	asked := constraints(template)
	row := make([]bool, len(classes))
	var first *class
	for i, c := range classes {
		row[i] = !slices.ContainsFunc(asked, func(ask constraint) bool { return !ask.ok(c) })
		if row[i] && first == nil {
			first = c
		}
		for _, key := range together(template.pod) {
			row[i] = row[i] && (key == corev1.LabelHostname || c.node.Labels[key] == first.node.Labels[key])
		}
	}
	return row
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

// runnable reports whether the pool is sized for a template, or runs the pods of a DaemonSet.
func (p *packer) runnable(template int) bool {
	return (p.member[template] || p.demand.templates[template].perNode) && slices.Contains(p.feasible[template], true)
}

// pack returns the number of nodes that the pods of a snapshot need, and false if there are not as
// many.
func (p *packer) pack(now *snapshot) (count int, ok bool) {
	empty := p.empty(now)
	var bins []bin
	open := func() *bin {
		class := len(bins) % len(p.classes)
		bins = append(bins, empty[class].clone())
		return &bins[len(bins)-1]
	}
	used := 0
	for _, index := range p.order(now) {
		left := now.live[index]
		used = max(used, minNodes(p.demand.templates[index], left))
		for i := 0; i < len(bins) && left > 0; i++ {
			if n := p.fill(&bins[i], index, left); n > 0 {
				left -= n
				used = max(used, i+1)
			}
		}
		noRoom := !p.hasRoom(empty, index)
		for left > 0 {
			if len(bins) >= p.most {
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
				used = max(used, len(bins))
			}
		}
	}
	return used, used <= p.most
}

// fill puts up to n pods of a template on a node and returns how many fit.
func (p *packer) fill(b *bin, index, n int) int {
	if !p.feasible[index][b.class] {
		return 0
	}
	if p.exclusive[index] {
		n = min(n, 1)
	}
	ports := p.demand.templates[index].ports
	if conflict(ports, b.ports) {
		return 0
	}
	template := p.demand.templates[index]
	for name, amount := range template.requests {
		n = min(n, int(max(b.free[name], 0)/amount))
	}
	for name, amount := range template.attached {
		if free, limited := b.free[name]; limited {
			n = min(n, int(max(free, 0)/amount))
		}
	}
	if n > 0 {
		b.free.take(template.requests, n)
		for name, amount := range template.attached {
			if _, limited := b.free[name]; limited {
				b.free[name] -= amount * int64(n)
			}
		}
		b.ports = append(b.ports, ports...)
	}
	return n
}

// hasRoom reports whether a node with nothing but its DaemonSets has room for a pod of a template.
func (p *packer) hasRoom(empty []bin, index int) bool {
	for i := range empty {
		b := empty[i].clone()
		if p.fill(&b, index, 1) == 1 {
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
		for name, amount := range template.attached {
			if p.size[name] > 0 {
				share[index] = max(share[index], float64(amount)/float64(p.size[name]))
			}
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

// empty returns a node of each class with nothing but the pods of the snapshot's DaemonSets.
func (p *packer) empty(now *snapshot) []bin {
	bins := make([]bin, len(p.classes))
	for i, c := range p.classes {
		bins[i] = bin{class: i, free: c.size.clone()}
		for index, live := range now.live {
			if template := p.demand.templates[index]; live > 0 && template.perNode && p.feasible[index][i] {
				bins[i].free.take(template.requests, live)
				bins[i].ports = append(bins[i].ports, template.ports...)
			}
		}
	}
	return bins
}

func (b *bin) clone() bin {
	return bin{class: b.class, free: b.free.clone(), ports: slices.Clone(b.ports)}
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
