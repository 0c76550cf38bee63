package nodes

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

const (
	labelType      = simkubev1.LabelNodeType
	typeVirtual    = simkubev1.NodeTypeVirtual
	taintKey       = simkubev1.TaintKwokProvider
	annotationKwok = simkubev1.AnnotationKwokNode
	kwokFake       = "fake"
	region         = "virtual"
	defaultOS      = "linux"
	defaultArch    = "amd64"
)

// defaultZones are assigned to the nodes round robin, so that pods with a topology spread or
// anti-affinity over zones can be scheduled. label.topology.kubernetes.io/zone=... in a shape
// replaces them.
var defaultZones = []string{"virtual-a", "virtual-b", "virtual-c"}

// Build returns count nodes of one shape, named node-0001 and so on. Every node has
//
//   - the labels type=virtual, kubernetes.io/hostname (its name), kubernetes.io/os=linux,
//     kubernetes.io/arch=amd64 (both also under their beta names),
//     topology.kubernetes.io/region=virtual, topology.kubernetes.io/zone (virtual-a, -b and -c
//     round robin), node.kubernetes.io/instance-type (such as cpu32-memory128Gi), and the labels of
//     the shape, which take precedence;
//   - the taints of the shape;
//   - the annotation kwok.x-k8s.io/node=fake, which makes KWOK manage the node;
//   - the shape's resources as capacity and as allocatable.
func Build(count int, shape Shape) []*corev1.Node {
	shape = shape.orDefault()
	nodes := make([]*corev1.Node, 0, count)
	for i := range count {
		nodes = append(nodes, buildNode(i, shape))
	}
	return nodes
}

func buildNode(i int, shape Shape) *corev1.Node {
	name := fmt.Sprintf("node-%04d", i+1)
	cpu, memory := shape.Resources[corev1.ResourceCPU], shape.Resources[corev1.ResourceMemory]
	instance := strings.Trim(fmt.Sprintf("cpu%s-memory%s", cpu.String(), memory.String()), "-.")
	labels := map[string]string{
		labelType:                      typeVirtual,
		corev1.LabelHostname:           name,
		corev1.LabelOSStable:           defaultOS,
		corev1.LabelArchStable:         defaultArch,
		"beta.kubernetes.io/os":        defaultOS,
		"beta.kubernetes.io/arch":      defaultArch,
		corev1.LabelTopologyRegion:     region,
		corev1.LabelTopologyZone:       defaultZones[i%len(defaultZones)],
		corev1.LabelInstanceTypeStable: instance,
	}
	for key, values := range shape.Labels {
		labels[key] = values[i%len(values)]
	}
	return &corev1.Node{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Node"},
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Labels:      labels,
			Annotations: map[string]string{annotationKwok: kwokFake},
		},
		Spec: corev1.NodeSpec{Taints: slices.Clone(shape.Taints)},
		Status: corev1.NodeStatus{
			Capacity:    shape.Resources.DeepCopy(),
			Allocatable: shape.Resources.DeepCopy(),
		},
	}
}
