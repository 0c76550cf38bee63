package karpenter

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/scheduling"

	simkubev1 "simkube.io/simkube/api/v1"
)

// launchedClaim returns what Karpenter learns of an instance that was launched for a claim.
func launchedClaim(claim *v1.NodeClaim, kind *cloudprovider.InstanceType, offering *cloudprovider.Offering) *v1.NodeClaim {
	labels := map[string]string{}
	for _, r := range claim.Spec.Requirements {
		if r.Operator == corev1.NodeSelectorOpIn && len(r.Values) == 1 {
			labels[r.Key] = r.Values[0]
		}
	}
	setLabels(labels, offer{kind, offering})
	return &v1.NodeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: claim.Name, Labels: labels, CreationTimestamp: claim.CreationTimestamp},
		Status: v1.NodeClaimStatus{
			ProviderID:  providerPrefix + claim.Name,
			Capacity:    kind.Capacity,
			Allocatable: kind.Allocatable(),
		},
	}
}

// setLabels sets the labels that an instance determines.
func setLabels(labels map[string]string, o offer) {
	for _, requirements := range []scheduling.Requirements{o.kind.Requirements, o.offering.Requirements} {
		for _, r := range requirements {
			if r.Operator() == corev1.NodeSelectorOpIn && r.Len() == 1 {
				labels[r.Key] = r.Any()
			}
		}
	}
}

// merged returns an existing node with what the node of an instance must have.
func merged(existing, instance *corev1.Node) *corev1.Node {
	node := existing.DeepCopy()
	if node.Labels == nil {
		node.Labels = map[string]string{}
	}
	if node.Annotations == nil {
		node.Annotations = map[string]string{}
	}
	hostname, named := node.Labels[corev1.LabelHostname]
	maps.Copy(node.Labels, instance.Labels)
	maps.Copy(node.Annotations, instance.Annotations)
	if named {
		node.Labels[corev1.LabelHostname] = hostname
	}
	// Karpenter has not registered it yet.
	delete(node.Labels, v1.NodeRegisteredLabelKey)
	delete(node.Labels, v1.NodeInitializedLabelKey)
	node.Spec.ProviderID = instance.Spec.ProviderID
	node.Status = instance.Status
	node.Spec.Taints = append(node.Spec.Taints, instance.Spec.Taints...)
	return node
}

// newNode returns the node of an instance. Karpenter adds the claim's labels and taints to it when
// it registers; until then a taint keeps pods away.
func newNode(claim, launched *v1.NodeClaim) *corev1.Node {
	labels := maps.Clone(launched.Labels)
	maps.Copy(labels, claim.Labels)
	labels[corev1.LabelHostname] = claim.Name
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:        claim.Name,
			Labels:      labels,
			Annotations: map[string]string{simkubev1.AnnotationKwokNode: "fake"},
		},
		Spec: corev1.NodeSpec{
			ProviderID: launched.Status.ProviderID,
			Taints:     []corev1.Taint{v1.UnregisteredNoExecuteTaint},
		},
		Status: corev1.NodeStatus{
			Capacity:    launched.Status.Capacity,
			Allocatable: launched.Status.Allocatable,
			NodeInfo: corev1.NodeSystemInfo{
				Architecture:    labels[corev1.LabelArchStable],
				OperatingSystem: labels[corev1.LabelOSStable],
			},
		},
	}
}
