package controller

import (
	"context"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
)

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// relevantChanges ignores updates that the controller need not act on: its own and the driver's
// progress.
func relevantChanges() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*simkubev1.Simulation)
		after, ok2 := e.ObjectNew.(*simkubev1.Simulation)
		return !ok || !ok2 || changed(before, after)
	}}
}

func changed(before, after *simkubev1.Simulation) bool {
	was, is := observed{sim: before}.driver(), observed{sim: after}.driver()
	return before.UID != after.UID || before.Generation != after.Generation ||
		(before.DeletionTimestamp == nil) != (after.DeletionTimestamp == nil) ||
		!slices.Equal(before.Finalizers, after.Finalizers) || !maps.Equal(before.Annotations, after.Annotations) ||
		state(before) != state(after) ||
		was.Phase != is.Phase || was.Paused != is.Paused || was.Pod != is.Pod || len(was.Summaries) != len(is.Summaries)
}

// simulationOf returns a request for the simulation of a driver's job or pod.
func simulationOf(_ context.Context, object client.Object) []reconcile.Request {
	labels := object.GetLabels()
	for _, label := range []string{objects.LabelInstance, simkubev1.LabelSimulation} {
		if name := labels[label]; name != "" {
			return []reconcile.Request{requestFor(name)}
		}
	}
	return nil
}

func requestFor(name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Name: name}}
}

// wakeAfterUpdate queues the waiting simulations when another one ends.
func (c *controller) wakeAfterUpdate(ctx context.Context, e event.UpdateEvent, q queue) {
	before, ok := e.ObjectOld.(*simkubev1.Simulation)
	after, ok2 := e.ObjectNew.(*simkubev1.Simulation)
	if ok && ok2 && !isEnded(before) && isEnded(after) {
		c.wake(ctx, q)
	}
}

// wakeAfterDelete queues the waiting simulations when another one is deleted.
func (c *controller) wakeAfterDelete(ctx context.Context, _ event.DeleteEvent, q queue) {
	c.wake(ctx, q)
}

func (c *controller) wake(ctx context.Context, q queue) {
	var all simkubev1.SimulationList
	if err := c.client.List(ctx, &all); err != nil {
		c.opts.Logger.WarnContext(ctx, "cannot wake the waiting simulations after another one ended", "error", err)
		return
	}
	for i := range all.Items {
		if sim := &all.Items[i]; isWaiting(sim) {
			q.Add(requestFor(sim.Name))
		}
	}
}
