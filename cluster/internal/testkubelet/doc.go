// Package testkubelet plays the kubelet of one node for tests: the containers of the pods that are bound to the node run as
// processes of this machine, without any isolation.
//
// What tests can rely on: a pod reaches the API server with a token of its own service account, through the kubeconfig that
// KUBECONFIG names, so that its real rights count; all pods have the machine's address, so that the API server can reach a
// webhook that one of them serves; volumes, environment, restarts, readiness and graceful deletion are as a kubelet does
// them. Mount paths are no places on this machine: where they stand in the command, the arguments and the environment they
// are replaced by the folders that hold the volumes. When the test ends, however it does, no process is left.
//
// Not played are init containers, liveness and startup probes, resources, security contexts, and the API of a kubelet (logs
// and exec go through Kubelet instead).
package testkubelet
