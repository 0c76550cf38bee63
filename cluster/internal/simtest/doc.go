// Package simtest tests Simulations in a cluster whole: the manifests, sk-ctrl and sk-driver as programs in pods of a real node with
// the rights that the manifests give them, a real control plane, and KWOK for what is simulated. Played are only the kubelet of the
// real node (package testkubelet), cert-manager and the Prometheus operator.
//
// SIMKUBE_KILLS says how often drivers are killed in TestDriverKilled (default 5), SIMKUBE_SEED when (default: by chance).
// SIMKUBE_RACE=1 has sk-ctrl, sk-driver and skctl built with the race detector, which wants cgo, and fails if it finds anything.
package simtest
