// Package mutate changes simulated pods at admission: it sets their labels, restricts them to
// simulated nodes, and sets the annotations for the number among their owner's pods, the delays of
// their start, and the time of their completion. Pods that do not belong to the simulation are not
// changed.
//
// It is used by an admission plugin in the embedded control plane and by an admission webhook, and
// depends on neither.
package mutate
