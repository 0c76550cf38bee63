package action

import (
	"context"
	"fmt"
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
	// The API server serves a new kind shortly after its definition was applied. Until then requests
	// for it fail.
	kindPoll    = 250 * time.Millisecond
	kindRetries = 40
)

// apply applies manifests server-side and takes over fields that others own.
type apply struct{ *simkubev1.ApplyAction }

func (a apply) Validate() error {
	_, err := parseManifests(a.Manifests)
	return err
}

func (a apply) Run(ctx context.Context, env Env) (Result, error) {
	objects, err := parseManifests(a.Manifests)
	if err != nil {
		return noProcess(), err
	}
	applier, err := newApplier(env.Config)
	if err != nil {
		return noProcess(), err
	}
	for i, object := range objects {
		if err := applier.apply(ctx, object); err != nil {
			return noProcess(), fmt.Errorf("apply %s, number %d of %d: %w", title(object), i+1, len(objects), err)
		}
		env.Logger.InfoContext(ctx, "applied an object", "object", title(object))
	}
	return noProcess(), nil
}

// applier applies objects to a cluster.
type applier struct {
	mapper *restmapper.DeferredDiscoveryRESTMapper
	client dynamic.Interface
}

func newApplier(config *rest.Config) (*applier, error) {
	http, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make HTTP client: %w", err)
	}
	kinds, err := discovery.NewDiscoveryClientForConfigAndClient(config, http)
	if err != nil {
		return nil, fmt.Errorf("make discovery client: %w", err)
	}
	client, err := dynamic.NewForConfigAndClient(config, http)
	if err != nil {
		return nil, fmt.Errorf("make dynamic client: %w", err)
	}
	return &applier{mapper: restmapper.NewDeferredDiscoveryRESTMapper(discoverycache.NewMemCacheClient(kinds)), client: client}, nil
}

// apply applies an object. It retries for a while if the kind is not served.
func (a *applier) apply(ctx context.Context, object *unstructured.Unstructured) error {
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
		return last // more specific than the end of ctx
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
	if err := validatePlace(object); err != nil {
		return err
	}
	_, err = resource.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: simkubev1.FieldManager, Force: true})
	return err
}

// unserved reports whether an error is about an unknown kind, and not about an object or a
// namespace that does not exist.
func unserved(err error) bool {
	return meta.IsNoMatchError(err) || apierrors.IsNotFound(err) && apierrors.IsUnexpectedServerError(err)
}
