package standin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/lifecycle"
	"simkube.io/simkube/trace"
)

// workers is how many workloads are handled at a time.
const workers = 8

// Options are the options of a Controller. All but Log are required.
type Options struct {
	// Config is that of the trace: it has the paths of the pod templates.
	Config *trace.Config
	// Lifecycles are the recorded lifecycles; nil means none.
	Lifecycles *lifecycle.Store
	// Root is the UID of the root of the simulation. Objects that it does not own are left alone.
	Root types.UID
	// Made reports whether the trace itself has what the workload makes, such as its pods.
	Made func(owner trace.PodOwner) bool
	// Elapsed converts a time of the clock to a time of the trace, in unix seconds.
	Elapsed func(now time.Time) int64
	// Until converts a time of the trace to a time of the clock.
	Until func(trace int64) time.Time
	Clock clock.WithTicker
	// Log logs what fails; nil discards it.
	Log *slog.Logger
}

// Custom reports whether the pods of a kind are made by a stand-in, if its objects have pod
// templates: the kind is not one of Kubernetes.
func Custom(kind schema.GroupKind) bool {
	switch kind.Group {
	case "", "apps", "batch":
		return false
	}
	return true
}

// Controller makes pods until it is stopped.
type Controller struct {
	opts    Options
	dynamic dynamic.Interface
	client  kubernetes.Interface
	queue   workqueue.TypedRateLimitingInterface[key]

	ctx     context.Context //nolint:containedctx // of the goroutines of the controller
	cancel  context.CancelFunc
	running sync.WaitGroup
	pods    cache.SharedIndexInformer
	factory informers.SharedInformerFactory

	mu        sync.Mutex // guards the rest
	watches   map[schema.GroupKind]watch
	workloads map[key]*state
	made      Made
}

// watch is the informer of a kind.
type watch struct {
	gvk      schema.GroupVersionKind
	resource schema.GroupVersionResource
	objects  cache.SharedIndexInformer
}

// key identifies a workload.
type key struct {
	kind            schema.GroupKind
	namespace, name string
}

// Made is what a Controller has made so far.
type Made struct {
	Pods int
	// Workloads is the number of workloads that have had pods, by kind.
	Workloads map[schema.GroupKind]int
}

// byOwner is the index of pods by the UID of their owner.
const byOwner = "owner"

// Start returns a Controller for a cluster. It watches nothing before Watch is called.
func Start(ctx context.Context, config *rest.Config, opts Options) (*Controller, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = -1, -1
	config.WarningHandlerWithContext = rest.NoWarnings{}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make dynamic client: %w", err)
	}
	typed := rest.CopyConfig(config)
	typed.ContentType = "application/vnd.kubernetes.protobuf"
	typed.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	client, err := kubernetes.NewForConfig(typed)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	return start(ctx, objects, client, opts), nil
}

func start(ctx context.Context, objects dynamic.Interface, client kubernetes.Interface, opts Options) *Controller {
	c := &Controller{
		opts: opts, dynamic: objects, client: client,
		queue: workqueue.NewTypedRateLimitingQueueWithConfig(
			workqueue.NewTypedItemExponentialFailureRateLimiter[key](firstRetry, lastRetry),
			workqueue.TypedRateLimitingQueueConfig[key]{Clock: opts.Clock}),
		watches:   map[schema.GroupKind]watch{},
		workloads: map[key]*state{},
		made:      Made{Workloads: map[schema.GroupKind]int{}},
	}
	c.ctx, c.cancel = context.WithCancel(ctx)
	return c
}

// firstRetry and lastRetry are the times after which a pod that was refused is tried again, as for
// the pods of a ReplicaSet.
const (
	firstRetry = 5 * time.Millisecond
	lastRetry  = 1000 * time.Second
)

// Stop stops the controller and waits until it has stopped.
func (c *Controller) Stop() {
	c.cancel()
	c.queue.ShutDown()
	c.running.Wait()
	if c.factory != nil {
		c.factory.Shutdown()
	}
}

// Made returns what the controller has made so far.
func (c *Controller) Made() Made {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := Made{Pods: c.made.Pods, Workloads: map[schema.GroupKind]int{}}
	for kind, n := range c.made.Workloads {
		made.Workloads[kind] = n
	}
	return made
}

