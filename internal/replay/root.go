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

// CreateRoot creates the root object and returns it. It first deletes everything that an earlier
// run of the simulation left behind.
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

// AdoptRoot adopts the root of an earlier run, with everything below it. It replaces CreateRoot.
// found is false if the root does not exist or is being deleted.
//
// The next Run continues the earlier one after Plan.Done steps. Later steps may have been started:
// it is no Problem if an object to delete is absent, for events that are due until Options.RetryFor
// after the new Run began.
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

// leftovers reports whether there is a root, or a namespace with a reference to one.
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
