package objects

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

// Namespace is the driver's, where there is none. It has no owner: it may hold more than one simulation's, and it does not
// carry the simulation's label, by which a replay finds what is simulated.
func Namespace(sim *simkubev1.Simulation) *corev1.Namespace {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: sim.Spec.Driver.Namespace, Labels: map[string]string{LabelManagedBy: ControllerName},
		Annotations: map[string]string{AnnotationUID: string(sim.UID)},
	}}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	return namespace
}
