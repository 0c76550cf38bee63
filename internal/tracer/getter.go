package tracer

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"simkube.io/simkube/internal/tracer/manifest"
)

// Limits of the requests for owners.
const (
	getterQPS   = 50
	getterBurst = 100
	// getterTimeout is the timeout of a request, during which the events after the object wait.
	getterTimeout = 10 * time.Second
)

// clusterGetter requests the metadata of single objects from an API server. It is safe for
// concurrent use.
type clusterGetter struct {
	metadata  metadata.Interface
	discovery discovery.DiscoveryInterface

	mu        sync.Mutex // guards resources
	resources map[schema.GroupVersionKind]metav1.APIResource
}

func newClusterGetter(cluster *rest.Config) (*clusterGetter, error) {
	config := rest.CopyConfig(cluster)
	config.QPS, config.Burst, config.Timeout = getterQPS, getterBurst, getterTimeout
	meta, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	disco, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	return &clusterGetter{metadata: meta, discovery: disco, resources: map[schema.GroupVersionKind]metav1.APIResource{}}, nil
}

// get implements ownerGetter.
func (g *clusterGetter) get(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*manifest.Head, error) {
	// All of these can be chosen by anyone who can write an owner reference.
	for _, segment := range []string{gvk.Group, gvk.Version, namespace, name} {
		if reasons := content.IsPathSegmentName(segment); len(reasons) > 0 {
			return nil, &unusableNameError{name: segment, reason: reasons[0]}
		}
	}
	resource, err := g.resource(gvk)
	if err != nil {
		return nil, err
	}
	var client metadata.ResourceInterface
	getter := g.metadata.Resource(gvk.GroupVersion().WithResource(resource.Name))
	client = getter
	if resource.Namespaced {
		client = getter.Namespace(namespace)
	}
	object, err := client.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("get %s %s: %w", gvk.Kind, name, err)
	}
	head := &manifest.Head{Namespace: object.Namespace, Name: object.Name, UID: string(object.UID)}
	for _, ref := range object.OwnerReferences {
		head.Owners = append(head.Owners, manifest.OwnerReference{
			APIVersion: ref.APIVersion, Kind: ref.Kind, Name: ref.Name, UID: string(ref.UID),
			Controller: ref.Controller != nil && *ref.Controller,
		})
	}
	return head, nil
}

// resource returns the resource of a kind on the API server. A kind that does not exist is
// requested again the next time.
func (g *clusterGetter) resource(gvk schema.GroupVersionKind) (metav1.APIResource, error) {
	g.mu.Lock()
	resource, ok := g.resources[gvk]
	g.mu.Unlock()
	if ok {
		return resource, nil
	}
	list, err := g.discovery.ServerResourcesForGroupVersion(gvk.GroupVersion().String())
	if apierrors.IsNotFound(err) {
		return metav1.APIResource{}, &unknownKindError{gvk: gvk}
	}
	if err != nil {
		return metav1.APIResource{}, fmt.Errorf("find the resource of %s: %w", gvk.Kind, err)
	}
	for _, r := range list.APIResources {
		if r.Kind == gvk.Kind && len(content.IsPathSegmentName(r.Name)) == 0 {
			g.mu.Lock()
			g.resources[gvk] = r
			g.mu.Unlock()
			return r, nil
		}
	}
	return metav1.APIResource{}, &unknownKindError{gvk: gvk}
}
