// Package hooks owns what is run around a simulation: it reads hooks from files, runs one hook, and runs those of a
// phase so that none is begun twice, whatever happens to the process in between.
//
// A hook is a program of the image or one of the actions that need no program (apply, waitForPods, deleteNodes), which
// talk to the cluster themselves. What was begun is kept in a [Ledger], which is written before a hook begins. A hook that
// was begun and of which no end is known has failed: whether it did its work cannot be told, so it is not run again.
package hooks
