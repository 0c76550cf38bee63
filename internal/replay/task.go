package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

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
	// object is the index of the object among the applied objects of its event, followed by the
	// deleted ones.
	object int
	rank   rank
	// stage is the stage of the task's rank. The stages after holds wait for the task.
	stage, holds int
	// after is when the task is due, in trace time since the event: 0 unless something else happens to
	// the object in the same second.
	after time.Duration
	// deletion, if not nil, is the next task of the same object and event. The trace does not say
	// which of the two came first.
	deletion *task
	// former is what has to be gone before the object is applied.
	former former
	// hold, if not nil, holds the deletion of the object back until it returns 0.
	hold func(context.Context) time.Duration
	// applied reports whether a definition was applied, whose kinds are not served yet, or a claim
	// that is not bound yet. satisfied reports whether the task's work was done by another task.
	applied, satisfied bool

	// first is when the task was first tried, sent when the first request for the object itself was
	// sent.
	first, sent time.Time
	tries       int
	letGo       bool // tasks that wait for this one may go
}

// outcome is the outcome of a task. The zero outcome is success.
type outcome struct {
	problem *Problem
	dropped bool
	// skipped reports whether there was nothing to do.
	skipped bool
}

// prepareTask does everything that can be done before the deadline.
func (r *run) prepareTask(event *eventRun, object *trace.Object, index int, verb Verb) *task {
	t := &task{r: r, event: event, verb: verb, gvk: object.GVK(), key: keyOf(object), object: index}
	t.target = r.builder.target(t.key.kind, object.Name())
	templates := len(r.plan.Config.PodSpecTemplatePaths(t.gvk)) > 0
	switch {
	case verb == Apply:
		t.rank = applyRank(t.key.kind, templates)
	case isScope(t.key.kind):
		t.rank = rankScopes
	}
	if verb == Delete && r.opts.BeforeDelete != nil && (templates || t.key.kind == podKind || t.key.kind == namespaceKind || t.key.kind == claimKind) {
		t.hold = r.opts.BeforeDelete(Deletion{Kind: t.key.kind, Namespace: t.key.namespace, Name: t.key.name})
	}
	if t.malformed = checkNames(t.key.namespace, t.key.name); t.malformed != nil {
		return t
	}
	if verb == Apply {
		t.body, t.malformed = r.builder.build(object)
		if errors.As(t.malformed, &t.leftOut) {
			t.malformed = nil
		}
	}
	// The first use of a kind may discover the kinds of the cluster, which adds no lag here. An error
	// occurs again when the task is run.
	_, _ = r.target.mapping(t.gvk)
	return t
}

// run tries the task once.
func (t *task) run(ctx context.Context) next {
	if wait := t.early(); wait > 0 {
		return next{again: true, after: wait}
	}
	if wait := t.held(ctx); wait > 0 {
		return next{again: true, after: wait}
	}
	if t.tries++; t.tries == 1 {
		t.first = t.r.opts.Clock.Now()
	}
	err := t.try(ctx)
	if t.tries == 1 && t.rank != rankDefinitions {
		t.letOthersGo()
	}
	if errors.Is(err, errGoing) && t.verb == Apply && t.key.kind == namespaceKind {
		t.r.remaking.begin(t.target)
	}
	if held, ok := errors.AsType[*heldError](err); ok {
		return next{again: true, gate: held.gate}
	}
	switch {
	case err == nil:
		t.done(outcome{})
		return next{}
	case errors.Is(err, errEnded):
		t.drop()
		return next{}
	case errors.Is(err, errSkipped):
		t.done(outcome{skipped: true})
		return next{}
	}
	category, passing := classify(err)
	after := backoff(t.tries, err)
	if passing && t.r.opts.Clock.Since(t.first)+after <= t.patience(err) {
		t.r.opts.Logger.DebugContext(ctx, "try again", "verb", t.verb, "kind", t.gvk.Kind,
			"namespace", t.key.namespace, "name", t.key.name, "after", after, "error", err)
		return next{again: true, after: after}
	}
	t.done(outcome{problem: t.problem(category, err)})
	return next{}
}

// early returns how long it takes until the task is due.
func (t *task) early() time.Duration {
	if t.after == 0 || t.tries > 0 {
		return 0
	}
	due := t.event.due.Add(time.Duration(float64(t.after) / t.r.opts.Speed))
	return due.Sub(t.r.opts.Clock.Now())
}

// held returns for how long a deletion is held back.
func (t *task) held(ctx context.Context) time.Duration {
	if t.hold == nil || ctx.Err() != nil {
		return 0
	}
	wait := t.hold(ctx)
	if wait <= 0 {
		t.hold = nil
	}
	return wait
}

// patience returns for how long an error is waited out.
func (t *task) patience(err error) time.Duration {
	switch {
	case errors.Is(err, errGoing):
		return max(t.r.opts.RetryFor, deletionTime)
	case errors.Is(err, errNewKind):
		return max(t.r.opts.RetryFor, servingTime)
	}
	return t.r.opts.RetryFor
}

// drop ends a task that is not tried again.
func (t *task) drop() {
	t.done(outcome{dropped: true})
}

// letOthersGo lets the tasks go that wait for this one. It does nothing if they do not wait, or not
// any more.
func (t *task) letOthersGo() {
	if t.loose() || t.letGo {
		return
	}
	t.letGo = true
	for _, gate := range t.event.tried(t) {
		t.r.queue.open(gate)
	}
}

func (t *task) done(o outcome) {
	t.body = nil
	t.letOthersGo()
	switch {
	case t.verb == Delete:
	case t.key.kind == definitionKind:
		t.r.kinds.forget(t.key)
	case t.key.kind == namespaceKind:
		if gate := t.r.remaking.end(t.target); gate != nil {
			t.r.queue.open(gate)
		}
	}
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
	switch {
	case t.satisfied:
		return t.sending(ctx)
	case t.malformed != nil:
		return &taskError{Malformed, t.malformed}
	}
	mapping, err := t.r.kinds.find(t.r.target, t.r.opts.Clock, t.gvk)
	if err != nil {
		return err
	}
	at := place{resource: mapping.Resource, name: t.target}
	namespaced := mapping.Scope.Name() == meta.RESTScopeNameNamespace
	if namespaced != (t.key.namespace != "") {
		return t.r.kinds.otherScope(t.r.target, t.r.opts.Clock.Now(),
			fmt.Errorf("%s is %s-scoped in the cluster and not in the trace", t.gvk.Kind, mapping.Scope.Name()))
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
