package nodes

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// pools returns the groups of nodes that auto makes, and the templates for which each is. The first
// has the shape; then there is one for each distinct set of needs that it cannot meet. Every pod
// that can run on nodes of the shape counts there. fixed are nodes that exist in any case. Pods
// that can run there count there, if there is room for all of them.
func (d *Demand) pools(shape Shape, fixed []*corev1.Node) []*pool {
	p := &pooling{demand: d, base: &pool{shape: shape.withDomains(d)}, byKey: map[string]*group{}, byName: map[string]*group{}}
	p.use(fixed)
	p.labels = p.base.labels()
	p.nodes = classesOfPool(p.base)
	overhead := d.daemons(p.nodes)
	var daemonSets []int
	for index, template := range d.templates {
		switch {
		case d.owners[index].pods() == 0 || p.onFixed(index):
		case p.fits(index, overhead):
			p.base.members = append(p.base.members, index)
		case template.perNode:
			daemonSets = append(daemonSets, index)
		case !p.special(index) && slices.Contains(feasible(template, p.nodes), true):
			// There is room, although not beside the DaemonSets.
			p.base.members = append(p.base.members, index)
		}
	}
	p.grow()
	for _, index := range daemonSets {
		if !p.runs(d.templates[index]) {
			p.special(index)
		}
	}
	p.grow()
	if !slices.ContainsFunc(p.base.members, func(index int) bool {
		return !d.templates[index].perNode || !p.runs(d.templates[index])
	}) {
		p.base.members = nil
	}
	return p.all()
}

// pooling is the state of pools.
type pooling struct {
	demand *Demand
	base   *pool
	// labels and nodes are those of the base pool.
	labels map[string][]string
	nodes  []*class
	groups []*group
	// fixed are the nodes that exist in any case, or nil.
	fixed  *pool
	byKey  map[string]*group
	byName map[string]*group
}

// group is a pool while it is made.
type group struct {
	*pool
	// labels are what its pods need of the labels.
	labels *labelNeeds
	// largest are the largest requests of a pod, total those of all.
	largest, total amounts
}

// use has pods run on nodes that exist in any case, if there is room for all pods that can.
func (p *pooling) use(nodes []*corev1.Node) {
	if len(nodes) == 0 {
		return
	}
	p.fixed = &pool{fixed: nodes}
	classes := newNodeSet(nodes).byName().classes
	for index, template := range p.demand.templates {
		if p.demand.owners[index].pods() > 0 && slices.Contains(feasible(template, classes), true) {
			p.fixed.members = append(p.fixed.members, index)
		}
	}
	pack := newPacker(p.demand, p.fixed)
	for _, now := range p.demand.peaks(pack.runnable, pack.size) {
		if _, ok := pack.pack(&now); !ok {
			p.fixed.members = slices.DeleteFunc(p.fixed.members, func(index int) bool { return !p.demand.templates[index].perNode })
			return
		}
	}
}

// onFixed reports whether a template counts on the nodes that exist in any case.
func (p *pooling) onFixed(index int) bool {
	return p.fixed != nil && slices.Contains(p.fixed.members, index)
}

// fits reports whether the base pool can run a template, pods of DaemonSets included.
func (p *pooling) fits(index int, overhead amounts) bool {
	template := p.demand.templates[index]
	if !slices.Contains(feasible(template, p.nodes), true) {
		return false
	}
	if template.perNode {
		return true
	}
	for name, amount := range template.requests {
		if amount+overhead[name] > p.nodes[0].size[name] {
			return false
		}
	}
	return true
}

// special adds a template to the group with its needs. It returns false if no node can run it.
func (p *pooling) special(index int) bool {
	template := p.demand.templates[index]
	for _, needs := range needsOf(template, p.labels) {
		candidate := p.base.with(needs)
		if len(needs.names) > 0 {
			candidate.name = needs.names[0]
		}
		if !candidate.shape.grow(template.requests, nil, template.requests) ||
			!slices.Contains(feasible(template, classesOfPool(candidate)), true) {
			continue
		}
		if needs.names == nil {
			p.add(p.group(needs, template), index, template.sharesDevices())
			return true
		}
		if p.named(index, needs) {
			return true
		}
	}
	return false
}

// group returns the group for the needs of a template.
func (p *pooling) group(needs *labelNeeds, template *podTemplate) *group {
	parts := []string{needs.String()}
	for _, name := range sortedResources(template.requests) {
		if template.requests[name] > amountOf(name, p.base.shape.Resources[name]) {
			parts = append(parts, string(name))
		}
	}
	key := strings.Join(parts, " ")
	if p.byKey[key] == nil {
		p.byKey[key] = p.newGroup(needs)
	}
	return p.byKey[key]
}

