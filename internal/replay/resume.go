package replay

import (
	"context"
	"fmt"
	"iter"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"simkube.io/simkube/trace"
)

// skipDone reads the steps that are done and notes the bare pods that they left behind. Until stop
// is called, the steps of the run are the rest.
func (r *run) skipDone(ctx context.Context) (stop func(), err error) {
	if r.plan.Done == 0 {
		return func() {}, nil
	}
	next, stop := iter.Pull2(r.steps)
	for position := range r.plan.Done {
		step, err, ok := next()
		switch {
		case ctx.Err() != nil:
			err = context.Cause(ctx)
		case !ok:
			err = fmt.Errorf("%d steps of the replay were done before, and it has %d", r.plan.Done, position)
		case err != nil:
			err = fmt.Errorf("read event %d: %w", r.eventsDone, err)
		}
		if err != nil {
			stop()
			return nil, err
		}
		if step.event != nil {
			r.noteDone(step.event)
			r.eventsDone++
		}
	}
	r.steps = func(yield func(step, error) bool) {
		for step, err, ok := next(); ok && yield(step, err); step, err, ok = next() {
		}
	}
	return stop, nil
}

// noteDone notes the bare pods of an event that was done before.
func (r *run) noteDone(event *trace.Event) {
	r.builder.define(event)
	for i := range event.Applied {
		key := keyOf(&event.Applied[i])
		if key.kind != podKind || checkNames(key.namespace, key.name) != nil {
			continue
		}
		// If the pod cannot be built, that was a problem of the earlier run.
		if body, err := r.builder.build(&event.Applied[i]); err == nil {
			r.pods.applied(key, key.name, body)
		}
	}
	for i := range event.Deleted {
		switch key := keyOf(&event.Deleted[i]); key.kind {
		case podKind:
			r.pods.forget(key)
		case namespaceKind:
			r.pods.forgetNamespace(key.name)
		}
	}
}

// resumePods handles the bare pods that existed before the run, some of which may have been
// interrupted since. It needs all of them to know which clone is the last.
func (r *run) resumePods() {
	there := map[objectKey]bool{}
	for _, pod := range r.former {
		there[originalOf(pod)] = true
		r.podChanged(pod)
	}
	r.former = nil
	for key, name := range r.pods.names() {
		if !there[key] {
			namespace := r.builder.namespace(key.namespace)
			r.reschedule(key, &metav1.ObjectMeta{Namespace: namespace, Name: name})
		}
	}
}

// inDoubt reports whether an event may have been started by the run that this one continues: it was
// not completely done, or no checkpoint of that was saved.
func (r *run) inDoubt(event *eventRun) bool {
	return r.adopted && event.due.Before(r.began.Add(r.opts.RetryFor))
}

// findPod looks for a pod that an earlier run may have applied.
func (r *run) findPod(ctx context.Context, t *task, at place) error {
	if !r.inDoubt(t.event) || r.pods.known(t.key) {
		return nil
	}
	_, err := r.target.get(ctx, at)
	switch {
	case err == nil:
		r.pods.found(t.key, at.name)
	case !apierrors.IsNotFound(err):
		return err
	}
	return nil
}
