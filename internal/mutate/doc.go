// Package mutate decides what a simulated pod gets at admission: its labels, its place among the simulated
// nodes, the annotations that say which of its owner's pods it is, the delays of its start, and when it
// completes. Pods that do not belong to the simulation are never touched.
//
// It is used by an admission plugin inside the embedded control plane and by an admission webhook, so it
// knows nothing of either.
package mutate
