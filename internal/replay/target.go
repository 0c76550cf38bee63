package replay

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	simkubev1 "simkube.io/simkube/api/v1"
)

// requestTimeout bounds one request. It also bounds how long a cancelled run waits for an API
// server that does not respond: requests under way are finished, so that their results are known.
const requestTimeout = 15 * time.Second

// place is the resource, namespace and name of an object in a cluster. The namespace is empty for a
// cluster-scoped object.
type place struct {
	resource        schema.GroupVersionResource
	namespace, name string
}

// target is a cluster, for the engine. All methods may be called concurrently. They return an
// error, and send no request, if a namespace or a name cannot be part of a URL.
type target interface {
	// mapping finds a kind. For an unknown kind, meta.IsNoMatchError holds for the error.
	mapping(gvk schema.GroupVersionKind) (*meta.RESTMapping, error)
	// refresh makes mapping discover the kinds of the cluster again.
	refresh()
	get(ctx context.Context, at place) (*metav1.PartialObjectMetadata, error)
	// apply sends a forced server-side apply and returns the metadata of the object.
	apply(ctx context.Context, at place, body []byte) (*metav1.PartialObjectMetadata, error)
	// mergeStatus merges a JSON merge patch with a status into an object.
	mergeStatus(ctx context.Context, at place, patch []byte) error
	// resize sets the resources of the containers of a pod to those of a manifest, in place. It
	// reports whether any of them differ.
	resize(ctx context.Context, at place, body []byte) (bool, error)
	// tryCreate returns the error that create would return, and creates nothing.
	tryCreate(ctx context.Context, at place, object *unstructured.Unstructured) error
	create(ctx context.Context, at place, object *unstructured.Unstructured) (*unstructured.Unstructured, error)
	delete(ctx context.Context, at place, opts metav1.DeleteOptions) error
	deleteCollection(ctx context.Context, in place, opts metav1.DeleteOptions, selector string) error
	list(ctx context.Context, resource schema.GroupVersionResource, selector string) ([]metav1.PartialObjectMetadata, error)
	// kinds returns the kinds whose objects can be listed and deleted. With an error, it returns those
	// found.
	kinds() ([]kind, error)
	// pods returns a client to watch pods with.
	pods() kubernetes.Interface
}

// kind is a kind of the cluster.
type kind struct {
	gvk        schema.GroupVersionKind
	resource   schema.GroupVersionResource
	namespaced bool
}

// cluster is a real cluster. Applies use the metadata client, which does not decode the whole
// response.
type cluster struct {
	discovery discovery.DiscoveryInterface
	mapper    *restmapper.DeferredDiscoveryRESTMapper
	metadata  metadata.Interface
	dynamic   dynamic.Interface
	typed     kubernetes.Interface
}

func newCluster(config *rest.Config) (*cluster, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = -1, -1
	config.Timeout = 0
	config.WarningHandlerWithContext = rest.NoWarnings{}
	http, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make HTTP client: %w", err)
	}
	c := &cluster{}
	disco, err := discovery.NewDiscoveryClientForConfigAndClient(config, http)
	if err != nil {
		return nil, fmt.Errorf("make discovery client: %w", err)
	}
	c.discovery = disco
	c.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(disco))
	if c.metadata, err = metadata.NewForConfigAndClient(config, http); err != nil {
		return nil, fmt.Errorf("make metadata client: %w", err)
	}
	if c.dynamic, err = dynamic.NewForConfigAndClient(config, http); err != nil {
		return nil, fmt.Errorf("make dynamic client: %w", err)
	}
	if c.typed, err = kubernetes.NewForConfigAndClient(config, http); err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	return c, nil
}

func (c *cluster) mapping(gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	return c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
}

func (c *cluster) refresh() { c.mapper.Reset() }

// at returns the client for a place. Every request for one object must use it, since the metadata
// client does not check names.
func (c *cluster) at(p place) (metadata.ResourceInterface, error) {
	if err := checkNames(p.namespace, p.name); err != nil {
		return nil, &taskError{Malformed, err}
	}
	if p.namespace == "" {
		return c.metadata.Resource(p.resource), nil
	}
	return c.metadata.Resource(p.resource).Namespace(p.namespace), nil
}

