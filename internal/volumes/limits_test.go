package volumes

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func csiNode(name string, limit int) string {
	return fmt.Sprintf(`{apiVersion: storage.k8s.io/v1, kind: CSINode, metadata: {name: %[1]s}, spec: {drivers: [
		{name: ebs.csi.aws.com, nodeID: %[1]s, topologyKeys: [topology.kubernetes.io/zone], allocatable: {count: %[2]d}},
		{name: efs.csi.aws.com, nodeID: %[1]s}]}}`, name, limit)
}

// A node takes as many volumes as the recorded node of its name, or else as most recorded nodes.
func TestNeeds_CreateCSINodes(t *testing.T) {
	needs := surveyed(t, event{applied: []string{csiNode("a", 25), csiNode("b", 25), csiNode("c", 100)}}).Needs()
	client := fake.NewClientset()
	nodes := []*corev1.Node{{ObjectMeta: metav1.ObjectMeta{Name: "c"}}, {ObjectMeta: metav1.ObjectMeta{Name: "node-0001"}}}
	for range 2 { // it may be called again
		if err := needs.CreateCSINodes(t.Context(), client, nodes); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]struct {
		drivers int
		limit   int32
	}{"c": {2, 100}, "node-0001": {1, 25}} {
		got, err := client.StorageV1().CSINodes().Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		drivers := got.Spec.Drivers
		if len(drivers) != want.drivers || *drivers[0].Allocatable.Count != want.limit || drivers[0].NodeID != name || len(drivers[0].TopologyKeys) != 1 {
			t.Errorf("%s: got %+v, want %d drivers, the first with at most %d volumes", name, drivers, want.drivers, want.limit)
		}
	}
}
