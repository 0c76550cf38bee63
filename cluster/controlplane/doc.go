// Package controlplane runs a real Kubernetes control plane inside this process:
// etcd, kube-apiserver, kube-controller-manager, kube-scheduler and the KWOK
// controller that simulates kubelets, each unmodified and linked in as a library.
//
// Start brings the components up in order and returns once the API server answers
// and everything given in Options is installed. The first component to stop by itself ends all the
// others; Done and Err tell about it. Stop ends them in reverse order and removes
// the data folder.
//
// Kubernetes keeps feature gates, its log settings and some registries in
// process-wide variables, so a process runs at most one control plane in its life:
// a second Start returns ErrAlreadyStarted. Unless GOGC is set, Start also has the garbage collector
// come by less often than Go's default.
//
// Nothing listens beyond loopback: the API server on a loopback address with a
// certificate of a certificate authority made for this run, etcd on a Unix socket inside the
// data folder, and the other components not at all.
package controlplane