// Watch must be called when an object was applied. If its kind is that of custom workloads, the
// controller watches the kind from now on.
func (c *Controller) Watch(gvk schema.GroupVersionKind, resource schema.GroupVersionResource) {
	if !Custom(gvk.GroupKind()) || len(c.opts.Config.PodSpecTemplatePaths(gvk)) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.watches[gvk.GroupKind()]; ok || c.ctx.Err() != nil {
		return
	}
	first := len(c.watches) == 0
	if first {
		if err := c.watchPods(); err != nil {
			c.opts.Log.ErrorContext(c.ctx, "cannot watch the pods of custom workloads", "error", err)
			return
		}
	}
	w := watch{gvk: gvk, resource: resource}
	w.objects = dynamicinformer.NewFilteredDynamicInformer(c.dynamic, resource, metav1.NamespaceAll, 0, cache.Indexers{}, nil).Informer()
	if err := c.handle(w); err != nil {
		c.opts.Log.ErrorContext(c.ctx, "cannot watch custom workloads", "kind", gvk.Kind, "error", err)
		return
	}
	c.watches[gvk.GroupKind()] = w
	c.running.Go(func() { w.objects.RunWithContext(c.ctx) })
	if first {
		for range workers {
			c.running.Go(c.work)
		}
	}
}

// watchPods starts to watch the pods that the controller makes.
func (c *Controller) watchPods() error {
	c.factory = informers.NewSharedInformerFactoryWithOptions(c.client, 0,
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = simkubev1.LabelStandIn + "=true" }),
		informers.WithTransform(onlyStatus))
	c.pods = c.factory.Core().V1().Pods().Informer()
	if err := c.pods.AddIndexers(cache.Indexers{byOwner: ownerUID}); err != nil {
		return err
	}
	again := func(object any) {
		if pod, ok := object.(*corev1.Pod); ok {
			c.changed(pod)
		}
	}
	_, err := c.pods.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    again,
		UpdateFunc: func(_, object any) { again(object) },
		DeleteFunc: func(object any) {
			if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = unknown.Obj
			}
			if pod, ok := object.(*corev1.Pod); ok {
				c.gone(pod)
			}
		},
	})
	if err != nil {
		return err
	}
	c.factory.StartWithContext(c.ctx)
	return nil
}

// onlyStatus removes from a pod what the controller does not need.
func onlyStatus(object any) (any, error) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return object, nil
	}
	small := &corev1.Pod{Status: corev1.PodStatus{Phase: pod.Status.Phase}, Spec: corev1.PodSpec{NodeName: pod.Spec.NodeName}}
	small.ObjectMeta = metav1.ObjectMeta{
		Name: pod.Name, Namespace: pod.Namespace, UID: pod.UID, ResourceVersion: pod.ResourceVersion,
		CreationTimestamp: pod.CreationTimestamp, DeletionTimestamp: pod.DeletionTimestamp,
		OwnerReferences: pod.OwnerReferences,
		Annotations: map[string]string{
			simkubev1.AnnotationStandInTemplate:   pod.Annotations[simkubev1.AnnotationStandInTemplate],
			simkubev1.AnnotationStageCompleteTime: pod.Annotations[simkubev1.AnnotationStageCompleteTime],
		},
	}
	return small, nil
}

func ownerUID(object any) ([]string, error) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return nil, errors.New("not a pod")
	}
	if ref := metav1.GetControllerOf(pod); ref != nil {
		return []string{string(ref.UID)}, nil
	}
	return nil, nil
}

func (c *Controller) handle(w watch) error {
	kind := w.gvk.GroupKind()
	add := func(object any) {
		if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = unknown.Obj
		}
		if u, ok := object.(*unstructured.Unstructured); ok {
			c.queue.Add(key{kind, u.GetNamespace(), u.GetName()})
		}
	}
	_, err := w.objects.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: add, UpdateFunc: func(_, object any) { add(object) }, DeleteFunc: add,
	})
	return err
}

// changed handles a pod that was added or changed.
func (c *Controller) changed(pod *corev1.Pod) {
	if k, ok := keyOf(pod); ok {
		c.queue.Add(k)
	}
}

// gone handles a pod that was deleted.
func (c *Controller) gone(pod *corev1.Pod) {
	k, ok := keyOf(pod)
	if !ok {
		return
	}
	c.mu.Lock()
	if s := c.workloads[k]; s != nil {
		delete(s.created, pod.UID)
	}
	c.mu.Unlock()
	c.queue.Add(k)
}

func keyOf(pod *corev1.Pod) (key, bool) {
	ref := metav1.GetControllerOf(pod)
	if ref == nil {
		return key{}, false
	}
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	return key{gv.WithKind(ref.Kind).GroupKind(), pod.Namespace, ref.Name}, err == nil
}

// work handles workloads until the controller stops.
func (c *Controller) work() {
	if !cache.WaitForCacheSync(c.ctx.Done(), c.pods.HasSynced) {
		return
	}
	for {
		k, stopped := c.queue.Get()
		if stopped {
			return
		}
		switch err := c.reconcile(k); {
		case c.ctx.Err() != nil:
		case err != nil:
			c.opts.Log.DebugContext(c.ctx, "try a custom workload again", "kind", k.kind.Kind, "namespace", k.namespace, "name", k.name, "error", err)
			c.queue.AddRateLimited(k)
		default:
			c.queue.Forget(k)
		}
		c.queue.Done(k)
	}
}
