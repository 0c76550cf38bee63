package karpenter

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/scheduling"
)

// narrowed are the instance types that Karpenter gets for each node pool. It looks at all of them
// whenever it plans, which it does for each node that it may consolidate, though a pool often
// allows few. So the types that a pool excludes are replaced by one type for each requirement that
// excludes them.
//
// That does not change decisions. Such a type has no capacity, no offerings, and all values of the
// labels of those that it replaces. It is therefore excluded as well, and the values that a
// topology spread can count on are the same. Types of existing instances are kept, because
// Karpenter looks for them by name: pools can be changed.
//
// The provider's lock guards it. A nil *narrowed passes all types.
type narrowed struct {
	pools map[string]*narrowedPool
	// used counts the instances by their type.
	used map[string]int
}

type narrowedPool struct {
	// The list is that of a version of the pool and of all types.
	version string
	all     []*cloudprovider.InstanceType

	types []*cloudprovider.InstanceType
	// excluded are the names of the types that are left out, unless there is an instance.
	excluded map[string]bool
}

func newNarrowed() *narrowed {
	return &narrowed{pools: map[string]*narrowedPool{}, used: map[string]int{}}
}

// add counts an instance of a type.
func (n *narrowed) add(kind string) {
	if n == nil {
		return
	}
	n.used[kind]++
	if n.used[kind] == 1 {
		n.changed(kind)
	}
}

// remove no longer counts an instance of a type.
func (n *narrowed) remove(kind string) {
	if n == nil {
		return
	}
	n.used[kind]--
	if n.used[kind] == 0 {
		delete(n.used, kind)
		n.changed(kind)
	}
}

// changed forgets the lists that depend on whether there are instances of a type.
func (n *narrowed) changed(kind string) {
	for name, p := range n.pools {
		if p.excluded[kind] {
			delete(n.pools, name)
		}
	}
}

// instanceTypes returns the list for a pool. All is the list of all types; a list must not be
// changed once it was passed.
func (n *narrowed) instanceTypes(pool *v1.NodePool, all []*cloudprovider.InstanceType) []*cloudprovider.InstanceType {
	if n == nil {
		return all
	}
	version := string(pool.UID) + "/" + strconv.FormatInt(pool.Generation, 10)
	if p := n.pools[pool.Name]; p != nil && p.version == version && same(p.all, all) {
		return p.types
	}
	p := &narrowedPool{version: version, all: all, excluded: map[string]bool{}}
	n.narrow(p, required(pool))
	n.pools[pool.Name] = p
	return p.types
}

// same reports whether two lists are one.
func same(a, b []*cloudprovider.InstanceType) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// required returns what a pool requires of its nodes, as Karpenter reads it.
func required(pool *v1.NodePool) scheduling.Requirements {
	template := pool.Spec.Template
	out := scheduling.NewNodeSelectorRequirementsWithMinValues(template.Spec.Requirements...)
	out.Add(scheduling.NewLabelRequirements(template.Labels).Values()...)
	return out
}

func (n *narrowed) narrow(p *narrowedPool, required scheduling.Requirements) {
	groups := map[group][]*cloudprovider.InstanceType{}
	for _, t := range p.all {
		key := excluding(t, required)
		if key == "" {
			p.types = append(p.types, t)
			continue
		}
		p.excluded[t.Name] = true
		if n.used[t.Name] > 0 {
			p.types = append(p.types, t)
			continue
		}
		g := group{key, strings.Join(slices.Sorted(maps.Keys(t.Requirements)), ",")}
		groups[g] = append(groups[g], t)
	}
	for _, g := range slices.SortedFunc(maps.Keys(groups), group.compare) {
		p.types = append(p.types, placeholder(g.key, groups[g]))
	}
}

// group are types with the same labels, all of which a requirement of the same key excludes.
type group struct{ key, labels string }

func (g group) compare(other group) int {
	return cmp.Or(strings.Compare(g.key, other.key), strings.Compare(g.labels, other.labels))
}

// excluding returns the first key of a requirement that excludes a type, or "". Labels of types
// have one value or several, and none is excluded by what is not a set of values.
func excluding(t *cloudprovider.InstanceType, required scheduling.Requirements) string {
	var found string
	for key, r := range required {
		if t.Requirements.Has(key) && !t.Requirements.Get(key).HasIntersection(r) && (found == "" || key < found) {
			found = key
		}
	}
	return found
}

// placeholder returns a type with the labels of types that the requirement of a key excludes.
func placeholder(key string, types []*cloudprovider.InstanceType) *cloudprovider.InstanceType {
	values := map[string][]string{}
	for _, t := range types {
		for _, r := range t.Requirements {
			values[r.Key] = append(values[r.Key], r.Values()...)
		}
	}
	requirements := scheduling.NewRequirements()
	for key, v := range values {
		requirements.Add(scheduling.NewRequirement(key, corev1.NodeSelectorOpIn, unique(v)...))
	}
	return &cloudprovider.InstanceType{
		Name:         "excluded by " + key,
		Requirements: requirements,
		Capacity:     corev1.ResourceList{},
		Overhead:     &cloudprovider.InstanceTypeOverhead{},
	}
}
