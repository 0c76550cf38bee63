package planetest

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	simkubev1 "simkube.io/simkube/api/v1"
)

// Node returns a node that KWOK simulates, as the documentation describes it, in zone a. It has 64
// CPUs, 256 GiB, and room for 2000 pods.
func Node(name string) *corev1.Node {
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("64"),
		corev1.ResourceMemory: resource.MustParse("256Gi"),
		corev1.ResourcePods:   resource.MustParse("2000"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				simkubev1.LabelNodeType: simkubev1.NodeTypeVirtual, corev1.LabelHostname: name, corev1.LabelTopologyZone: "a",
			},
			Annotations: map[string]string{simkubev1.AnnotationKwokNode: "fake"},
		},
		Spec: corev1.NodeSpec{Taints: []corev1.Taint{{
			Key: simkubev1.TaintKwokProvider, Value: "true", Effect: corev1.TaintEffectNoSchedule,
		}}},
		Status: corev1.NodeStatus{Capacity: capacity, Allocatable: capacity},
	}
}

// CreateNodes creates count nodes, named virtual-0 and so on.
func CreateNodes(ctx context.Context, client kubernetes.Interface, count int) error {
	for i := range count {
		node := Node(fmt.Sprintf("virtual-%d", i))
		if _, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("create node %s: %w", node.Name, err)
		}
	}
	return nil
}
