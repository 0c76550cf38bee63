package objects

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

// Namespace returns the driver's namespace, for when it does not exist. It has no owner, because
// several simulations may use it, and it does not have the simulation's label, which marks
// simulated namespaces.
func Namespace(sim *simkubev1.Simulation) *corev1.Namespace {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: sim.Spec.Driver.Namespace, Labels: map[string]string{LabelManagedBy: ControllerName},
		Annotations: map[string]string{AnnotationUID: string(sim.UID)},
	}}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	return namespace
}
