// Package objects owns what the Simulation controller makes in a cluster for one simulation: which objects, under which
// names, and with which contents. It is pure: it reads no cluster and no clock, and the same simulation gives the same
// objects.
//
// All of them but the webhook and the namespace hang off the metaroot, a SimulationRoot that the Simulation owns. Those whose
// labels Kubernetes hands on to others (the Service to its endpoints, the Job's template to its pods, the Prometheus to
// whatever its operator makes) do not carry the simulation's label: a replay cleans up by that label, and must not find the
// driver there.
package objects

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

// Labels by which what belongs to a driver is found.
const (
	LabelName      = "app.kubernetes.io/name"
	LabelInstance  = "app.kubernetes.io/instance"
	LabelManagedBy = "app.kubernetes.io/managed-by"

	// DriverApp is LabelName's value for drivers, ControllerName LabelManagedBy's.
	DriverApp      = "sk-driver"
	ControllerName = "sk-ctrl"
)

// AnnotationUID is the UID of the simulation, on what was made for it and has no owner.
const AnnotationUID = "controller.simkube.io/simulation-uid"

// MetricsPort is where a driver serves its metrics, unless its webhook is there.
const MetricsPort = 8081

// Where a driver finds what is mounted.
const (
	tlsFolder     = "/etc/simkube/tls"
	resultsFolder = "/results"
	tempFolder    = "/tmp"
)

// Metaroot is the root that owns what the controller makes.
func Metaroot(sim *simkubev1.Simulation) *simkubev1.SimulationRoot {
	root := &simkubev1.SimulationRoot{}
	root.SetGroupVersionKind(simkubev1.GroupVersion.WithKind("SimulationRoot"))
	root.Name = simkubev1.MetarootName(sim.Name)
	root.Labels = simulationLabels(sim)
	root.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: simkubev1.GroupVersion.String(), Kind: "Simulation", Name: sim.Name, UID: sim.UID, Controller: new(true),
	}}
	return root
}

// Owner is the reference to a metaroot.
func Owner(root *simkubev1.SimulationRoot) metav1.OwnerReference {
	return metav1.OwnerReference{
		APIVersion: simkubev1.GroupVersion.String(), Kind: "SimulationRoot", Name: root.Name, UID: root.UID,
	}
}

// simulationLabels are those of what is the controller's, as opposed to what is simulated.
func simulationLabels(sim *simkubev1.Simulation) map[string]string {
	return map[string]string{
		simkubev1.LabelSimulation: simkubev1.LabelValue(sim.Name),
		LabelManagedBy:            ControllerName,
	}
}

// driverLabels are those of what belongs to the driver and hands its labels on.
func driverLabels(sim *simkubev1.Simulation) map[string]string {
	return map[string]string{
		LabelName:      DriverApp,
		LabelInstance:  simkubev1.LabelValue(sim.Name),
		LabelManagedBy: ControllerName,
	}
}

func owned(name, namespace string, labels map[string]string, root *simkubev1.SimulationRoot) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: name, Namespace: namespace, Labels: labels,
		OwnerReferences: []metav1.OwnerReference{Owner(root)},
	}
}
