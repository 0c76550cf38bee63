// Command sk-cluster runs the embedded Kubernetes control plane: for one simulation,
// started by skctl, or as a lasting cluster.
package main

import (
	"os"

	"simkube.io/simkube/cluster/cmd/sk-cluster/app"
)

func main() {
	os.Exit(app.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