func (c *cluster) get(ctx context.Context, at place) (*metav1.PartialObjectMetadata, error) {
	resource, err := c.at(at)
	if err != nil {
		return nil, err
	}
	ctx, cancel := outlive(ctx)
	defer cancel()
	return resource.Get(ctx, at.name, metav1.GetOptions{})
}

func (c *cluster) apply(ctx context.Context, at place, body []byte) (*metav1.PartialObjectMetadata, error) {
	resource, err := c.at(at)
	if err != nil {
		return nil, err
	}
	ctx, cancel := outlive(ctx)
	defer cancel()
	return resource.Patch(ctx, at.name, types.ApplyPatchType, body, metav1.PatchOptions{
		FieldManager: simkubev1.FieldManager,
		Force:        new(true),
	})
}

func (c *cluster) mergeStatus(ctx context.Context, at place, patch []byte) error {
	resource, err := c.at(at)
	if err != nil {
		return err
	}
	ctx, cancel := outlive(ctx)
	defer cancel()
	_, err = resource.Patch(ctx, at.name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: simkubev1.FieldManager}, "status")
	return err
}

func (c *cluster) tryCreate(ctx context.Context, at place, object *unstructured.Unstructured) error {
	_, err := c.createWith(ctx, at, object, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	return err
}

func (c *cluster) create(ctx context.Context, at place, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return c.createWith(ctx, at, object, metav1.CreateOptions{})
}

func (c *cluster) createWith(ctx context.Context, at place, object *unstructured.Unstructured, opts metav1.CreateOptions) (*unstructured.Unstructured, error) {
	if err := checkNames(at.namespace, at.name); err != nil {
		return nil, &taskError{Malformed, err}
	}
	ctx, cancel := outlive(ctx)
	defer cancel()
	opts.FieldManager = simkubev1.FieldManager
	if at.namespace == "" {
		return c.dynamic.Resource(at.resource).Create(ctx, object, opts)
	}
	return c.dynamic.Resource(at.resource).Namespace(at.namespace).Create(ctx, object, opts)
}

func (c *cluster) delete(ctx context.Context, at place, opts metav1.DeleteOptions) error {
	resource, err := c.at(at)
	if err != nil {
		return err
	}
	ctx, cancel := outlive(ctx)
	defer cancel()
	return resource.Delete(ctx, at.name, opts)
}

func (c *cluster) deleteCollection(ctx context.Context, in place, opts metav1.DeleteOptions, selector string) error {
	resource, err := c.at(in)
	if err != nil {
		return err
	}
	return resource.DeleteCollection(ctx, opts, metav1.ListOptions{LabelSelector: selector})
}

func (c *cluster) list(ctx context.Context, resource schema.GroupVersionResource, selector string) ([]metav1.PartialObjectMetadata, error) {
	var items []metav1.PartialObjectMetadata
	opts := metav1.ListOptions{LabelSelector: selector, Limit: 1000}
	for {
		page, err := c.metadata.Resource(resource).List(ctx, opts)
		if err != nil {
			return nil, err
		}
		items = append(items, page.Items...)
		if opts.Continue = page.Continue; opts.Continue == "" {
			return items, nil
		}
	}
}

func (c *cluster) kinds() ([]kind, error) {
	lists, err := discovery.ServerPreferredResources(c.discovery)
	var kinds []kind
	for _, list := range discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list", "delete"}}, lists) {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for _, r := range list.APIResources {
			kinds = append(kinds, kind{gvk: gv.WithKind(r.Kind), resource: gv.WithResource(r.Name), namespaced: r.Namespaced})
		}
	}
	return kinds, err
}

func (c *cluster) pods() kubernetes.Interface { return c.typed }

// outlive returns a context for one request that changes something, or is needed for a change. The
// context does not end with ctx, but after requestTimeout.
func outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
}
