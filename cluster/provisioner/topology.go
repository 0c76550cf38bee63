package provisioner

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// nodeLocal are well-known provisioners whose volumes can only be used on one node.
var nodeLocal = []string{
	"local.csi.openebs.io", "openebs.io/local", "rancher.io/local-path", "topolvm.cybozu.com", "topolvm.io", "zfs.csi.openebs.io",
}

// topology returns the nodes from which the volume of a claim can be used, or nil for all nodes:
//
//   - without a selected node, those that the class allows;
//   - for a volume that several nodes may use, the same;
//   - otherwise those that have the selected node's labels for the topology keys of the driver,
//     which are in the CSINode; if that does not list the driver, those in its zone, or only the
//     node itself for a driver with volumes on the node.
//
// It returns a NotFound error if the node does not exist.
func (p *provisioner) topology(
	ctx context.Context, claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass, provisioner string,
) (*corev1.VolumeNodeAffinity, error) {
	selected := claim.Annotations[annotationSelectedNode]
	if selected == "" || isShared(claim) {
		return allowedTopologies(class), nil
	}
	node, err := p.client.CoreV1().Nodes().Get(ctx, selected, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	csiNode, err := p.client.StorageV1().CSINodes().Get(ctx, selected, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, err
	}
	if err == nil {
		for _, driver := range csiNode.Spec.Drivers {
			if driver.Name != driverOf(provisioner) {
				continue
			}
			if affinity := labelAffinity(node, driver.TopologyKeys...); affinity != nil || len(driver.TopologyKeys) == 0 {
				return affinity, nil
			}
		}
	}
	if slices.Contains(nodeLocal, provisioner) {
		return labelAffinity(node, corev1.LabelHostname), nil
	}
	for _, key := range []string{corev1.LabelTopologyZone, corev1.LabelFailureDomainBetaZone} {
		if affinity := labelAffinity(node, key); affinity != nil {
			return affinity, nil
		}
	}
	return nil, nil
}

// isShared reports whether pods on several nodes may use a claim.
func isShared(claim *corev1.PersistentVolumeClaim) bool {
	return slices.Contains(claim.Spec.AccessModes, corev1.ReadWriteMany) || slices.Contains(claim.Spec.AccessModes, corev1.ReadOnlyMany)
}

// labelAffinity selects the nodes with the same values of labels as a node, of those that it has.
// It returns nil if the node has none of them.
func labelAffinity(node *corev1.Node, keys ...string) *corev1.VolumeNodeAffinity {
	var term corev1.NodeSelectorTerm
	for _, key := range keys {
		if value, ok := node.Labels[key]; ok {
			term.MatchExpressions = append(term.MatchExpressions, in(key, value))
		}
	}
	if len(term.MatchExpressions) == 0 {
		return nil
	}
	return required(term)
}

// allowedTopologies selects the nodes that a class allows. It returns nil if it allows all.
func allowedTopologies(class *storagev1.StorageClass) *corev1.VolumeNodeAffinity {
	var terms []corev1.NodeSelectorTerm
	for _, allowed := range class.AllowedTopologies {
		var term corev1.NodeSelectorTerm
		for _, expression := range allowed.MatchLabelExpressions {
			term.MatchExpressions = append(term.MatchExpressions, in(expression.Key, expression.Values...))
		}
		if len(term.MatchExpressions) > 0 {
			terms = append(terms, term)
		}
	}
	if len(terms) == 0 {
		return nil
	}
	return required(terms...)
}

func in(key string, values ...string) corev1.NodeSelectorRequirement {
	return corev1.NodeSelectorRequirement{Key: key, Operator: corev1.NodeSelectorOpIn, Values: values}
}

func required(terms ...corev1.NodeSelectorTerm) *corev1.VolumeNodeAffinity {
	return &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: terms}}
}
