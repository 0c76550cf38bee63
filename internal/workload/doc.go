// Package workload reads from an object of a trace which pods it asks for: its pod templates, and
// how many pods of each run at a time. The planning of nodes, the lifecycles of pods, and the
// stand-in for the controllers of custom workloads all count by the rules of this package.
package workload
