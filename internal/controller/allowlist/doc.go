// Package allowlist decides which container images and which files of nodes a Simulation may use.
// Users who may create a Simulation need not be allowed to run any image with the driver's service
// account, or to read any file of a node.
package allowlist
