// Package hooks reads hooks from files, and runs the hooks of a phase of a simulation.
//
// What a hook does is an action of package action. This package makes sure that none is started
// twice, even if the process is killed: a record of each hook is saved in a [RecordStore] before
// the hook starts, and again when it has ended. A hook that was started and whose end was not saved
// has failed: it may or may not have done its work, so it is not run again.
package hooks
