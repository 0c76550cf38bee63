// Package instancetypes has the types of instances that an autoscaler can choose from, with their
// prices.
package instancetypes
