// Package inprocess sends requests to an HTTP server in the same process, without connections,
// encryption or framing, and without the kernel.
//
// The control plane's components and its API server live in one process and talk over HTTP all the
// time. Calling the server's handler directly saves a good part of the time that a pod costs. In
// virtual time it also makes the order in which requests arrive independent of the kernel.
package inprocess
