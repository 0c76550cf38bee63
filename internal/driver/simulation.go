package driver

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	simkubev1 "simkube.io/simkube/api/v1"
)

func simulations() schema.GroupVersionResource {
	return simkubev1.GroupVersion.WithResource("simulations")
}

func roots() schema.GroupVersionResource {
	return simkubev1.GroupVersion.WithResource("simulationroots")
}

func getSimulation(ctx context.Context, client dynamic.Interface, name string) (*simkubev1.Simulation, error) {
	object, err := client.Resource(simulations()).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("get the simulation: %w", err)
	}
	return decodeSimulation(object)
}

func decodeSimulation(object *unstructured.Unstructured) (*simkubev1.Simulation, error) {
	text, err := object.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode the simulation: %w", err)
	}
	sim := &simkubev1.Simulation{}
	if err := json.Unmarshal(text, sim); err != nil {
		return nil, fmt.Errorf("decode the simulation: %w", err)
	}
	return sim, nil
}

// follow calls changed for every change of the simulation until ctx ends, including changes during
// an interruption of the watch. A nil simulation means that it was deleted.
func follow(ctx context.Context, client dynamic.Interface, name string, changed func(*simkubev1.Simulation)) {
	only := func(opts *metav1.ListOptions) {
		opts.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()
	}
	informer := dynamicinformer.NewFilteredDynamicInformer(client, simulations(), metav1.NamespaceAll, 0, cache.Indexers{}, only).Informer()
	handle := func(object any) {
		u, ok := object.(*unstructured.Unstructured)
		if !ok {
			return
		}
		if sim, err := decodeSimulation(u); err == nil {
			changed(sim)
		}
	}
	// It fails only for an informer that was stopped.
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    handle,
		UpdateFunc: func(_, object any) { handle(object) },
		DeleteFunc: func(any) { changed(nil) },
	})
	informer.RunWithContext(ctx)
}
