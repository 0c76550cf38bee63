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

// relevantChanges leaves out the changes that mean nothing to the controller: its own, and how far the replay is.
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

// simulationOf finds the simulation of a driver's job or pod.
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

// wakeAfterUpdate has those that wait looked at when a simulation has ended.
func (c *controller) wakeAfterUpdate(ctx context.Context, e event.UpdateEvent, q queue) {
	before, ok := e.ObjectOld.(*simkubev1.Simulation)
	after, ok2 := e.ObjectNew.(*simkubev1.Simulation)
	if ok && ok2 && !isEnded(before) && isEnded(after) {
		c.wake(ctx, q)
	}
}

// wakeAfterDelete does so when one is gone.
func (c *controller) wakeAfterDelete(ctx context.Context, _ event.DeleteEvent, q queue) {
	c.wake(ctx, q)
}

func (c *controller) wake(ctx context.Context, q queue) {
	var all simkubev1.SimulationList
	if err := c.client.List(ctx, &all); err != nil {
		c.opts.Logger.WarnContext(ctx, "simulations that wait are not told that another has ended", "error", err)
		return
	}
	for i := range all.Items {
		if sim := &all.Items[i]; isWaiting(sim) {
			q.Add(requestFor(sim.Name))
		}
	}
}
