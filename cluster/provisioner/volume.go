package provisioner

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// syncVolume deletes a volume that was released, if its reclaim policy says so.
// kube-controller-manager calls a volume failed if it has no code to delete it.
func (p *provisioner) syncVolume(ctx context.Context, name string) error {
	volume, err := p.volumes.Get(name)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return err
	}
	released := volume.Status.Phase == corev1.VolumeReleased || volume.Status.Phase == corev1.VolumeFailed
	if !released || volume.DeletionTimestamp != nil || volume.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete {
		return nil
	}
	err = p.client.CoreV1().PersistentVolumes().Delete(ctx, name, *metav1.NewPreconditionDeleteOptions(string(volume.UID)))
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("delete volume %s: %w", name, err)
	}
	return nil
}

// modify changes the volume of a bound claim to the size and the attributes that the claim
// requests. The API server has checked that the class allows it.
func (p *provisioner) modify(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	if claim.Status.Phase != corev1.ClaimBound || !isChanged(claim) {
		return nil
	}
	volume, err := p.volumes.Get(claim.Spec.VolumeName)
	if apierrors.IsNotFound(err) {
		return nil // kube-controller-manager calls the claim lost
	}
	if err != nil {
		return fmt.Errorf("get volume %s: %w", claim.Spec.VolumeName, err)
	}
	if volume.Spec.ClaimRef == nil || volume.Spec.ClaimRef.UID != claim.UID {
		return nil
	}
	volume = volume.DeepCopy()
	volume.Spec.Capacity = grown(volume.Spec.Capacity, claim.Spec.Resources.Requests)
	volume.Spec.VolumeAttributesClassName = claim.Spec.VolumeAttributesClassName
	if _, err := p.client.CoreV1().PersistentVolumes().Update(ctx, volume, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("modify volume %s: %w", volume.Name, err)
	}
	claim = claim.DeepCopy()
	claim.Status.Capacity = grown(claim.Status.Capacity, claim.Spec.Resources.Requests)
	claim.Status.CurrentVolumeAttributesClassName = claim.Spec.VolumeAttributesClassName
	claim.Status.Conditions = slices.DeleteFunc(claim.Status.Conditions, func(c corev1.PersistentVolumeClaimCondition) bool {
		return c.Type == corev1.PersistentVolumeClaimResizing || c.Type == corev1.PersistentVolumeClaimFileSystemResizePending
	})
	if _, err := p.client.CoreV1().PersistentVolumeClaims(claim.Namespace).UpdateStatus(ctx, claim, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("set the capacity of claim %s/%s: %w", claim.Namespace, claim.Name, err)
	}
	return nil
}

// isChanged reports whether a bound claim requests more than it has, or other attributes.
func isChanged(claim *corev1.PersistentVolumeClaim) bool {
	request, capacity := claim.Spec.Resources.Requests[corev1.ResourceStorage], claim.Status.Capacity[corev1.ResourceStorage]
	wanted, current := claim.Spec.VolumeAttributesClassName, claim.Status.CurrentVolumeAttributesClassName
	return request.Cmp(capacity) > 0 || wanted != nil && (current == nil || *wanted != *current)
}

// grown returns a capacity that is at least what is requested.
func grown(capacity, requests corev1.ResourceList) corev1.ResourceList {
	request, has := requests[corev1.ResourceStorage], capacity[corev1.ResourceStorage]
	if request.Cmp(has) <= 0 {
		return capacity
	}
	return corev1.ResourceList{corev1.ResourceStorage: request}
}
