// Package objects defines what the Simulation controller creates in a cluster for one simulation.
// It does not access the cluster or the clock, and returns equal objects for equal simulations.
//
// All objects except the webhook and the namespace are owned by the metaroot, a SimulationRoot that
// the Simulation owns. Objects whose labels Kubernetes copies to others do not have the
// simulation's label: the Service (to its endpoints), the Job's template (to its pods), and the
// Prometheus (to what its operator creates). A replay cleans up by that label, and must not remove
// its own driver.
package objects

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

// The labels that select a driver's objects.
const (
	LabelName      = "app.kubernetes.io/name"
	LabelInstance  = "app.kubernetes.io/instance"
	LabelManagedBy = "app.kubernetes.io/managed-by"

	// DriverApp is the value of LabelName for drivers, ControllerName that of LabelManagedBy.
	DriverApp      = "sk-driver"
	ControllerName = "sk-ctrl"
)

// AnnotationUID holds the simulation's UID, on objects that have no owner.
const AnnotationUID = "controller.simkube.io/simulation-uid"

// MetricsPort is where a driver serves its metrics, unless its webhook uses that port.
const MetricsPort = 8081

// The folders of a driver's volumes.
const (
	tlsFolder     = "/etc/simkube/tls"
	resultsFolder = "/results"
	tempFolder    = "/tmp"
)

// Metaroot returns the root that owns what the controller creates.
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

// Owner returns an owner reference to a metaroot.
func Owner(root *simkubev1.SimulationRoot) metav1.OwnerReference {
	return metav1.OwnerReference{
		APIVersion: simkubev1.GroupVersion.String(), Kind: "SimulationRoot", Name: root.Name, UID: root.UID,
	}
}

// simulationLabels returns the labels of objects that belong to the controller and are not
// simulated.
func simulationLabels(sim *simkubev1.Simulation) map[string]string {
	return map[string]string{
		simkubev1.LabelSimulation: simkubev1.LabelValue(sim.Name),
		LabelManagedBy:            ControllerName,
	}
}

// driverLabels returns the labels of the driver's objects whose labels Kubernetes copies.
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
