// Package replay applies the events of a trace to a cluster, each at its time.
//
// An [Engine] creates a root object, replays events below it, and deletes everything again:
//
//	engine, err := replay.New(restConfig, replay.Options{Simulation: "demo"})
//	root, err := engine.CreateRoot(ctx)
//	plan := replay.Plan{Config: reader.Config(), Events: reader.Events(), Origin: first, Start: now}
//	report, err := engine.Run(ctx, plan)
//	err = engine.Cleanup(context.WithoutCancel(ctx), nil)
//
// # Time
//
// An event at trace time T is due at Start + (T - Origin) / Speed. Every deadline is computed from
// the start, so neither rounding errors nor slow requests add up. Objects are prepared ahead of
// their deadline; a Start one second from now is enough for the first event to be on time. The lag
// of an event is the time from its deadline until the request for its last object is sent.
//
// A [Pauser] pauses the replay and shifts later deadlines by the length of the pause. During a
// pause, requests that were due before it are finished, objects and their namespaces are prepared,
// and interrupted bare pods are rescheduled: only the steps of the plan are paused.
//
// # Steps
//
// A run goes through steps: the events of the trace, and any [Action] of the plan, in the order of
// their times. Events are applied concurrently. Actions run one after the other, and no event waits
// for one.
//
// # Continuing after a restart
//
// Options.OnCheckpoint reports how many leading steps are done. To continue, another process adopts
// the root with AdoptRoot and replays the rest, with that number as Plan.Done and the start shifted
// by the pauses so far. Steps that were started and not reported as done are repeated in order. An
// object may return to an earlier state for a moment; its final state is that of the trace.
//
// # Order
//
// Objects are applied concurrently, but everything that happens to one object happens in order. The
// objects of one event are applied in the order in which they may need each other, whatever their
// order in the trace: namespaces, definitions of kinds, classes, roles and service accounts,
// configuration, volumes, others, and last what creates pods. Those of one rank wait until those of
// lower ranks were tried, and until the kinds of definitions are served. Namespaces and definitions
// are deleted after everything else. Namespaces are created when objects in them are prepared, or,
// if the trace has namespaces among its objects, when they are due.
//
// If an event both applies and deletes an object, Plan.Orders says which comes first. An object
// that was created and deleted within a second exists for the time that it did, which is half a
// second if nothing is known. An object, or a namespace with everything in it, that was deleted is
// gone before it is created again.
//
// # Changes that are not allowed
//
// If the API server refuses to change an object that could be created as it is, the recorded
// cluster had another object of that name. The object is deleted, with a precondition for its UID
// and only if it belongs to the simulation, and created again. Report.Replaced counts these
// objects. Containers of bare pods get new sizes in place, if the API server allows it.
//
// Waiting for an object to be gone takes two minutes at most, and for the kinds of a definition one
// minute, or Options.RetryFor if that is more. After that, it is a Problem.
//
// # Safety
//
// A cluster that is not shared belongs to the trace alone. Objects keep their names and namespaces
// there, and pods their node selectors, affinities, tolerations and ports. An object that the
// cluster had before, such as a namespace or a role of Kubernetes, is changed as the trace says.
//
// With Options.Shared, the engine changes only what belongs to its simulation: objects in
// namespaces it created, and cluster-scoped objects it created. If another object has the name of
// one to apply, it is not changed, and becomes a Problem. A deletion is for the UID of an object
// with an owner reference to the root.
//
// Names of the trace are checked before they become part of a request.
//
// In a shared cluster the namespaces have a prefix, and objects with an effect beyond their
// namespace are separated from other workloads. Priority classes, runtime classes, storage classes
// and volumes get the prefix of simulated namespaces in their names, and are no defaults;
// references to them are changed, too. Volumes have no storage. Volumes without a claim are left
// out, as are all other cluster-scoped objects. Services and Ingresses cannot be reached from
// outside, and affinities are restricted to pods of the simulation.
package replay
