package karpenter

import (
	"context"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

// existingNode returns a node of an instance type of testTypes, as a cluster has it.
func existingNode(name, kind string, cpus int64, change ...func(*corev1.Node)) *corev1.Node {
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:              *resource.NewQuantity(cpus, resource.DecimalSI),
		corev1.ResourceMemory:           resource.MustParse("16Gi"),
		corev1.ResourcePods:             resource.MustParse("110"),
		corev1.ResourceEphemeralStorage: resource.MustParse("100Gi"),
	}
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			corev1.LabelHostname: name, corev1.LabelInstanceTypeStable: kind, corev1.LabelTopologyZone: "zone-a", corev1.LabelArchStable: "amd64",
			corev1.LabelOSStable: "linux", "example.com/rack": "r1",
		}},
		Status: corev1.NodeStatus{Capacity: capacity, Allocatable: capacity.DeepCopy()},
	}
	for _, c := range change {
		c(node)
	}
	return node
}

func ofPool(name string) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Labels["karpenter.sh/nodepool"] = name }
}

// Nodes that exist at the start get instances and claims of their pools: pods run on them, and
// Karpenter removes them as it does with its own.
func TestHandover(t *testing.T) {
	t.Parallel()
	const id = "handover"
	createPool(t, id, id, map[string]string{
		"policy": "WhenEmpty", "consolidateAfter": "20s", "weight": "10",
		"requirements": `[{key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}, {key: node.kubernetes.io/instance-type, operator: In, values: [amd-4, amd-8]}]`,
	})
	const drifting = "handover-drifting"
	createPool(t, drifting, drifting, map[string]string{
		"requirements": `[{key: node.kubernetes.io/instance-type, operator: In, values: [amd-16]}]`,
	})
	rest, notes, err := handover.Take(t.Context(), []*corev1.Node{
		existingNode("ip-10-0-0-1", "amd-4", 4),
		existingNode("ip-10-0-0-2", "amd-8", 8, ofPool(id)),
		existingNode("ip-10-0-0-3", "amd-4", 4, ofPool(drifting)), // which allows other types only
		existingNode("unknown", "amd-5", 5),
		existingNode("elsewhere", "amd-4", 4, func(n *corev1.Node) { n.Labels[corev1.LabelTopologyZone] = "zone-z" }),
	}, true)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range rest {
		names = append(names, n.Name)
	}
	if !slices.Equal(names, []string{"unknown", "elsewhere"}) {
		t.Errorf("not handed over: %q", names)
	}
	wantNotes := []string{
		"2 nodes handed over to node pool handover", "1 node handed over to node pool handover-drifting",
		`1 node not handed over, and not removed by Karpenter: instance type amd-4 has no offering on-demand in zone "zone-z": elsewhere`,
		"1 node not handed over, and not removed by Karpenter: instance type amd-5 is not on the list: unknown",
	}
	if !slices.Equal(notes, wantNotes) {
		t.Errorf("notes\n%s\nwant\n%s", strings.Join(notes, "\n"), strings.Join(wantNotes, "\n"))
	}
	node, err := kube.CoreV1().Nodes().Get(t.Context(), "ip-10-0-0-1", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for label, want := range map[string]string{
		"karpenter.sh/nodepool": id, "karpenter.sh/initialized": "true", "karpenter.sh/capacity-type": "on-demand", "example.com/rack": "r1", labelCase: id,
	} {
		if got := node.Labels[label]; got != want {
			t.Errorf("label %s is %q, want %q", label, got, want)
		}
	}
	if len(node.Spec.Taints) != 0 || node.Annotations[simkubev1.AnnotationPricePerHour] != "0.4" || node.Status.Allocatable.Cpu().Value() != 4 {
		t.Errorf("taints %v, price %s, %s CPUs", node.Spec.Taints, node.Annotations[simkubev1.AnnotationPricePerHour], node.Status.Allocatable.Cpu())
	}

	// Both pods fit on the existing nodes. One of these becomes empty then.
	createPods(t, id, 0, pod{1, "7", nil})
	awaitRunning(t, id, 1)
	eventually(t, "the empty node to go", func(ctx context.Context) (bool, error) {
		_, err := kube.CoreV1().Nodes().Get(ctx, "ip-10-0-0-1", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, err
	})
	if nodes := nodesOf(t, id); len(nodes) != 1 || nodes[0].Name != "ip-10-0-0-2" {
		t.Errorf("%d nodes are left, want ip-10-0-0-2", len(nodes))
	}
	// Karpenter finds that the type of the third is not one of its pool.
	eventually(t, "the drifted node to go", func(ctx context.Context) (bool, error) {
		_, err := kube.CoreV1().Nodes().Get(ctx, "ip-10-0-0-3", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, err
	})
}

// Without all, only nodes that name a pool are handed over.
func TestHandover_Named(t *testing.T) {
	t.Parallel()
	const id = "handover-named"
	createPool(t, id, id, map[string]string{"requirements": `[{key: node.kubernetes.io/instance-type, operator: In, values: [amd-2]}]`})
	rest, notes, err := handover.Take(t.Context(), []*corev1.Node{
		existingNode("named-1", "amd-2", 2, ofPool(id)), existingNode("named-2", "amd-2", 2), existingNode("named-3", "", 2, ofPool("none")),
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	if len(rest) != 2 || rest[0].Name != "named-2" || len(notes) != 1 || notes[0] != "1 node handed over to node pool "+id {
		t.Errorf("%d nodes are left, notes %q", len(rest), notes)
	}
}
