// Package standin makes the pods of custom workloads whose controllers are not in the cluster:
// objects of kinds for which the trace's configuration has the paths of pod templates, and which
// Kubernetes itself does not handle.
//
// A workload has as many pods as its object asks for, see package workload. An object that names no
// number has the pods that were recorded, at their times. An object of a kind whose pods were
// recorded, but not any of its own, made none. Pods are made again if something deletes them, but
// not if they complete, unless the recording has more pods.
package standin
