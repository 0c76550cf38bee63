// Package simulator runs simulations on a control plane in this process, and is the whole of
// sk-cluster.
//
// Main makes a program like sk-cluster with additions of its own: scheduler plugins, or components
// of the control plane such as a controller or an autoscaler. skctl uses such a program if the
// environment variable SIMKUBE_SK_CLUSTER names it (SIMKUBE_SK_CLUSTER_VIRTUAL if it is built for
// virtual time, see docs/virtual-time.md):
//
//	func main() {
//		autoscaler := controlplane.Component{Name: "my-autoscaler", Start: start}
//		os.Exit(simulator.Main(simulator.WithComponent(autoscaler)))
//	}
//
// Simulate runs one simulation and returns its results, for a program with a command line of its
// own.
//
// A process runs at most one simulation, or one lasting cluster: see package controlplane.
package simulator
