package mutate

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"
)

// ClusterOwners looks owners up in a cluster.
type ClusterOwners struct {
	client metadata.Interface
	mapper meta.RESTMapper
}

// NewClusterOwners makes an OwnerGetter of a client and a mapper, which must be safe for concurrent use.
func NewClusterOwners(client metadata.Interface, mapper meta.RESTMapper) *ClusterOwners {
	return &ClusterOwners{client: client, mapper: mapper}
}

// GetOwner implements OwnerGetter.
func (o *ClusterOwners) GetOwner(ctx context.Context, ref metav1.OwnerReference, namespace string) (*metav1.PartialObjectMetadata, error) {
	return nil, errors.ErrUnsupported
}
