// Package skcluster runs sk-cluster, the separate program with the embedded control plane. It finds
// the executable, runs a simulation in a child process, and manages lasting clusters in processes
// of their own.
//
// A child that dies, hangs or sends invalid messages results in an error and never blocks the
// caller. Its output is captured, so that it cannot write to the caller's terminal.
package skcluster
