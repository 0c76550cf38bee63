package mutate

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
)

// ClusterOwners looks up owners in a cluster.
type ClusterOwners struct {
	client metadata.Interface
	mapper meta.RESTMapper
}

// NewClusterOwners returns an OwnerGetter for a client and a mapper, which must be safe for
// concurrent use.
func NewClusterOwners(client metadata.Interface, mapper meta.RESTMapper) *ClusterOwners {
	return &ClusterOwners{client: client, mapper: mapper}
}

// GetOwner implements OwnerGetter.
func (o *ClusterOwners) GetOwner(ctx context.Context, ref metav1.OwnerReference, namespace string) (*metav1.PartialObjectMetadata, error) {
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return nil, err
	}
	mapping, err := o.mapper.RESTMapping(gv.WithKind(ref.Kind).GroupKind(), gv.Version)
	if meta.IsNoMatchError(err) {
		// The kind may have been added after the mapper's last discovery.
		meta.MaybeResetRESTMapper(o.mapper)
		mapping, err = o.mapper.RESTMapping(gv.WithKind(ref.Kind).GroupKind(), gv.Version)
	}
	if err != nil {
		return nil, err
	}
	// The API server accepts any text as an owner's name, and the metadata client uses it in a path.
	for _, segment := range []string{namespace, ref.Name} {
		if problems := content.IsPathSegmentName(segment); len(problems) > 0 {
			return nil, apierrors.NewNotFound(mapping.Resource.GroupResource(), segment)
		}
	}
	resource := o.client.Resource(mapping.Resource)
	var object *metav1.PartialObjectMetadata
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		object, err = resource.Namespace(namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	} else {
		object, err = resource.Get(ctx, ref.Name, metav1.GetOptions{})
	}
	if err != nil {
		return nil, err
	}
	if object.UID != ref.UID {
		return nil, fmt.Errorf("has UID %s now: %w", object.UID, apierrors.NewNotFound(mapping.Resource.GroupResource(), ref.Name))
	}
	return object, nil
}
