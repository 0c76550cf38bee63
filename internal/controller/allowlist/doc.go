// Package allowlist owns which container images and which files of nodes a Simulation may name.
// Whoever may create a Simulation is not necessarily somebody who may run any image as the driver's
// account, or read any file of a node.
package allowlist
