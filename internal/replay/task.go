package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/trace"
)

// Kinds with a special treatment.
var (
	podKind       = schema.GroupKind{Kind: "Pod"}
	namespaceKind = schema.GroupKind{Kind: "Namespace"}
)

// maxMessage is how many bytes of an error a problem has. Validation errors quote whole manifests
// in the middle.
const maxMessage = 500

// task applies or deletes one object of an event.
type task struct {
	r     *run
	event *eventRun
	verb  Verb
	gvk   schema.GroupVersionKind
	// key is the object's key in the trace, target its name in the cluster.
	key    objectKey
	target string
	// body is what to apply. malformed, if not nil, is why there is none, or why the name is invalid.
	body      []byte
	malformed error
	// leftOut, if not nil, is why the object is not applied in a cluster with other workloads.
	leftOut *leftOutError
	// waits reports whether the event's other objects are tried first.
	waits bool

	// first is when the task was first tried, sent when the first request for the object itself was
	// sent.
	first, sent time.Time
	tries       int
}

// outcome is the outcome of a task. The zero outcome is success.
type outcome struct {
	problem *Problem
	dropped bool
	// skipped reports whether there was nothing to do.
	skipped bool
}

// prepareTask does everything that can be done before the deadline.
func (r *run) prepareTask(event *eventRun, object *trace.Object, verb Verb) *task {
	t := &task{r: r, event: event, verb: verb, gvk: object.GVK(), key: keyOf(object)}
	t.target = r.builder.target(t.key.kind, object.Name())
	if t.malformed = checkNames(t.key.namespace, t.key.name); t.malformed != nil {
		return t
	}
	if verb == Apply {
		t.body, t.malformed = r.builder.build(object)
		if errors.As(t.malformed, &t.leftOut) {
			t.malformed = nil
		}
		t.waits = len(r.plan.Config.PodSpecTemplatePaths(t.gvk)) > 0
	}
	// The first use of a kind may discover the kinds of the cluster, which adds no lag here. An error
	// occurs again when the task is run.
	_, _ = r.target.mapping(t.gvk)
	return t
}

// run tries the task once.
func (t *task) run(ctx context.Context) (again bool, after time.Duration) {
	if t.tries++; t.tries == 1 {
		t.first = t.r.opts.Clock.Now()
	}
	err := t.try(ctx)
	if t.tries == 1 {
		t.letOthersGo()
	}
	switch {
	case err == nil:
		t.done(outcome{})
		return false, 0
	case errors.Is(err, errEnded):
		t.drop()
		return false, 0
	case errors.Is(err, errSkipped):
		t.done(outcome{skipped: true})
		return false, 0
	}
	category, passing := classify(err)
	after = backoff(t.tries, err)
	if passing && t.r.opts.Clock.Since(t.first)+after <= t.r.opts.RetryFor {
		t.r.opts.Logger.DebugContext(ctx, "try again", "verb", t.verb, "kind", t.gvk.Kind,
			"namespace", t.key.namespace, "name", t.key.name, "after", after, "error", err)
		return true, after
	}
	t.done(outcome{problem: t.problem(category, err)})
	return false, 0
}

// drop ends a task that is not tried again.
func (t *task) drop() {
	if t.tries == 0 {
		t.letOthersGo()
	}
	t.done(outcome{dropped: true})
}

func (t *task) letOthersGo() {
	if !t.waits && t.event.tried() {
		t.r.queue.open(&t.event.gate)
	}
}

func (t *task) done(o outcome) {
	t.body = nil
	if o.problem != nil && o.problem.fails() {
		t.r.failed(*o.problem)
	}
	if t.event.record(t, o, t.r.opts.Clock.Now()) {
		t.r.finish(t.event)
	}
}

func (t *task) problem(category Category, err error) *Problem {
	return &Problem{
		Event: t.event.index, Time: time.Unix(t.event.time, 0).UTC(), GVK: t.gvk,
		Namespace: t.key.namespace, Name: t.key.name,
		Verb: t.verb, Category: category, Message: words.ClipMiddle(err.Error(), maxMessage),
	}
}

// sending must be called before the request for the object itself is sent. If it returns an error,
// the run has ended, and the request must not be sent.
func (t *task) sending(ctx context.Context) error {
	if ctx.Err() != nil {
		return errEnded
	}
	if t.sent.IsZero() {
		t.sent = t.r.opts.Clock.Now()
	}
	return nil
}

func (t *task) try(ctx context.Context) error {
	if t.malformed != nil {
		return &taskError{Malformed, t.malformed}
	}
	mapping, err := t.r.kinds.find(t.r.target, t.r.opts.Clock.Now(), t.gvk)
	if err != nil {
		return err
	}
	at := place{resource: mapping.Resource, name: t.target}
	namespaced := mapping.Scope.Name() == meta.RESTScopeNameNamespace
	if namespaced != (t.key.namespace != "") {
		return &taskError{Malformed, fmt.Errorf("%s is %s-scoped in the cluster and not in the trace", t.gvk.Kind, mapping.Scope.Name())}
	}
	if namespaced {
		at.namespace = t.r.builder.namespace(t.key.namespace)
	}
	if t.r.builder.isolation != nil {
		if err := t.isolated(namespaced); err != nil {
			return err
		}
	}
	if t.verb == Apply {
		return t.apply(ctx, at)
	}
	return t.delete(ctx, at)
}

