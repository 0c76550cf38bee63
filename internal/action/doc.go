// Package action has what can be done to a cluster besides replaying a trace: apply manifests, wait
// for pods, delete nodes, run a command.
//
// A [Runner] runs the action that a [simkubev1.SimulationHook] asks for. When it is run is up to
// the caller: package hooks runs actions before and after a simulation. Nothing here is remembered
// between two calls.
//
// A new action is a field of SimulationHook, a file here with a type that implements [Action], and
// a line in fields.
package action
