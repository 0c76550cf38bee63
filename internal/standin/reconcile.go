package standin

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/lifecycle"
	"simkube.io/simkube/internal/workload"
	"simkube.io/simkube/trace"
)

// state is what the controller knows about a workload beside the objects in the cluster. Only the
// goroutine that handles the workload uses it, except what Controller.mu guards.
type state struct {
	uid types.UID
	// incarnation counts how often the object was made, from 0.
	incarnation int
	// made and given are for each template, by its pointer: how many pods were made, and how many of
	// them have a recorded lifecycle.
	made, given map[string]int
	lifecycles  map[types.UID]lifecycle.Recorded
	// created are the pods that were made and that the informer has not shown yet, with their
	// template.
	created map[types.UID]string
	// shares are the recorded lifecycles of each template. They are fixed with the first pod: the
	// number of pods may change later.
	shares [][]lifecycle.Recorded
	// failure is the last reason for which a pod was refused.
	failure string
	// handled reports whether the workload has been handled once. Controller.mu guards it.
	handled bool
}

// tally is the pods of one template.
type tally struct {
	active   []*corev1.Pod // not being deleted
	finished int
	pending  int // made, and not shown by the informer
}

func (t *tally) running() int { return len(t.active) + t.pending }

// reconcile makes and deletes pods of one workload.
func (c *Controller) reconcile(k key) error {
	c.mu.Lock()
	w := c.watches[k.kind]
	s := c.workloads[k]
	c.mu.Unlock()
	if w.objects == nil {
		return nil
	}
	found, exists, err := w.objects.GetStore().GetByKey(trace.NamespacedName(k.namespace, k.name))
	if err != nil {
		return err
	}
	object, _ := found.(*unstructured.Unstructured)
	if s != nil && (!exists || object.GetUID() != s.uid || object.GetDeletionTimestamp() != nil) {
		if err := c.deleteAll(s.uid); err != nil {
			return err
		}
	}
	if !exists || object.GetDeletionTimestamp() != nil || !c.ours(object) {
		return nil
	}
	owner := trace.PodOwner{GVK: w.gvk, Name: trace.NamespacedName(k.namespace, k.name)}
	if c.opts.Made(owner) {
		return nil
	}
	load, err := workload.Read(w.gvk, object.Object, c.opts.Config.PodSpecTemplatePaths(w.gvk))
	if err != nil {
		c.opts.Log.ErrorContext(c.ctx, "cannot read a custom workload", "kind", k.kind.Kind, "namespace", k.namespace, "name", k.name, "error", err)
		return nil
	}
	s = c.stateOf(k, s, object.GetUID())
	defer c.setHandled(s) // if a pod was refused, too
	recorded := c.opts.Lifecycles.Incarnation(owner, s.incarnation)
	if len(recorded) == 0 && c.opts.Lifecycles.HasKind(k.kind) {
		return nil // it made no pods
	}
	tallies, err := c.tally(s)
	if err != nil {
		return err
	}
	if total(s.made) == 0 || len(s.shares) != len(load.Templates) {
		s.shares = share(load.Templates, recorded)
	}
	for i := range load.Templates {
		t := &load.Templates[i]
		need := c.balance(k, s, t, load.Scheduled, tallies[t.Pointer], s.shares[i], len(recorded) > 0)
		if err := c.remove(s, tallies[t.Pointer], -need); err != nil {
			return err
		}
		if need <= 0 {
			continue
		}
		if there, err := c.isThere(w, k, s.uid); err != nil || !there {
			return err
		}
		for range need {
			if err := c.make(k, s, object, t, s.shares[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// setHandled notes that a workload has been handled once.
func (c *Controller) setHandled(s *state) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.handled = true
}

// Busy reports whether the controller has not handled a workload of the cluster yet, or has made
// pods of it that it has not seen. It is false for an object that it makes no pods of.
func (c *Controller) Busy(ctx context.Context, kind schema.GroupKind, namespace, name string) (bool, error) {
	k := key{kind, namespace, name}
	c.mu.Lock()
	w, watched := c.watches[kind]
	c.mu.Unlock()
	if !watched || c.opts.Made(trace.PodOwner{GVK: w.gvk, Name: trace.NamespacedName(namespace, name)}) {
		return false, nil
	}
	object, err := c.dynamic.Resource(w.resource).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("get %s %s: %w", kind.Kind, name, err)
	case !c.ours(object) || object.GetDeletionTimestamp() != nil:
		return false, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.workloads[k]
	return s == nil || s.uid != object.GetUID() || !s.handled || len(s.created) > 0, nil
}

// isThere reports whether the workload exists in the cluster. The informer may show it when it has
// been deleted and the garbage collector deletes its pods already, which must not be replaced.
func (c *Controller) isThere(w watch, k key, uid types.UID) (bool, error) {
	object, err := c.dynamic.Resource(w.resource).Namespace(k.namespace).Get(c.ctx, k.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("get %s %s: %w", k.kind.Kind, k.name, err)
	}
	return object.GetUID() == uid && object.GetDeletionTimestamp() == nil, nil
}

func (c *Controller) ours(object *unstructured.Unstructured) bool {
	return slices.ContainsFunc(object.GetOwnerReferences(), func(ref metav1.OwnerReference) bool { return ref.UID == c.opts.Root })
}

// stateOf returns the state of a workload with a UID. An object that was made again has a new one.
func (c *Controller) stateOf(k key, s *state, uid types.UID) *state {
	if s != nil && s.uid == uid {
		return s
	}
	next := &state{
		uid: uid, made: map[string]int{}, given: map[string]int{},
		lifecycles: map[types.UID]lifecycle.Recorded{}, created: map[types.UID]string{},
	}
	if s != nil {
		next.incarnation = s.incarnation + 1
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.workloads[k] = next
	return next
}

// tally counts the pods of a workload by template.
func (c *Controller) tally(s *state) (map[string]*tally, error) {
	pods, err := c.pods.GetIndexer().ByIndex(byOwner, string(s.uid))
	if err != nil {
		return nil, err
	}
	out := map[string]*tally{}
	of := func(pointer string) *tally {
		if out[pointer] == nil {
			out[pointer] = &tally{}
		}
		return out[pointer]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, object := range pods {
		pod, ok := object.(*corev1.Pod)
		if !ok {
			continue
		}
		delete(s.created, pod.UID)
		t := of(pod.Annotations[simkubev1.AnnotationStandInTemplate])
		switch {
		case pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed:
			t.finished++
		case pod.DeletionTimestamp == nil:
			t.active = append(t.active, pod)
		}
	}
	for _, pointer := range s.created {
		of(pointer).pending++
	}
	return out, nil
}

// balance returns how many pods of a template are to be made now, or to be deleted if it is
// negative.
func (c *Controller) balance(k key, s *state, t *workload.Template, scheduled bool, have *tally, recorded []lifecycle.Recorded, known bool) int {
	if have == nil {
		have = &tally{}
	}
	now := c.opts.Clock.Now()
	due, next := started(recorded, c.opts.Elapsed(now))
	if next != 0 {
		c.queue.AddAfter(k, c.opts.Until(next).Sub(now))
	}
	return missing(t, scheduled, known, due, s.made[t.Pointer], have)
}

// remove deletes up to n pods of a template.
func (c *Controller) remove(s *state, have *tally, n int) error {
	for ; n > 0 && have != nil && len(have.active) > 0; n-- {
		pod := leastNeeded(have.active, s.lifecycles)
		have.active = slices.DeleteFunc(have.active, func(p *corev1.Pod) bool { return p == pod })
		if err := c.delete(pod); err != nil {
			return err
		}
	}
	return nil
}

// missing returns how many pods of a template are to be made, or to be deleted if it is negative.
// due is how many recorded pods have started by now, made is how many were made. known reports
// whether pods of the workload were recorded.
func missing(t *workload.Template, scheduled, known bool, due, made int, have *tally) int {
	switch {
	case t.Suspended:
		return -have.running()
	case known && (scheduled || !t.Counted):
		return max(0, due-made)
	case scheduled:
		return 0
	case t.Completions > 0:
		return min(t.Replicas, max(0, t.Completions-have.finished)) - have.running()
	}
	lost := made - have.running() - have.finished // pods that are gone
	restarts := min(have.finished, max(0, due-t.Replicas-lost))
	return t.Replicas - have.running() - have.finished + restarts
}

// started returns how many recorded pods have started at a time of the trace, and when the next one
// starts, 0 for never. A pod that was not seen running counts with the one before it.
func started(recorded []lifecycle.Recorded, now int64) (due int, next int64) {
	for i, r := range recorded {
		switch {
		case r.State != trace.Empty && r.Start > now:
			if next == 0 {
				next = r.Start
			}
		case next == 0:
			due = i + 1
		}
	}
	return due, next
}

// leastNeeded returns the pod to delete first: one that has no node, then one that was recorded to
// have ended, the earliest first, then the youngest.
func leastNeeded(pods []*corev1.Pod, lifecycles map[types.UID]lifecycle.Recorded) *corev1.Pod {
	rank := func(pod *corev1.Pod) (class int, end int64) {
		r := lifecycles[pod.UID]
		switch {
		case pod.Spec.NodeName == "":
			return 0, 0
		case r.State == trace.Finished && r.Ending == lifecycle.RunsOn:
			return 1, r.End
		case r.State == trace.Finished:
			return 3, r.End
		}
		return 2, 0
	}
	return slices.MinFunc(pods, func(a, b *corev1.Pod) int {
		classA, endA := rank(a)
		classB, endB := rank(b)
		return cmp.Or(cmp.Compare(classA, classB), cmp.Compare(endA, endB),
			b.CreationTimestamp.Compare(a.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
}

func (c *Controller) delete(pod *corev1.Pod) error {
	err := c.client.CoreV1().Pods(pod.Namespace).Delete(c.ctx, pod.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &pod.UID}})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("delete pod %s: %w", pod.Name, err)
	}
	return nil
}

// deleteAll deletes the pods of an object that is gone. The garbage collector does so, too, but it
// may take half a minute to know a kind that the trace has defined.
func (c *Controller) deleteAll(uid types.UID) error {
	pods, err := c.pods.GetIndexer().ByIndex(byOwner, string(uid))
	if err != nil {
		return err
	}
	for _, object := range pods {
		if pod, ok := object.(*corev1.Pod); ok && pod.DeletionTimestamp == nil {
			if err := c.delete(pod); err != nil {
				return err
			}
		}
	}
	return nil
}

// failed records as an event of the workload that a pod was refused, as the controllers of
// Kubernetes do, and returns the error. An event is not repeated while the reason stays the same.
func (c *Controller) failed(s *state, object *unstructured.Unstructured, err error) error {
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) || c.ctx.Err() != nil {
		return nil
	}
	message := "Error creating: " + err.Error()
	if s.failure == message {
		return err
	}
	now := metav1.NewTime(c.opts.Clock.Now())
	_, eventErr := c.client.CoreV1().Events(object.GetNamespace()).Create(c.ctx, &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: object.GetNamespace(), GenerateName: object.GetName() + "."},
		InvolvedObject: corev1.ObjectReference{
			APIVersion: object.GetAPIVersion(), Kind: object.GetKind(), Namespace: object.GetNamespace(),
			Name: object.GetName(), UID: object.GetUID(), ResourceVersion: object.GetResourceVersion(),
		},
		Reason: "FailedCreate", Message: message, Type: corev1.EventTypeWarning,
		Source: corev1.EventSource{Component: component}, ReportingController: component,
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	}, metav1.CreateOptions{})
	if eventErr == nil {
		s.failure = message
	} else {
		c.opts.Log.WarnContext(context.WithoutCancel(c.ctx), "cannot record an event", "error", eventErr)
	}
	return err
}

// component is the name of the controller in events.
const component = "simkube-stand-in"