// isolated returns an error if the object is left out of a cluster with other workloads. Only the
// first time is a problem.
func (t *task) isolated(namespaced bool) error {
	isolation := t.r.builder.isolation
	leftOut := t.leftOut
	if !namespaced && t.key.kind != namespaceKind && !renamed(t.key.kind) {
		leftOut = &leftOutError{"cluster-scoped objects of this kind would act on other workloads of the cluster"}
	}
	switch {
	case t.verb == Apply && leftOut != nil:
		if isolation.omit(t.key) {
			return &taskError{LeftOut, leftOut}
		}
		return errSkipped
	case isolation.restore(t.key) && t.verb == Delete, leftOut != nil:
		return errSkipped
	}
	return nil
}

func (t *task) apply(ctx context.Context, at place) error {
	if at.namespace != "" {
		if err := t.r.spaces.ensure(ctx, at.namespace); err != nil {
			return err
		}
	} else if _, err := t.r.owned(ctx, at); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	body := t.body
	if t.key.kind == podKind {
		if err := t.r.findPod(ctx, t, at); err != nil {
			return err
		}
		var skip bool
		var err error
		if at.name, body, skip, err = t.r.pods.applying(t.key, at.name, body); err != nil {
			return &taskError{Malformed, err}
		}
		if skip {
			return t.sending(ctx)
		}
	}
	if err := t.sending(ctx); err != nil {
		return err
	}
	uid, err := t.r.target.apply(ctx, at, body)
	if err == nil {
		t.r.made.add(t.key, uid)
		t.r.opts.OnApplied(t.gvk, at.resource)
	}
	switch {
	case apierrors.IsNotFound(err) && at.namespace != "":
		t.r.spaces.forget(at.namespace)
	case err == nil && t.key.kind == podKind:
		t.r.pods.applied(t.key, at.name, t.body)
	case err == nil && at.namespace == "":
		t.r.kinds.applied(t.gvk, t.r.opts.Clock.Now())
	}
	return err
}

func (t *task) delete(ctx context.Context, at place) error {
	opts := metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)}
	if at.namespace != "" {
		if err := t.r.spaces.check(ctx, at.namespace); err != nil {
			return t.gone(err)
		}
		if t.key.kind == podKind {
			at.name = t.r.pods.deleting(t.key, at.name)
		}
	}
	uid, err := t.uid(ctx, at)
	if err != nil {
		return t.gone(err)
	}
	opts.Preconditions = &metav1.Preconditions{UID: &uid}
	if err := t.sending(ctx); err != nil {
		return err
	}
	err = t.r.target.delete(ctx, at, opts)
	t.r.made.forget(t.key) // if another object has the name by now, a retry must not delete it
	switch {
	case t.key.kind == namespaceKind:
		t.r.spaces.forget(at.name)
		t.r.made.forgetNamespace(t.key.name)
	case t.key.kind == podKind && (err == nil || apierrors.IsNotFound(err)):
		t.r.pods.forget(t.key)
	}
	return t.gone(err)
}

// uid returns the UID of the object to delete: that of the object that this run applied, or of one
// with an owner reference to the root. A clone of a pod has another name than the pod.
func (t *task) uid(ctx context.Context, at place) (types.UID, error) {
	if uid := t.r.made.uid(t.key); uid != "" && at.namespace != "" && at.name == t.target {
		return uid, nil
	}
	return t.r.owned(ctx, at)
}

// gone changes the error of a deletion of an object that is absent. An object that is being deleted
// counts as deleted, and so does one that an earlier run may have deleted.
func (t *task) gone(err error) error {
	switch {
	case apierrors.IsNotFound(err) && t.r.inDoubt(t.event):
		return nil
	case apierrors.IsNotFound(err):
		return &taskError{AbsentOnDelete, err}
	case errors.Is(err, errPassing):
		return nil
	}
	return err
}

// taskError is an error with a known category, for which a retry cannot succeed.
type taskError struct {
	category Category
	err      error
}

func (e *taskError) Error() string { return e.err.Error() }
func (e *taskError) Unwrap() error { return e.err }

// backoff returns the time before a retry, from 50 ms to 2 s, unless the API server suggests one.
func backoff(tries int, err error) time.Duration {
	const first, limit = 50 * time.Millisecond, 2 * time.Second
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	return min(limit, first<<min(tries-1, 10))
}

var (
	errNotOurs = errors.New("exists and does not belong to the simulation")
	errEnded   = errors.New("the run has ended")
	errSkipped = errors.New("there is nothing to do")
)

func podResource() schema.GroupVersionResource { return corev1.SchemeGroupVersion.WithResource("pods") }
