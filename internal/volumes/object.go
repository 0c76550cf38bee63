package volumes

import (
	"bytes"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

var (
	claimKind       = schema.GroupKind{Kind: "PersistentVolumeClaim"}
	volumeKind      = schema.GroupKind{Kind: "PersistentVolume"}
	classKind       = schema.GroupKind{Group: storagev1.GroupName, Kind: "StorageClass"}
	csiNodeKind     = schema.GroupKind{Group: storagev1.GroupName, Kind: "CSINode"}
	statefulSetKind = schema.GroupKind{Group: "apps", Kind: "StatefulSet"}
)

// convert decodes an object.
func convert[T any](object *trace.Object) (*T, error) {
	u, err := object.Unstructured()
	if err != nil {
		return nil, err
	}
	into := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, into); err != nil {
		return nil, err
	}
	return into, nil
}

// usesClaims reports whether an object may use claims in its pod templates, without decoding it.
func usesClaims(object *trace.Object) bool {
	// persistentVolumeClaim, volumeClaimTemplate and volumeClaimTemplates
	return bytes.Contains(object.Raw(), []byte("olumeClaim"))
}

// className returns the name of the class that a claim asks for, and whether it asks for one: the
// name "" asks for a volume without a class.
func className(annotations map[string]string, spec *corev1.PersistentVolumeClaimSpec) (name string, ok bool) {
	if name, ok := annotations[corev1.BetaStorageClassAnnotation]; ok {
		return name, true
	}
	if spec.StorageClassName == nil {
		return "", false
	}
	return *spec.StorageClassName, true
}

// claimOf returns the namespace and name of the claim that a volume is reserved for, or "".
func claimOf(volume *corev1.PersistentVolume) string {
	ref := volume.Spec.ClaimRef
	if ref == nil || ref.Name == "" {
		return ""
	}
	return trace.NamespacedName(ref.Namespace, ref.Name)
}

// isProvisioned reports whether a provisioner made a recorded volume for its claim.
func isProvisioned(volume *corev1.PersistentVolume) bool {
	_, ok := volume.Annotations[AnnotationProvisionedBy]
	return ok || strings.HasPrefix(volume.Name, "pvc-") && volume.Spec.ClaimRef != nil
}
