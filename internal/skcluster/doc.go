// Package skcluster runs sk-cluster, the separate program with the embedded control
// plane: it finds the executable, runs one simulation in a child process, and keeps
// lasting clusters in processes of their own.
//
// A child that dies, hangs or talks nonsense becomes an error here, never a hang: its
// output is kept, and a control plane cannot write over the caller's terminal.
package skcluster
