// Command sk-cluster runs the embedded Kubernetes control plane: for one simulation, started by
// skctl, or as a lasting cluster.
package main

import (
	"os"

	"simkube.io/simkube/cluster/simulator"
)

func main() {
	os.Exit(simulator.Main())
}
