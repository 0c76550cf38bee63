package replay

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/trace"
)

// watchBarePods reschedules interrupted bare pods until stop is called, if that is wanted.
func (r *run) watchBarePods(ctx context.Context) (stop func(), err error) {
	if !r.opts.RescheduleInterruptedBarePods {
		return func() {}, nil
	}
	pods := r.target.pods().CoreV1().Pods(metav1.NamespaceAll)
	selector := r.selector()
	lister := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
			opts.LabelSelector = selector
			return pods.List(ctx, opts)
		},
		WatchFuncWithContext: func(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
			opts.LabelSelector = selector
			return pods.Watch(ctx, opts)
		},
	}
	_, controller := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: lister,
		ObjectType:    &corev1.Pod{},
		Transform:     r.trimPod,
		Handler: cache.ResourceEventHandlerDetailedFuncs{
			AddFunc:    func(obj any, first bool) { r.podAdded(obj, first) },
			UpdateFunc: func(_, obj any) { r.podChanged(obj) },
			DeleteFunc: func(obj any) { r.podDeleted(obj) },
		},
	})
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		controller.RunWithContext(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	if !cache.WaitForCacheSync(ctx.Done(), controller.HasSynced) {
		stop()
		return nil, fmt.Errorf("watch bare pods: %w", context.Cause(ctx))
	}
	r.resumePods()
	return stop, nil
}

// selector selects simulated objects. What runs a simulation may have its label too, but is not
// virtual.
func (e *Engine) selector() string {
	return labels.Set(simkubev1.SimulatedLabels(e.opts.Simulation)).String()
}

// trimPod removes the fields of a pod that are not used here.
func (r *run) trimPod(obj any) (any, error) {
	pod, ok := obj.(*corev1.Pod)
	if !ok {
		return obj, nil
	}
	trimmed := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, ResourceVersion: pod.ResourceVersion,
	}}
	if r.isBare(pod) {
		trimmed.OwnerReferences = pod.OwnerReferences
		trimmed.Annotations = pod.Annotations
		trimmed.Status = corev1.PodStatus{Phase: pod.Status.Phase, Reason: pod.Status.Reason, Conditions: pod.Status.Conditions}
	}
	return trimmed, nil
}

func (r *run) isBare(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.OwnerReferences, func(ref metav1.OwnerReference) bool { return ref.UID == r.root.UID })
}

// podAdded handles a new pod. Pods that existed before the run are left to resumePods.
func (r *run) podAdded(obj any, first bool) {
	if pod, ok := obj.(*corev1.Pod); ok && first && r.isBare(pod) {
		r.pods.found(originalOf(pod), pod.Name)
		r.former = append(r.former, pod)
		return
	}
	r.podChanged(obj)
}

func (r *run) podChanged(obj any) {
	pod, ok := obj.(*corev1.Pod)
	if !ok || !r.isBare(pod) {
		return
	}
	switch {
	case pod.Status.Phase == corev1.PodFailed && disrupted(pod):
		r.reschedule(originalOf(pod), pod)
	case pod.Status.Phase == corev1.PodFailed, pod.Status.Phase == corev1.PodSucceeded:
		r.pods.finished(originalOf(pod), pod.Name)
	}
}

func (r *run) podDeleted(obj any) {
	if last, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = last.Obj
	}
	pod, ok := obj.(*corev1.Pod)
	if !ok || !r.isBare(pod) {
		return
	}
	switch pod.Status.Phase {
	case corev1.PodSucceeded, corev1.PodFailed:
	default:
		r.reschedule(originalOf(pod), pod)
	}
}

// disrupted reports whether a pod failed because it was evicted, preempted or lost with its node.
func disrupted(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.DisruptionTarget && condition.Status == corev1.ConditionTrue {
			return true
		}
	}
	return slices.Contains([]string{"Evicted", "NodeLost", "NodeShutdown", "Preempting", "Shutdown", "Terminated"}, pod.Status.Reason)
}

// originalOf returns the key in the trace of a bare pod, or of the pod it is a clone of.
func originalOf(pod *corev1.Pod) objectKey {
	key := objectKey{kind: podKind, namespace: cmp.Or(pod.Annotations[simkubev1.AnnotationOriginalNamespace], pod.Namespace), name: pod.Name}
	if original := pod.Annotations[simkubev1.AnnotationOriginalOwner]; original != "" {
		key.namespace, key.name = trace.SplitNamespacedName(original)
	}
	return key
}

// reschedule adds the creation of a clone to the queue, behind all other work for the pod.
func (r *run) reschedule(key objectKey, interrupted metav1.Object) {
	at := place{resource: podResource(), namespace: interrupted.GetNamespace(), name: interrupted.GetName()}
	uid := interrupted.GetUID()
	started := r.opts.Clock.Now()
	tries := 0
	r.queue.add(key, work{
		run: func(ctx context.Context) next {
			tries++
			err := r.startClone(ctx, key, at, uid)
			if err == nil {
				return next{}
			}
			_, passing := classify(err)
			after := backoff(tries, err)
			if passing && r.opts.Clock.Since(started)+after <= r.opts.RetryFor {
				return next{again: true, after: after}
			}
			r.opts.Logger.WarnContext(ctx, "an interrupted bare pod was not started again",
				"namespace", at.namespace, "name", at.name, "error", err)
			return next{}
		},
		drop: func() {},
	})
}

// startClone creates the clone of a pod that was interrupted. It does nothing if the namespace is
// being deleted, or if another pod has the name by now because the trace deleted the pod and
// applied it again.
func (r *run) startClone(ctx context.Context, key objectKey, interrupted place, uid types.UID) error {
	if !r.pods.wanted(key, interrupted.name) {
		return nil
	}
	if there, err := r.target.get(ctx, interrupted); err == nil && there.UID != uid {
		return nil
	} else if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	name, body, ok, err := r.pods.clone(key, interrupted.name)
	if err != nil || !ok {
		return err
	}
	object, err := decode(body)
	if err != nil {
		return err
	}
	at := place{resource: podResource(), namespace: interrupted.namespace, name: name}
	_, err = r.target.create(ctx, at, object)
	if apierrors.IsAlreadyExists(err) {
		err = r.cloneExists(ctx, key, at, err)
	}
	switch {
	case err == nil:
		r.pods.cloned(key, name)
		r.results.cloned()
		return nil
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause), apierrors.IsNotFound(err):
		return nil
	}
	return err
}

// cloneExists returns nil if the object with the name is the clone, which an earlier try created
// without receiving the response. Otherwise the next try uses another name.
func (r *run) cloneExists(ctx context.Context, key objectKey, at place, exists error) error {
	there, err := r.target.get(ctx, at)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(there.OwnerReferences, func(ref metav1.OwnerReference) bool { return ref.UID == r.root.UID }) &&
		there.Annotations[simkubev1.AnnotationOriginalOwner] == trace.NamespacedName(key.namespace, key.name) {
		return nil
	}
	r.pods.taken(key, at.name)
	return exists
}
