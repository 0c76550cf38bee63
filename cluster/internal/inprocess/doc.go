// Package inprocess carries requests from a process to the HTTP server in the same
// process: no connection, no encryption, no framing, nothing the kernel would have to do.
//
// The control plane's components and its API server live in one process and talk over HTTP all the time.
// Handing a request to the server's handler as it is saves a good part of what a pod costs, and in virtual time
// it also leaves nothing to the kernel's choice of who is woken first.
package inprocess
