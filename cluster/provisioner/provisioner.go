package provisioner

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"simkube.io/simkube/cluster/controlplane"
)

// name is the name of the component.
const name = "volume-provisioner"

// workers is the number of claims and volumes that are worked on at a time.
const workers = 4

// Options configure the component. The zero value is valid.
type Options struct {
	// DefaultClass, if not empty, is the name of a StorageClass that is created, as the default class,
	// before the component is ready. A class that exists is not changed.
	DefaultClass string
}

// Component returns the component for controlplane.Options.
func Component(opts Options) controlplane.Component {
	return controlplane.Component{
		Name:  name,
		Rules: rules(),
		Start: func(_ context.Context, access controlplane.Access) (controlplane.Instance, error) {
			p, err := newProvisioner(access, opts)
			if err != nil {
				return controlplane.Instance{}, err
			}
			return controlplane.Instance{Run: p.run, Ready: p.ready}, nil
		},
	}
}

// rules returns what the component may do.
func rules() []rbacv1.PolicyRule {
	rule := func(group, resource string, verbs ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs}
	}
	return []rbacv1.PolicyRule{
		rule(corev1.GroupName, "persistentvolumeclaims", "list", "watch", "patch"),
		rule(corev1.GroupName, "persistentvolumeclaims/status", "update"),
		rule(corev1.GroupName, "persistentvolumes", "list", "watch", "create", "update", "delete"),
		rule(corev1.GroupName, "nodes", "get"),
		rule(storagev1.GroupName, "storageclasses", "list", "watch", "create"),
		rule(storagev1.GroupName, "csidrivers", "list", "watch"),
		rule(storagev1.GroupName, "csinodes", "get"),
		rule(storagev1.GroupName, "csistoragecapacities", "create"),
	}
}

// item is a claim, a volume or a class in the queue.
type item struct {
	kind kind
	name cache.ObjectName
}

type kind uint8

const (
	claimKind kind = iota
	volumeKind
	classKind
)

// provisioner is the running component.
type provisioner struct {
	opts    Options
	log     *slog.Logger
	client  kubernetes.Interface
	factory informers.SharedInformerFactory
	synced  []cache.InformerSynced
	queue   workqueue.TypedRateLimitingInterface[item]

	claims  corelisters.PersistentVolumeClaimLister
	volumes corelisters.PersistentVolumeLister
	classes storagelisters.StorageClassLister
	drivers storagelisters.CSIDriverLister
}

func newProvisioner(access controlplane.Access, opts Options) (*provisioner, error) {
	config := rest.CopyConfig(access.Config)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(withoutManagedFields))
	p := &provisioner{
		opts:    opts,
		log:     slog.New(slog.NewTextHandler(access.Log, nil)).With("component", name),
		client:  client,
		factory: factory,
		queue:   workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[item]()),
		claims:  factory.Core().V1().PersistentVolumeClaims().Lister(),
		volumes: factory.Core().V1().PersistentVolumes().Lister(),
		classes: factory.Storage().V1().StorageClasses().Lister(),
		drivers: factory.Storage().V1().CSIDrivers().Lister(),
	}
	for _, watched := range []struct {
		informer cache.SharedIndexInformer
		enqueue  func(cache.ObjectName)
	}{
		{factory.Core().V1().PersistentVolumeClaims().Informer(), p.enqueuer(claimKind)},
		{factory.Core().V1().PersistentVolumes().Informer(), p.enqueuer(volumeKind)},
		{factory.Storage().V1().StorageClasses().Informer(), p.enqueuer(classKind)},
		{factory.Storage().V1().CSIDrivers().Informer(), p.enqueueClasses},
	} {
		if err := p.watch(watched.informer, watched.enqueue); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// withoutManagedFields keeps the caches small.
func withoutManagedFields(object any) (any, error) {
	if accessor, err := meta.Accessor(object); err == nil {
		accessor.SetManagedFields(nil)
	}
	return object, nil
}

// watch calls enqueue for each object that is added or changed. Nothing needs to be done for one
// that was deleted.
func (p *provisioner) watch(informer cache.SharedIndexInformer, enqueue func(cache.ObjectName)) error {
	handle := func(object any) {
		if name, err := cache.ObjectToName(object); err == nil {
			enqueue(name)
		}
	}
	registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    handle,
		UpdateFunc: func(_, object any) { handle(object) },
	})
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	p.synced = append(p.synced, registration.HasSynced)
	return nil
}

func (p *provisioner) enqueuer(kind kind) func(cache.ObjectName) {
	return func(name cache.ObjectName) { p.queue.Add(item{kind, name}) }
}

// run works until ctx ends.
func (p *provisioner) run(ctx context.Context) error {
	p.factory.StartWithContext(ctx)
	defer p.factory.Shutdown()
	if !cache.WaitForNamedCacheSyncWithContext(ctx, p.synced...) {
		return nil
	}
	var working sync.WaitGroup
	for range workers {
		working.Go(func() {
			for p.work(ctx) {
			}
		})
	}
	<-ctx.Done()
	p.queue.ShutDown()
	working.Wait()
	return nil
}

// ready waits until claims are seen, and creates the default class.
func (p *provisioner) ready(ctx context.Context) error {
	if !cache.WaitForNamedCacheSyncWithContext(ctx, p.synced...) {
		return context.Cause(ctx)
	}
	return p.createDefaultClass(ctx)
}

// work handles the next item of the queue, and reports whether there may be more.
func (p *provisioner) work(ctx context.Context) bool {
	next, shutdown := p.queue.Get()
	if shutdown {
		return false
	}
	defer p.queue.Done(next)
	if err := p.sync(ctx, next); err != nil {
		if ctx.Err() == nil {
			p.log.WarnContext(ctx, "try again", "object", next.name.String(), "error", err)
			p.queue.AddRateLimited(next)
		}
		return true
	}
	p.queue.Forget(next)
	return true
}

func (p *provisioner) sync(ctx context.Context, next item) error {
	switch next.kind {
	case claimKind:
		return p.syncClaim(ctx, next.name.Namespace, next.name.Name)
	case volumeKind:
		return p.syncVolume(ctx, next.name.Name)
	default:
		return p.syncClass(ctx, next.name.Name)
	}
}
