package objects

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	simkubev1 "simkube.io/simkube/api/v1"
)

// Service returns the Service of the driver's webhook. Until the driver is ready it has no
// endpoints, and the API server rejects simulated pods rather than admit them without mutation.
func Service(sim *simkubev1.Simulation, root *simkubev1.SimulationRoot) *corev1.Service {
	service := &corev1.Service{
		ObjectMeta: owned(simkubev1.DriverServiceName(sim.Name), sim.Spec.Driver.Namespace, driverLabels(sim), root),
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{jobNameLabel: simkubev1.DriverName(sim.Name)},
			Ports: []corev1.ServicePort{{
				Name: "webhook", Protocol: corev1.ProtocolTCP,
				Port: sim.Spec.Driver.Port, TargetPort: intstr.FromInt32(sim.Spec.Driver.Port),
			}},
		},
	}
	service.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Service"))
	return service
}
