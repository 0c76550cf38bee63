package hooks

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	discoverycache "k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	simkubev1 "simkube.io/simkube/api/v1"
)

const (
	// The API server serves a new kind a moment after its definition was applied, and may say once more that it does not.
	kindPoll    = 250 * time.Millisecond
	kindRetries = 40
)

// applier applies objects to a cluster.
type applier struct {
	mapper *restmapper.DeferredDiscoveryRESTMapper
	client dynamic.Interface
}

// apply applies the manifests, what others of them need first.
func apply(ctx context.Context, config *rest.Config, action *simkubev1.ApplyAction, logger *slog.Logger) error {
	objects, err := parseManifests(action.Manifests)
	if err != nil {
		return err
	}
	http, err := rest.HTTPClientFor(config)
	if err != nil {
		return fmt.Errorf("make HTTP client: %w", err)
	}
	kinds, err := discovery.NewDiscoveryClientForConfigAndClient(config, http)
	if err != nil {
		return fmt.Errorf("make discovery client: %w", err)
	}
	client, err := dynamic.NewForConfigAndClient(config, http)
	if err != nil {
		return fmt.Errorf("make dynamic client: %w", err)
	}
	a := &applier{mapper: restmapper.NewDeferredDiscoveryRESTMapper(discoverycache.NewMemCacheClient(kinds)), client: client}
	for i, object := range objects {
		if err := a.one(ctx, object); err != nil {
			return fmt.Errorf("apply %s, number %d of %d: %w", title(object), i+1, len(objects), err)
		}
		logger.InfoContext(ctx, "hook applied an object", "object", title(object))
	}
	return nil
}

// one applies an object, and again for a while if its kind is not served.
func (a *applier) one(ctx context.Context, object *unstructured.Unstructured) error {
	var last error
	left := kindRetries
	err := wait.PollUntilContextCancel(ctx, kindPoll, true, func(ctx context.Context) (bool, error) {
		last = a.try(ctx, object)
		if left--; unserved(last) && left > 0 {
			a.mapper.Reset()
			return false, nil
		}
		return true, last
	})
	if last != nil {
		return last // it says more than that the time is over
	}
	return err
}

func (a *applier) try(ctx context.Context, object *unstructured.Unstructured) error {
	gvk := object.GroupVersionKind()
	mapping, err := a.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return err
	}
	var resource dynamic.ResourceInterface = a.client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		if object.GetNamespace() == "" {
			object.SetNamespace(metav1.NamespaceDefault)
		}
		resource = a.client.Resource(mapping.Resource).Namespace(object.GetNamespace())
	}
	if err := checkPlace(object); err != nil {
		return err
	}
	_, err = resource.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: simkubev1.FieldManager, Force: true})
	return err
}

// unserved tells an unknown kind from an object, or its namespace, that is missing.
func unserved(err error) bool {
	return meta.IsNoMatchError(err) || apierrors.IsNotFound(err) && apierrors.IsUnexpectedServerError(err)
}