func (p *pooling) newGroup(needs *labelNeeds) *group {
	added := &group{pool: p.base.with(needs), labels: needs, largest: amounts{}, total: amounts{}}
	p.groups = append(p.groups, added)
	return added
}

// named adds a template to the nodes that it selects by name. It returns false if each of them was
// made for pods with other needs.
func (p *pooling) named(index int, needs *labelNeeds) bool {
	found := false
	for _, name := range needs.names {
		node := p.byName[name]
		switch {
		case p.fixed != nil && slices.ContainsFunc(p.fixed.fixed, func(n *corev1.Node) bool { return n.Name == name }):
			continue
		case node == nil:
			node = p.newGroup(needs)
			node.name = name
			p.byName[name] = node
		case !node.merge(needs):
			continue
		}
		p.add(node, index, len(needs.names) == 1)
		found = true
	}
	return found
}

// merge adds the labels of other pods to those of a node. It returns false if they contradict each
// other.
func (g *group) merge(needs *labelNeeds) bool {
	for key, values := range needs.pinned {
		if have := g.shape.Labels[key]; g.without[key] || len(have) > 0 && !slices.Equal(have, values) && g.labels.pinned[key] != nil {
			return false
		}
	}
	for key := range needs.without {
		if len(g.labels.pinned[key]) > 0 {
			return false
		}
	}
	merged := &labelNeeds{pinned: maps.Clone(g.labels.pinned), without: maps.Clone(g.labels.without)}
	maps.Copy(merged.pinned, needs.pinned)
	maps.Copy(merged.without, needs.without)
	g.labels = merged
	with := g.with(merged)
	g.shape, g.without = with.shape, with.without
	return true
}

// add adds a template to a group. If all of its pods must be on one node, the node must have room
// for all.
func (p *pooling) add(g *group, index int, one bool) {
	g.members = append(g.members, index)
	template := p.demand.templates[index]
	pods := int64(p.demand.owners[index].pods())
	for name, amount := range template.requests {
		g.total[name] += amount * pods
		if one {
			g.largest[name] += amount * pods
		} else {
			g.largest[name] = max(g.largest[name], amount)
		}
	}
}

// grow adds to the groups the resources that their pods request beside those of DaemonSets.
func (p *pooling) grow() {
	for _, g := range p.groups {
		overhead := p.demand.daemons(classesOfPool(g.pool))
		if g.name != "" {
			g.largest[corev1.ResourcePods] = 1 // as many pods as fit
		}
		grown := g.shape.clone()
		if !grown.grow(g.largest, overhead, g.total) {
			grown = g.shape.clone()
			for name, amount := range g.largest {
				grown.grow(amounts{name: amount}, nil, g.total)
			}
		}
		g.shape = grown
	}
}

// runs reports whether any of the groups can run a template.
func (p *pooling) runs(template *podTemplate) bool {
	return slices.ContainsFunc(p.groups, func(g *group) bool {
		return slices.Contains(feasible(template, classesOfPool(g.pool)), true)
	})
}

func (p *pooling) all() []*pool {
	all := []*pool{p.base}
	if p.fixed != nil {
		all = append(all, p.fixed)
	}
	for _, g := range p.groups {
		all = append(all, g.pool)
	}
	return all
}

// classesOfPool returns the distinct nodes of a pool.
func classesOfPool(p *pool) []*class {
	return newNodeSet(p.samples()).classes
}

// daemons returns the most that the DaemonSets' pods on one of these nodes request at a time.
func (d *Demand) daemons(classes []*class) amounts {
	there := make([]bool, len(d.templates))
	found := false
	for index, template := range d.templates {
		there[index] = template.perNode && slices.ContainsFunc(classes, func(c *class) bool {
			return !slices.ContainsFunc(constraints(template), func(ask constraint) bool { return !ask.size && !ask.ok(c) })
		})
		found = found || there[index]
	}
	most, now := amounts{}, amounts{}
	if !found {
		return most
	}
	for i := 0; i < len(d.steps); {
		at := d.steps[i].time
		for ; i < len(d.steps) && d.steps[i].time == at; i++ {
			if index := d.steps[i].template; there[index] {
				for name, amount := range d.templates[index].requests {
					now[name] += amount * int64(d.steps[i].delta)
				}
			}
		}
		for name, amount := range now {
			most[name] = max(most[name], amount)
		}
	}
	return most
}
