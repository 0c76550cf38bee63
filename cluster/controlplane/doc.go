// Package controlplane runs a real Kubernetes control plane inside this process: etcd and
// kube-apiserver, and then a list of components, which are kube-controller-manager, kube-scheduler,
// the KWOK controller that simulates kubelets, and any others in Options. All are unmodified and
// linked in as libraries.
//
// Start starts them in order and returns when all are ready. A component has an account of its own
// at the API server, see Component. If one of them stops by itself, Done is closed and Err returns
// its name and error. Stop stops all in reverse order and removes the data folder.
//
// Kubernetes keeps feature gates, its log settings and some registries in process-wide variables,
// so a process runs at most one control plane: a second Start returns ErrAlreadyStarted. Unless
// GOGC is set, Start also has garbage collected less often than by default.
//
// Only the API server listens, on a loopback address and with a certificate of a certificate
// authority made for this run. etcd and the components in this process are reached by function
// calls.
package controlplane
