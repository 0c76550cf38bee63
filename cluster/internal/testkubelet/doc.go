// Package testkubelet is the kubelet of one node in tests: the containers of the pods that are
// bound to the node run as processes of this machine, without any isolation.
//
// Tests can rely on the following. A pod reaches the API server with a token of its own service
// account, through the kubeconfig that KUBECONFIG names, so that its real permissions apply. All
// pods have the machine's address, so that the API server can reach a webhook that one of them
// serves. Volumes, environment, restarts, readiness and graceful deletion work as with a real
// kubelet. Mount paths do not exist on this machine: in the command, the arguments and the
// environment they are replaced by the folders that hold the volumes. When the test ends, even if
// it is killed, no process is left.
//
// Not supported are init containers, liveness and startup probes, resources, security contexts, and
// the API of a kubelet (Kubelet has methods for logs and exec instead).
package testkubelet
