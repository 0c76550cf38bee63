// Package v1 holds SimKube's custom resources (simkube.io/v1) and the names that other programs may
// rely on: labels, annotations and the names of the objects that a simulation creates.
//
// A Simulation asks for a trace to be replayed in a cluster. A SimulationRoot is the owner of
// everything that a replay creates, so that deleting it cleans up.
//
// The types change by adding optional fields only: manifests that worked keep working.
//
// +kubebuilder:object:generate=true
// +groupName=simkube.io
package v1
