// Package replay applies the events of a trace to a cluster, each at its time.
//
// An [Engine] makes the root object that everything simulated hangs off, replays events below it, and
// removes it all again:
//
//	engine, err := replay.New(restConfig, replay.Options{Simulation: "demo"})
//	root, err := engine.CreateRoot(ctx)
//	report, err := engine.Run(ctx, replay.Plan{Config: reader.Config(), Events: reader.Events(), Origin: first, Start: now})
//	err = engine.Cleanup(context.WithoutCancel(ctx), nil)
//
// # Time
//
// What happened at trace time T is due at Start + (T - Origin) / Speed. Every deadline is computed from
// the start, so neither rounding nor slow requests add up. Objects are prepared ahead of their deadline (so
// a Start a second from now gives the first event its time, too).
// The lag of an object is the time from its deadline to the moment its request is sent; the completion of
// an object is the time from its deadline to the moment the server accepted it.
//
// A [Pauser] holds the replay up and moves what is due later by as long as it did; lag and completion count from the
// moved deadline. While it is paused, requests that were due before are finished, objects (and their namespaces) are
// prepared ahead, and interrupted bare pods are started again: what stands still is the trace.
//
// # Going on after a restart
//
// Options.OnCheckpoint tells how many leading events are done. Another process goes on from there: it takes the root
// over with AdoptRoot and replays the rest, with that number as Plan.Done and the start moved by the pauses so far.
// Events that were begun and not written down as done are replayed again, in order: an object may be what it was before
// for a moment, and is what the trace says in the end.
//
// # Order
//
// Objects are applied concurrently, but all that happens to one object happens in order. Among the objects of
// one event, those that make pods wait until those that don't have been tried, which they may need (a priority class, a
// service account). Namespaces are made when objects that need them are prepared; where the trace has
// namespaces among its objects, when they are due.
//
// # Safety
//
// The engine changes only what belongs to its simulation: objects in namespaces it made, and
// cluster-scoped objects it made. Whatever else bears a name it needs stays as it is, and becomes a
// Problem. Names of the trace are checked before they become part of a request, and a deletion is
// for the UID of an object that hangs off the root.
//
// With Options.Shared, objects that act beyond their namespace are kept apart from other workloads.
// Classes of priority, runtime and storage, and volumes, have the prefix of simulated namespaces in
// their names, and are no defaults; references to them follow. Volumes have no storage behind them
// and those without a claim are left out, as all other cluster-scoped objects are. Services and
// Ingresses are not reached from outside, and affinities are to pods of the simulation.
package replay
