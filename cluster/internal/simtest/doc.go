// Package simtest tests Simulations in a cluster end to end: the manifests, sk-ctrl and sk-driver
// as programs in pods of a real node with the permissions in the manifests, a real control plane,
// and KWOK for the simulated part. Only the kubelet of the real node (package testkubelet),
// cert-manager and the Prometheus operator are fakes.
//
// SIMKUBE_KILLS sets how often drivers are killed in TestDriverKilled (default 5), SIMKUBE_SEED the
// seed of the times (default: random). SIMKUBE_RACE=1 builds sk-ctrl, sk-driver and skctl with the
// race detector, which needs cgo, and fails if it finds anything.
package simtest
