package provisioner

import (
	"context"
	"fmt"

	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/cache"
)

const (
	annotationDefault = "storageclass.kubernetes.io/is-default-class"
	// capacityNamespace is where the capacities of classes are.
	capacityNamespace = metav1.NamespaceSystem
)

// unlimited is more storage than claims request.
var unlimited = resource.MustParse("1Ei")

// createDefaultClass creates the default class, if there is to be one.
func (p *provisioner) createDefaultClass(ctx context.Context) error {
	if p.opts.DefaultClass == "" {
		return nil
	}
	class := &storagev1.StorageClass{
		ObjectMeta:           metav1.ObjectMeta{Name: p.opts.DefaultClass, Annotations: map[string]string{annotationDefault: "true"}},
		Provisioner:          simulatedDriver,
		AllowVolumeExpansion: new(true),
		VolumeBindingMode:    new(storagev1.VolumeBindingWaitForFirstConsumer),
	}
	_, err := p.client.StorageV1().StorageClasses().Create(ctx, class, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create class %s: %w", class.Name, err)
	}
	return nil
}

// enqueueClasses adds all classes to the queue. It is called for a driver that was added or
// changed.
func (p *provisioner) enqueueClasses(cache.ObjectName) {
	classes, err := p.classes.List(labels.Everything())
	if err != nil {
		return // a cache returns no errors
	}
	for _, class := range classes {
		p.queue.Add(item{classKind, cache.ObjectName{Name: class.Name}})
	}
}

// syncClass looks at the claims of a class that was added or changed, and publishes its capacity.
func (p *provisioner) syncClass(ctx context.Context, name string) error {
	class, err := p.classes.Get(name)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return err
	}
	claims, err := p.claims.List(labels.Everything())
	if err != nil {
		return err
	}
	for _, claim := range claims {
		if claim.Spec.VolumeName == "" && classOf(claim) == name {
			p.queue.Add(item{claimKind, cache.MetaObjectToName(claim)})
		}
	}
	return p.publishCapacity(ctx, class)
}

// publishCapacity publishes the capacity of a class whose driver tracks it: the scheduler chooses
// only nodes with enough capacity for a claim, of which there are none if nothing is published. The
// capacity is deleted with the class.
func (p *provisioner) publishCapacity(ctx context.Context, class *storagev1.StorageClass) error {
	driver, err := p.drivers.Get(class.Provisioner)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return err
	case driver.Spec.StorageCapacity == nil || !*driver.Spec.StorageCapacity:
		return nil
	}
	capacity := &storagev1.CSIStorageCapacity{
		ObjectMeta: metav1.ObjectMeta{
			Name:            "simulated-" + string(class.UID),
			Namespace:       capacityNamespace,
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "storage.k8s.io/v1", Kind: "StorageClass", Name: class.Name, UID: class.UID}},
		},
		StorageClassName: class.Name,
		NodeTopology:     &metav1.LabelSelector{},
		Capacity:         &unlimited,
	}
	_, err = p.client.StorageV1().CSIStorageCapacities(capacityNamespace).Create(ctx, capacity, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("publish the capacity of class %s: %w", class.Name, err)
	}
	return nil
}
