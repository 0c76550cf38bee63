package nodes

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// additions counts the nodes of a file by what was added to them or removed.
type additions map[string]int

// notes returns one line per change, sorted.
func (a additions) notes(file string, total int) []string {
	var notes []string
	for what, count := range a {
		which := fmt.Sprintf("%d of %d nodes", count, total)
		if count == total {
			which = fmt.Sprintf("all %d nodes", total)
		}
		if total == 1 {
			which = "the node"
		}
		notes = append(notes, fmt.Sprintf("%s: %s for %s", file, what, which))
	}
	slices.Sort(notes)
	return notes
}

// simulated returns a simulated node made from a manifest, and counts what it added.
func (a additions) simulated(in *corev1.Node) *corev1.Node {
	node := &corev1.Node{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Node"},
		ObjectMeta: metav1.ObjectMeta{
			Name:        in.Name,
			Labels:      in.Labels,
			Annotations: in.Annotations,
		},
		Spec: corev1.NodeSpec{
			ProviderID:    in.Spec.ProviderID,
			Unschedulable: in.Spec.Unschedulable || slices.ContainsFunc(in.Spec.Taints, isCordon),
			Taints:        slices.DeleteFunc(slices.Clone(in.Spec.Taints), conditionTaint),
		},
		Status: corev1.NodeStatus{
			Capacity:    in.Status.Capacity,
			Allocatable: in.Status.Allocatable,
		},
	}
	if node.Labels == nil {
		node.Labels = map[string]string{}
	}
	if node.Annotations == nil {
		node.Annotations = map[string]string{}
	}
	a.label(node.Labels, corev1.LabelHostname, node.Name)
	a.label(node.Labels, corev1.LabelOSStable, defaultOS)
	a.label(node.Labels, corev1.LabelArchStable, defaultArch)
	if node.Annotations[annotationKwok] != kwokFake {
		a["added the annotation "+annotationKwok+"="+kwokFake]++
		node.Annotations[annotationKwok] = kwokFake
	}
	node.Spec.Taints = slices.DeleteFunc(node.Spec.Taints, func(t corev1.Taint) bool {
		if t.Key != taintKey {
			return false
		}
		// The taint keeps the pods of others off simulated nodes. Here there are no others, and the pods
		// of a trace do not tolerate it.
		a["removed the taint "+t.ToString()]++
		return true
	})
	a.resources(&node.Status)
	return node
}

func (a additions) label(labels map[string]string, key, value string) {
	if labels[key] != "" {
		return
	}
	what := fmt.Sprintf("added the label %s=%s", key, value)
	if key == corev1.LabelHostname {
		what = "added the label " + key
	}
	a[what]++
	labels[key] = value
}

// resources sets missing capacity from allocatable and vice versa.
func (a additions) resources(status *corev1.NodeStatus) {
	if len(status.Allocatable) == 0 {
		a["copied allocatable from capacity"]++
		status.Allocatable = status.Capacity.DeepCopy()
	}
	if pods := status.Allocatable[corev1.ResourcePods]; pods.IsZero() {
		a["added "+defaultPods.String()+" pods to allocatable"]++
		status.Allocatable[corev1.ResourcePods] = defaultPods.DeepCopy()
	}
	if status.Capacity == nil {
		status.Capacity = corev1.ResourceList{}
	}
	for name, quantity := range status.Allocatable {
		if have, ok := status.Capacity[name]; !ok || have.Cmp(quantity) < 0 {
			status.Capacity[name] = quantity.DeepCopy()
		}
	}
}

func isCordon(taint corev1.Taint) bool { return taint.Key == corev1.TaintNodeUnschedulable }

// conditionTaint reports whether Kubernetes itself adds and removes a taint. On a simulated node
// such a taint would describe a machine that does not exist. The taint of a cordoned node follows
// from its spec.
func conditionTaint(taint corev1.Taint) bool {
	return strings.HasPrefix(taint.Key, "node.kubernetes.io/") ||
		taint.Key == "node.cloudprovider.kubernetes.io/uninitialized"
}
