package nodes

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	simkubev1 "simkube.io/simkube/api/v1"
)

// pool is a group of nodes that auto makes alike.
type pool struct {
	shape Shape
	// without are labels that the nodes do not have.
	without map[string]bool
	// name is the name of the only node of the pool, if pods select it by name.
	name string
	// kept is whether pods that do not need these nodes should be kept off them if possible.
	kept bool
	// fixed are the nodes themselves if they are those of the trace.
	fixed []*corev1.Node
	// members are the templates for whose pods the pool is sized.
	members []int
}

// keptTaint makes the scheduler prefer other nodes for pods that do not need those of a pool. It
// keeps no pod off a node.
func keptTaint() corev1.Taint {
	return corev1.Taint{Key: simkubev1.TaintSpecialNode, Value: "true", Effect: corev1.TaintEffectPreferNoSchedule}
}

// describe returns the shape of the nodes.
func (p *pool) describe() string {
	shape, devices := p.shape.clone(), ""
	for _, name := range sortedResources(shape.Resources) {
		if strings.HasPrefix(string(name), devicePrefix) {
			devices += " with " + formatAmount(name, amountOf(name, shape.Resources[name]))
			delete(shape.Resources, name)
		}
	}
	text := shape.String() + devices
	for _, key := range slices.Sorted(maps.Keys(p.without)) {
		text += " without the label " + key
	}
	return text
}

// build returns nodes of the pool. next returns the names of those that have none.
func (p *pool) build(count int, next func() string) []*corev1.Node {
	if p.fixed != nil {
		return p.fixed
	}
	nodes := make([]*corev1.Node, 0, count)
	for i := range count {
		node := buildNode(i, p.shape)
		name := p.name
		if name == "" {
			name = next()
		}
		node.Name, node.Labels[corev1.LabelHostname] = name, name
		for key := range p.without {
			delete(node.Labels, key)
		}
		mirror(p.shape.Labels, node.Labels, corev1.LabelOSStable, "beta.kubernetes.io/os")
		mirror(p.shape.Labels, node.Labels, corev1.LabelArchStable, "beta.kubernetes.io/arch")
		if os := node.Labels[corev1.LabelOSStable]; os != defaultOS {
			node.Status.NodeInfo.OperatingSystem = os
		}
		if arch := node.Labels[corev1.LabelArchStable]; arch != defaultArch {
			node.Status.NodeInfo.Architecture = arch
		}
		if p.kept {
			node.Spec.Taints = append(node.Spec.Taints, keptTaint())
		}
		nodes = append(nodes, node)
	}
	return nodes
}

// samples returns nodes that represent those of the pool: one of each kind, or the nodes of the
// trace. Pods cannot select the others by name.
func (p *pool) samples() []*corev1.Node {
	return p.build(p.shape.period(), func() string { return "(any)" })
}

// newNames returns a function that returns the names node-0001 and so on, without those in use.
func newNames(used map[string]bool) func() string {
	number := 0
	return func() string {
		for {
			number++
			if name := fmt.Sprintf("node-%04d", number); !used[name] {
				return name
			}
		}
	}
}

// mirror sets one of two labels with the same meaning if only the other was chosen.
func mirror(chosen map[string][]string, labels map[string]string, a, b string) {
	if len(chosen[a]) > 0 && len(chosen[b]) == 0 && labels[b] != "" {
		labels[b] = labels[a]
	}
	if len(chosen[b]) > 0 && len(chosen[a]) == 0 && labels[a] != "" {
		labels[a] = labels[b]
	}
}

// labels returns the values that the labels of the nodes have.
func (p *pool) labels() map[string][]string {
	labels := map[string][]string{}
	for _, node := range p.samples() {
		for key, value := range node.Labels {
			if key != corev1.LabelHostname && !slices.Contains(labels[key], value) {
				labels[key] = append(labels[key], value)
			}
		}
	}
	return labels
}

// with returns a pool with the labels that pods need beyond those of p.
func (p *pool) with(needs *labelNeeds) *pool {
	out := &pool{shape: p.shape.clone(), without: maps.Clone(p.without), kept: true}
	for key, values := range needs.pinned {
		out.shape.Labels[key] = values
	}
	for key := range needs.without {
		if out.without == nil {
			out.without = map[string]bool{}
		}
		out.without[key] = true
		delete(out.shape.Labels, key)
	}
	return out
}

func (s Shape) clone() Shape {
	out := Shape{Resources: s.Resources.DeepCopy(), Labels: maps.Clone(s.Labels), Taints: slices.Clone(s.Taints)}
	if out.Labels == nil {
		out.Labels = map[string][]string{}
	}
	return out
}

// The sizes beyond which auto makes no node. No machine is larger.
const (
	maxCPU   = 4096 * 1000
	maxBytes = 128 << 40
)

// common is how many devices a node has at least, unless fewer are requested in total.
const common = 8

// grow makes the nodes large enough for a pod that requests these amounts, beside others that
// request overhead. total is what all pods of the pool request. It returns false if no node can be
// that large.
func (s *Shape) grow(requests, overhead, total amounts) bool {
	for _, name := range sortedResources(requests) {
		required := requests[name] + overhead[name]
		have := amountOf(name, s.Resources[name])
		if have >= required {
			continue
		}
		switch {
		case name == corev1.ResourcePods || !givable(name):
			return false
		case name == corev1.ResourceCPU || name == corev1.ResourceMemory || name == corev1.ResourceEphemeralStorage:
			if limit := int64(maxBytes); required > limit || name == corev1.ResourceCPU && required > maxCPU {
				return false
			}
			for have = max(have, 1); have < required; have *= 2 {
			}
		default:
			several := int64(common)
			if required > common {
				several = required
				if strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix) {
					several *= common
				}
			}
			have = max(required, min(total[name], several))
		}
		s.Resources[name] = quantityOf(name, have)
	}
	return true
}

// givable reports whether a node can have a resource that it does not have by default.
func givable(name corev1.ResourceName) bool {
	switch name {
	case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage:
		return true
	}
	text := string(name)
	return strings.Contains(text, "/") && !strings.Contains(strings.SplitN(text, "/", 2)[0], "kubernetes.io") ||
		strings.HasPrefix(text, corev1.ResourceHugePagesPrefix) || strings.HasPrefix(text, corev1.ResourceAttachableVolumesPrefix)
}

func quantityOf(name corev1.ResourceName, amount int64) resource.Quantity {
	switch {
	case name == corev1.ResourceCPU:
		return *resource.NewMilliQuantity(amount, resource.DecimalSI)
	case amount%1024 == 0 && amount > 0:
		return *resource.NewQuantity(amount, resource.BinarySI)
	}
	return *resource.NewQuantity(amount, resource.DecimalSI)
}
