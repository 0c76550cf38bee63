package provisioner

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
)

// The annotations by which kube-controller-manager, the scheduler and provisioners agree on a
// claim and its volume.
const (
	annotationProvisioner     = "volume.kubernetes.io/storage-provisioner"
	annotationProvisionerBeta = "volume.beta.kubernetes.io/storage-provisioner"
	annotationSelectedNode    = "volume.kubernetes.io/selected-node"
	annotationProvisionedBy   = "pv.kubernetes.io/provisioned-by"
)

const (
	// inTreePrefix precedes the names of the provisioners that were once part of Kubernetes.
	inTreePrefix = "kubernetes.io/"
	// noProvisioner is the provisioner of classes whose volumes are created by other means.
	noProvisioner = "kubernetes.io/no-provisioner"
	// simulatedDriver is the driver of volumes whose provisioner's name is not that of a CSI driver.
	simulatedDriver = "provisioner.simkube.io"
	// maxDriver is the maximum length of the name of a CSI driver.
	maxDriver = 63
)

// syncClaim provisions a volume for a claim that waits for one, or changes the volume that it has.
func (p *provisioner) syncClaim(ctx context.Context, namespace, name string) error {
	claim, err := p.claims.PersistentVolumeClaims(namespace).Get(name)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return err
	case claim.DeletionTimestamp != nil:
		return nil
	case claim.Spec.VolumeName != "":
		return p.modify(ctx, claim)
	}
	className := classOf(claim)
	if className == "" {
		return nil
	}
	class, err := p.classes.Get(className)
	provisioner := cmp.Or(claim.Annotations[annotationProvisioner], claim.Annotations[annotationProvisionerBeta])
	switch {
	case apierrors.IsNotFound(err):
		return nil // until the class is there
	case err != nil:
		return fmt.Errorf("get class %s: %w", className, err)
	}
	if provisioner == "" {
		if !isRemoved(class.Provisioner) {
			return nil
		}
		provisioner = class.Provisioner
	}
	if provisioner == noProvisioner || waits(class) && claim.Annotations[annotationSelectedNode] == "" {
		return nil
	}
	return p.provision(ctx, claim, class, provisioner)
}

// migrated are the in-tree provisioners that CSI drivers have replaced. kube-controller-manager
// annotates their claims with the names of the drivers.
var migrated = []string{
	"kubernetes.io/aws-ebs", "kubernetes.io/azure-disk", "kubernetes.io/azure-file", "kubernetes.io/cinder",
	"kubernetes.io/gce-pd", "kubernetes.io/portworx-volume", "kubernetes.io/vsphere-volume",
}

// isRemoved reports whether a provisioner was removed from Kubernetes without a replacement.
// kube-controller-manager annotates no claims for it.
func isRemoved(provisioner string) bool {
	return strings.HasPrefix(provisioner, inTreePrefix) && !slices.Contains(migrated, provisioner)
}

// classOf returns the name of a claim's class, or "".
func classOf(claim *corev1.PersistentVolumeClaim) string {
	if class, ok := claim.Annotations[corev1.BetaStorageClassAnnotation]; ok {
		return class
	}
	if claim.Spec.StorageClassName == nil {
		return ""
	}
	return *claim.Spec.StorageClassName
}

// waits reports whether the claims of a class wait for a pod.
func waits(class *storagev1.StorageClass) bool {
	return class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
}

// provision creates a volume for a claim.
func (p *provisioner) provision(ctx context.Context, claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass, provisioner string) error {
	affinity, err := p.topology(ctx, claim, class, provisioner)
	if apierrors.IsNotFound(err) {
		return p.reschedule(ctx, claim)
	}
	if err != nil {
		return fmt.Errorf("find the topology of claim %s/%s: %w", claim.Namespace, claim.Name, err)
	}
	volume := newVolume(claim, class, provisioner)
	volume.Spec.NodeAffinity = affinity
	_, err = p.client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create volume %s: %w", volume.Name, err)
	}
	return nil
}

// newVolume returns a volume for a claim, without its topology.
func newVolume(claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass, provisioner string) *corev1.PersistentVolume {
	policy := corev1.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		policy = *class.ReclaimPolicy
	}
	// Provisioners use the same name, so that there can't be two volumes for one claim.
	name := "pvc-" + string(claim.UID)
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{annotationProvisionedBy: provisioner},
		},
		Spec: corev1.PersistentVolumeSpec{
			AccessModes: slices.Clone(claim.Spec.AccessModes),
			Capacity:    corev1.ResourceList{corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage]},
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: claim.Name,
				UID: claim.UID, ResourceVersion: claim.ResourceVersion,
			},
			PersistentVolumeReclaimPolicy: policy,
			StorageClassName:              class.Name,
			MountOptions:                  slices.Clone(class.MountOptions),
			VolumeMode:                    claim.Spec.VolumeMode,
			VolumeAttributesClassName:     claim.Spec.VolumeAttributesClassName,
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				CSI: &corev1.CSIPersistentVolumeSource{Driver: driverOf(provisioner), VolumeHandle: name},
			},
		},
	}
}

// driverOf returns the CSI driver of a provisioner. The scheduler compares the number of its
// volumes on a node with the limit in the CSINode.
func driverOf(provisioner string) string {
	if len(provisioner) > maxDriver || len(validation.IsDNS1123Subdomain(strings.ToLower(provisioner))) > 0 {
		return simulatedDriver
	}
	return provisioner
}

// reschedule has the scheduler choose another node for a claim, because the one that it chose does
// not exist.
func (p *provisioner) reschedule(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid":         claim.UID,
		"annotations": map[string]any{annotationSelectedNode: nil},
	}})
	if err != nil {
		return fmt.Errorf("encode patch: %w", err)
	}
	_, err = p.client.CoreV1().PersistentVolumeClaims(claim.Namespace).Patch(ctx, claim.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("choose another node for claim %s/%s: %w", claim.Namespace, claim.Name, err)
	}
	return nil
}
