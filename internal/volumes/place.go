package volumes

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Place is a number of pods that can only run on some nodes because of their volumes.
type Place struct {
	Pods int
	// Nodes selects the nodes; nil selects all.
	Nodes *corev1.NodeSelector
}

// Place returns where the pods of an object can run, as far as the events that were added determine
// it: the topologies of the volumes that their claims are bound to, except for the names of hosts,
// and those that the classes of their other claims allow. The sum of the pods is the number of
// pods.
func (s *Survey) Place(gvk schema.GroupVersionKind, namespacedName string, pods int) []Place {
	everywhere := []Place{{Pods: pods}}
	if s == nil {
		return everywhere
	}
	u := s.users[trace.FormatGVK(gvk)+" "+namespacedName]
	if u == nil || len(s.volumes) == 0 && len(s.classes) == 0 {
		return everywhere
	}
	var shared *corev1.NodeSelector
	for _, name := range u.refers {
		shared = Both(shared, s.nodesOf(u.namespace+"/"+name, template{}))
	}
	var own []template
	for _, t := range u.templates {
		if t.prefix == "" {
			shared = Both(shared, s.nodesOf("", t))
		} else {
			own = append(own, t)
		}
	}
	if len(own) == 0 {
		return []Place{{Pods: pods, Nodes: shared}}
	}
	if len(s.volumes) == 0 {
		// The pods are alike.
		for _, t := range own {
			shared = Both(shared, s.nodesOf("", t))
		}
		return []Place{{Pods: pods, Nodes: shared}}
	}
	var places []Place
	index := map[string]int{}
	for i := range pods {
		nodes := shared
		for _, t := range own {
			nodes = Both(nodes, s.nodesOf(u.namespace+"/"+t.prefix+fmt.Sprint(i), t))
		}
		key := nodes.String()
		at, known := index[key]
		if !known {
			at = len(places)
			index[key] = at
			places = append(places, Place{Nodes: nodes})
		}
		places[at].Pods++
	}
	if places == nil {
		return everywhere
	}
	return places
}

// nodesOf returns the nodes on which the volume of a claim can be used; nil for all. The template
// is that of a claim that is not in the trace.
func (s *Survey) nodesOf(claim string, of template) *corev1.NodeSelector {
	class := of.class
	if recorded := s.claims[claim]; recorded != nil {
		if v := s.volumes[recorded.volume]; v != nil {
			return v.movable()
		}
		class = recorded.class
	}
	if v := s.reserved[claim]; v != nil {
		return v.movable()
	}
	if known := s.classes[class]; known != nil {
		return allowed(known)
	}
	return nil
}

// movable returns the nodes on which a volume can be used, on whatever host it was.
func (v *volume) movable() *corev1.NodeSelector {
	nodes, _ := ReleaseHosts(v.nodes, nil)
	return nodes
}

// allowed returns the nodes that a class allows; nil for all.
func allowed(class *storagev1.StorageClass) *corev1.NodeSelector {
	selector := &corev1.NodeSelector{}
	for _, topology := range class.AllowedTopologies {
		var term corev1.NodeSelectorTerm
		for _, expression := range topology.MatchLabelExpressions {
			term.MatchExpressions = append(term.MatchExpressions, corev1.NodeSelectorRequirement{
				Key: expression.Key, Operator: corev1.NodeSelectorOpIn, Values: expression.Values,
			})
		}
		selector.NodeSelectorTerms = append(selector.NodeSelectorTerms, term)
	}
	if len(selector.NodeSelectorTerms) == 0 {
		return nil
	}
	return selector
}

// maxTerms limits the product of the terms of selectors.
const maxTerms = 32

// Both selects the nodes that two selectors select. nil selects all.
func Both(a, b *corev1.NodeSelector) *corev1.NodeSelector {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case len(a.NodeSelectorTerms)*len(b.NodeSelectorTerms) > maxTerms:
		return a
	}
	product := &corev1.NodeSelector{}
	for _, x := range a.NodeSelectorTerms {
		for _, y := range b.NodeSelectorTerms {
			term := *x.DeepCopy()
			term.MatchExpressions = append(term.MatchExpressions, y.MatchExpressions...)
			term.MatchFields = append(term.MatchFields, y.MatchFields...)
			product.NodeSelectorTerms = append(product.NodeSelectorTerms, term)
		}
	}
	return product
}

// ReleaseHosts removes the requirements of the names of hosts that are not among the nodes. It
// returns the selector, which is nil if it then selects all nodes, and whether it was changed.
func ReleaseHosts(nodes *corev1.NodeSelector, hosts map[string]bool) (_ *corev1.NodeSelector, released bool) {
	if nodes == nil {
		return nil, false
	}
	isForeign := func(r corev1.NodeSelectorRequirement) bool {
		return r.Key == corev1.LabelHostname && r.Operator == corev1.NodeSelectorOpIn &&
			!slices.ContainsFunc(r.Values, func(host string) bool { return hosts[host] })
	}
	out := nodes.DeepCopy()
	for i := range out.NodeSelectorTerms {
		term := &out.NodeSelectorTerms[i]
		before := len(term.MatchExpressions)
		term.MatchExpressions = slices.DeleteFunc(term.MatchExpressions, isForeign)
		released = released || len(term.MatchExpressions) < before
		if released && len(term.MatchExpressions)+len(term.MatchFields) == 0 {
			return nil, true
		}
	}
	return out, released
}
