package results

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// failedCreate selects the events of controllers that could not create a pod.
const failedCreate = "reason=FailedCreate"

// maxFailed is how many of these events wait to be recorded.
const maxFailed = 100

// CreateFailed records how many pods a controller lacks that could not create one, which an event
// says. It returns before that is done, unless many events wait.
func (o *Observer) CreateFailed(ctx context.Context, event *corev1.Event) {
	select {
	case o.failed <- event:
	case <-o.closed:
	case <-ctx.Done():
	}
}

// takeFailures records events until ctx ends.
func (o *Observer) takeFailures(ctx context.Context) {
	for {
		select {
		case event := <-o.failed:
			o.creationFailed(ctx, event)
		case <-ctx.Done():
			return
		}
	}
}

// takeRest records the events that still wait.
func (o *Observer) takeRest(ctx context.Context) {
	for {
		select {
		case event := <-o.failed:
			o.creationFailed(ctx, event)
		default:
			return
		}
	}
}

// failuresFrom lists and watches these events.
func (o *Observer) failuresFrom() *cache.ListWatch {
	events := o.client.CoreV1().Events(metav1.NamespaceAll)
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
			opts.FieldSelector = failedCreate
			return events.List(ctx, opts)
		},
		WatchFuncWithContext: func(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
			opts.FieldSelector = failedCreate
			return events.Watch(ctx, opts)
		},
	}
}

// creationFailed records an event, with how many pods its controller lacks now.
func (o *Observer) creationFailed(ctx context.Context, event *corev1.Event) {
	of := &event.InvolvedObject
	if _, ok := o.recordedNamespace(of.Namespace); !ok {
		return
	}
	if o.opts.Ignore != nil && o.opts.Ignore(event.Message) {
		return
	}
	o.controllers.Store(of.UID, *of)
	o.lookAt(ctx, of, creationMessage(event.Message))
}

// lookAt records how many pods a controller lacks.
func (o *Observer) lookAt(ctx context.Context, of *corev1.ObjectReference, message string) {
	meta, missing, err := o.lacking(ctx, of)
	now := o.opts.Clock.Now()
	switch {
	case apierrors.IsNotFound(err), err == nil && meta != nil && meta.UID != of.UID:
		o.rec.CreationFailed(now, of.UID, o.controllerOwner(of, nil), 1, message, true)
	case err != nil:
		o.opts.Logger.DebugContext(ctx, "a controller that cannot create pods was not found", "kind", of.Kind, "error", err)
		o.rec.CreationFailed(now, of.UID, o.controllerOwner(of, nil), 1, message, false)
	default:
		o.rec.CreationFailed(now, of.UID, o.controllerOwner(of, meta), missing, message, false)
	}
}

// lookAgain looks at all controllers that could not create pods.
func (o *Observer) lookAgain(ctx context.Context) {
	for _, uid := range o.rec.failing() {
		if of, ok := o.controllers.Load(uid); ok {
			reference := of.(corev1.ObjectReference)
			o.lookAt(ctx, &reference, "")
		}
	}
}

// recordedNamespace returns the recorded name of a namespace, and whether it belongs to the
// simulation. Others in a shared cluster have failures of their own.
func (o *Observer) recordedNamespace(namespace string) (string, bool) {
	if o.opts.Namespace == nil {
		return namespace, true
	}
	return o.opts.Namespace(namespace)
}

// controllerOwner returns the owner of the pods that a controller makes: its own controller, if it
// has one.
func (o *Observer) controllerOwner(of *corev1.ObjectReference, meta *metav1.ObjectMeta) Owner {
	namespace, _ := o.recordedNamespace(of.Namespace)
	owner := Owner{Namespace: namespace, Kind: of.Kind, Name: of.Name}
	if meta != nil {
		if ref := ownerRef(&corev1.Pod{ObjectMeta: *meta}); ref != nil {
			owner.Kind, owner.Name = ref.Kind, ref.Name
		}
	} else if name, ok := cronJobName(of.Name); ok && of.Kind == kindJob {
		owner.Kind, owner.Name = kindCronJob, name
	}
	return owner
}

// lacking returns how many pods a controller lacks, and its metadata. Of kinds that are not known
// it lacks one.
func (o *Observer) lacking(ctx context.Context, of *corev1.ObjectReference) (*metav1.ObjectMeta, int, error) {
	apps, get := o.client.AppsV1(), metav1.GetOptions{}
	switch of.Kind {
	case kindReplicaSet:
		x, err := apps.ReplicaSets(of.Namespace).Get(ctx, of.Name, get)
		if err != nil {
			return nil, 0, fmt.Errorf("get the controller: %w", err)
		}
		return &x.ObjectMeta, replicaSetLacks(x), nil
	case kindStatefulSet:
		x, err := apps.StatefulSets(of.Namespace).Get(ctx, of.Name, get)
		if err != nil {
			return nil, 0, fmt.Errorf("get the controller: %w", err)
		}
		return &x.ObjectMeta, statefulSetLacks(x), nil
	case kindDaemonSet:
		x, err := apps.DaemonSets(of.Namespace).Get(ctx, of.Name, get)
		if err != nil {
			return nil, 0, fmt.Errorf("get the controller: %w", err)
		}
		return &x.ObjectMeta, daemonSetLacks(x), nil
	case kindReplicationController:
		x, err := o.client.CoreV1().ReplicationControllers(of.Namespace).Get(ctx, of.Name, get)
		if err != nil {
			return nil, 0, fmt.Errorf("get the controller: %w", err)
		}
		return &x.ObjectMeta, replicationControllerLacks(x), nil
	case kindJob:
		x, err := o.client.BatchV1().Jobs(of.Namespace).Get(ctx, of.Name, get)
		if err != nil {
			return nil, 0, fmt.Errorf("get the controller: %w", err)
		}
		return &x.ObjectMeta, jobLacks(x), nil
	}
	return nil, 1, nil
}

func wanted(replicas *int32) int {
	if replicas == nil {
		return 1
	}
	return int(*replicas)
}

// jobLacks returns how many pods of a Job should run and do not.
func jobLacks(job *batchv1.Job) int {
	if job.Spec.Suspend != nil && *job.Spec.Suspend {
		return 0
	}
	for _, c := range job.Status.Conditions {
		if c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) {
			return 0
		}
	}
	atOnce := wanted(job.Spec.Parallelism)
	if job.Spec.Completions != nil {
		atOnce = min(atOnce, int(*job.Spec.Completions-job.Status.Succeeded))
	}
	return atOnce - int(job.Status.Active)
}

// mayWatchFailures reports whether the observer may list the events of controllers.
func (o *Observer) mayWatchFailures(ctx context.Context) bool {
	_, err := o.failuresFrom().ListWithContextFunc(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		o.opts.Logger.DebugContext(ctx, "pods that are not created are not counted", "error", err)
	}
	return err == nil
}

// failureFeed returns the store of the watch of events.
func (o *Observer) failureFeed(ctx context.Context) *feed[*corev1.Event] {
	take := func(event *corev1.Event) { o.creationFailed(ctx, event) }
	return newFeed(take, func(*corev1.Event) {}, func(events []*corev1.Event) {
		for _, event := range events {
			take(event)
		}
	})
}
