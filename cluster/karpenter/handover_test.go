package karpenter

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"

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

// unregistered adds the taint that nodes of Karpenter have until it knows them.
func unregistered(n *corev1.Node) {
	n.Spec.Taints = append(n.Spec.Taints, v1.UnregisteredNoExecuteTaint)
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
		existingNode("ip-10-0-0-1", "amd-4", 4, unregistered),
		existingNode("ip-10-0-0-2", "amd-8", 8, ofPool(id)),
		existingNode("ip-10-0-0-3", "amd-4", 4, ofPool(drifting)), // which allows other types only
		existingNode("unknown", "amd-5", 5),
		existingNode("unsized", "amd-16", 16, ofPool(drifting), func(n *corev1.Node) {
			n.Status.Capacity, n.Status.Allocatable = nil, nil
		}),
		existingNode("elsewhere", "amd-4", 4, func(n *corev1.Node) { n.Labels[corev1.LabelTopologyZone] = "zone-z" }),
	}, TakeOptions{All: true, Start: time.Now})
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
		"2 nodes handed over to node pool handover", "2 nodes handed over to node pool handover-drifting",
		"1 node not handed over, and not removed by Karpenter: the instance type is not on the list (amd-5): unknown",
		`1 node not handed over, and not removed by Karpenter: the list has no such offering (amd-4 on-demand in zone "zone-z"): elsewhere`,
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
	unsized, err := kube.CoreV1().Nodes().Get(t.Context(), "unsized", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := unsized.Status.Allocatable.Cpu().MilliValue(); got != 15_900 {
		t.Errorf("a node without a size has %dm CPUs, want those of its type", got)
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
	}, TakeOptions{Start: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if len(rest) != 2 || rest[0].Name != "named-2" || len(notes) != 1 || notes[0] != "1 node handed over to node pool "+id {
		t.Errorf("%d nodes are left, notes %q", len(rest), notes)
	}
}

// Nodes are not removed before the start, also if their pool removes empty ones at once.
func TestHandover_Start(t *testing.T) {
	t.Parallel()
	const id = "handover-start"
	createPool(t, id, id, map[string]string{"policy": "WhenEmpty", "consolidateAfter": "1s"})
	claims := objects.Resource(schema.GroupVersionResource{Group: "karpenter.sh", Version: "v1", Resource: "nodeclaims"})
	gone, err := claims.Watch(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=" + id})
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Stop()
	start := time.Now().Add(40 * time.Second).Truncate(time.Second)
	_, _, err = handover.Take(t.Context(), []*corev1.Node{existingNode(id, "amd-2", 2, ofPool(id))}, TakeOptions{Start: func() time.Time { return start }})
	if err != nil {
		t.Fatal(err)
	}
	timeout := time.After(waitTime)
	for {
		select {
		case e := <-gone.ResultChan():
			claim, ok := e.Object.(*unstructured.Unstructured)
			if !ok {
				t.Fatalf("the watch ended: %v", e.Object)
			}
			if e.Type == watch.Deleted {
				if at := claim.GetDeletionTimestamp(); at == nil || at.Time.Before(start) {
					t.Errorf("it was removed at %v, before the start at %s", at, start)
				}
				return
			}
		case <-timeout:
			t.Fatal("the empty node was not removed")
		}
	}
}
