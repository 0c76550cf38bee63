package replay

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/mutate"
)

// rootKind is the kind of the root object.
const rootKind = "SimulationRoot"

// CreateRoot makes the root object and returns it. What an earlier run of the same simulation left behind is
// cleaned up first, with everything below it.
func (e *Engine) CreateRoot(ctx context.Context) (mutate.Root, error) {
	leftovers, err := e.leftovers(ctx)
	if err != nil {
		return mutate.Root{}, fmt.Errorf("look for an earlier run: %w", err)
	}
	if leftovers {
		e.opts.Logger.InfoContext(ctx, "clean up after an earlier run", "root", e.opts.RootName)
		if err := e.Cleanup(ctx, nil); err != nil {
			return mutate.Root{}, fmt.Errorf("after an earlier run: %w", err)
		}
	}
	object := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{}}}
	object.SetGroupVersionKind(simkubev1.GroupVersion.WithKind(rootKind))
	object.SetName(e.opts.RootName)
	object.SetLabels(simkubev1.SimulatedLabels(e.opts.Simulation))
	created, err := e.target.create(ctx, e.rootPlace(), object)
	if err != nil {
		return mutate.Root{}, fmt.Errorf("create root %s: %w", e.opts.RootName, err)
	}
	e.root, e.adopted = mutate.Root{Name: created.GetName(), UID: created.GetUID()}, false
	return e.root, nil
}

// AdoptRoot takes over the root of an earlier run, with everything below it, in place of CreateRoot. There is none,
// and found is false, if it does not exist or is being deleted.
//
// A Run after that is the continuation of the earlier one, from the events that Plan.Done says were wholly done. Those
// that follow may have been begun: what is due until Options.RetryFor after the new Run begins and is to be deleted may
// be gone already, which is no Problem.
func (e *Engine) AdoptRoot(ctx context.Context) (root mutate.Root, found bool, err error) {
	object, err := e.target.get(ctx, e.rootPlace())
	switch {
	case apierrors.IsNotFound(err):
		return mutate.Root{}, false, nil
	case err != nil:
		return mutate.Root{}, false, fmt.Errorf("adopt root %s: %w", e.opts.RootName, err)
	case object.DeletionTimestamp != nil:
		return mutate.Root{}, false, nil
	}
	e.root, e.adopted = mutate.Root{Name: object.Name, UID: object.UID}, true
	return e.root, true, nil
}

// leftovers tells whether there is a root already, or a namespace that belonged to one.
func (e *Engine) leftovers(ctx context.Context) (bool, error) {
	_, err := e.target.get(ctx, e.rootPlace())
	if !apierrors.IsNotFound(err) {
		return err == nil, err
	}
	names, err := e.ownNamespaces(ctx)
	return len(names) > 0, err
}

func (e *Engine) rootPlace() place {
	return place{resource: rootResource(), name: e.opts.RootName}
}

func rootResource() schema.GroupVersionResource {
	return simkubev1.GroupVersion.WithResource("simulationroots")
}
