// Package drivertest tests the driver of simulations against a real control plane, without a
// controller: the tests create what a controller would, and the API server reaches the driver's
// webhook by its address.
package drivertest
