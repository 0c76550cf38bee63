// Package packing has a lower bound of what it costs to have room for pods: no set of instances
// that pods with given requests fit on costs less.
package packing
