package replay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// deletionTime is how long a task waits at least until an object that is being deleted is gone.
const deletionTime = 2 * time.Minute

// errGoing is wrapped in errors about an object that is being deleted.
var errGoing = fmt.Errorf("is being deleted: %w", errPassing)

// former is an object that has to be gone before another of its name is created. The zero former is
// none.
type former struct {
	at  place
	uid types.UID
	// why, if not nil, is why the object could not be changed, for which the task deleted it.
	why error
}

func (t *task) apply(ctx context.Context, at place) error {
	if at.namespace != "" {
		if gate := t.r.remaking.gate(at.namespace); gate != nil {
			return &heldError{gate}
		}
		if err := t.r.spaces.ensure(ctx, at.namespace); err != nil {
			return err
		}
	}
	if err := t.awaitFormer(ctx); err != nil {
		return err
	}
	if at.namespace == "" {
		if _, err := t.r.owned(ctx, at); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	if t.applied {
		if t.key.kind == claimKind {
			return t.awaitBound(ctx, at)
		}
		return t.r.kinds.awaitServed(t.r.target, t.r.opts.Clock, t.key)
	}
	if ends, err := t.endsHeadless(ctx, at); err != nil {
		return err
	} else if ends {
		return t.replace(ctx, at, errHeadless)
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
	object, err := t.r.target.apply(ctx, at, body)
	if err != nil {
		return t.refused(ctx, at, body, err)
	}
	return t.accepted(ctx, at, body, object)
}

// accepted notes an object that was applied.
func (t *task) accepted(ctx context.Context, at place, body []byte, object *metav1.PartialObjectMetadata) error {
	if object.DeletionTimestamp != nil {
		t.former = former{at: at, uid: object.UID, why: t.former.why}
		return fmt.Errorf("%s %q %w", at.resource.Resource, at.name, errGoing)
	}
	t.r.made.add(t.key, object.UID)
	t.r.opts.OnApplied(t.gvk, at.resource)
	switch {
	case t.key.kind == podKind:
		t.r.pods.applied(t.key, at.name, t.body)
	case t.key.kind == serviceKind:
		headless, _ := isHeadless(body)
		t.r.made.setHeadless(object.UID, headless)
	case t.key.kind == jobKind:
		t.r.made.setExpiring(t.key, expires(body))
	case t.key.kind == cronJobKind:
		return t.startRuns(ctx, at, object, body)
	case t.key.kind == claimKind && t.r.builder.recorded.bindsClaim(t.key):
		t.applied = true
		return t.awaitBound(ctx, at)
	case t.key.kind == definitionKind:
		t.applied = true
		t.r.kinds.define(t.key, t.body, t.r.opts.Clock.Now())
		return t.r.kinds.awaitServed(t.r.target, t.r.opts.Clock, t.key)
	}
	return nil
}

// refused handles the error of an apply. A change that the API server does not allow was not made
// in the recorded cluster either: there, the pod was resized, or the object was deleted and created
// again.
func (t *task) refused(ctx context.Context, at place, body []byte, err error) error {
	switch {
	case at.namespace != "" && (apierrors.IsNotFound(err) || isTerminating(err)):
		t.r.spaces.forget(at.namespace)
		return t.r.kinds.stale(t.r.target, t.r.opts.Clock.Now(), err)
	case apierrors.IsNotFound(err):
		return t.r.kinds.stale(t.r.target, t.r.opts.Clock.Now(), err)
	case !t.refusesChange(ctx, at, body, err):
		return err
	}
	// An object that was deleted in the same second was rather created again than resized.
	if t.key.kind == podKind && t.deletion == nil {
		resized, resizeErr := t.r.target.resize(ctx, at, body)
		if resizeErr != nil {
			if _, passing := classify(resizeErr); passing {
				return resizeErr
			}
			err = fmt.Errorf("%w; its containers could not be resized: %w", err, resizeErr)
		} else if resized {
			object, again := t.r.target.apply(ctx, at, body)
			if again == nil {
				return t.accepted(ctx, at, body, object)
			}
			err = again
		}
	}
	return t.replace(ctx, at, err)
}

// refusesChange reports whether an apply was refused because of the object that exists: the same
// object could be created.
func (t *task) refusesChange(ctx context.Context, at place, body []byte, err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Code != http.StatusUnprocessableEntity {
		return false
	}
	if saysImmutable(status.Status()) {
		return true
	}
	object, decodeErr := decode(body)
	if decodeErr != nil {
		return false
	}
	return apierrors.IsAlreadyExists(t.r.target.tryCreate(ctx, at, object))
}

// replace deletes an object that cannot be changed. The error is nil if the task ends with that.
func (t *task) replace(ctx context.Context, at place, why error) error {
	refuse := func(err error) error {
		return &taskError{Immutable, fmt.Errorf("%w; it could not be deleted and created again: %w", why, err)}
	}
	if t.former.why != nil {
		return refuse(errors.New("another object has its name"))
	}
	uid, err := t.uid(ctx, at)
	switch {
	case errors.Is(err, errGoing):
		return err
	case err != nil:
		if _, passing := classify(err); passing || apierrors.IsNotFound(err) {
			return fmt.Errorf("%w (%w)", err, errPassing)
		}
		return refuse(err)
	}
	if t.key.kind == podKind {
		t.r.pods.deleting(t.key, at.name)
	}
	err = t.remove(ctx, at, metav1.DeleteOptions{
		PropagationPolicy: new(metav1.DeletePropagationBackground),
		Preconditions:     &metav1.Preconditions{UID: &uid},
	})
	t.r.made.forget(t.key)
	if err != nil && !apierrors.IsNotFound(err) {
		if _, passing := classify(err); passing {
			return err
		}
		return refuse(err)
	}
	t.former = former{at: at, uid: uid, why: why}
	t.r.opts.Logger.InfoContext(ctx, "an object that cannot be changed is deleted and created again",
		"kind", t.gvk.Kind, "namespace", t.key.namespace, "name", t.key.name, "error", why)
	if t.key.kind == podKind {
		t.r.pods.forget(t.key)
	}
	if t.deletion != nil {
		t.deletion.satisfied = true
	} else {
		t.r.results.replaced(t.gvk)
	}
	return t.going()
}

// awaitFormer returns an error until the former object is gone.
func (t *task) awaitFormer(ctx context.Context) error {
	if t.former.uid == "" {
		return nil
	}
	there, err := t.r.target.get(ctx, t.former.at)
	switch {
	case apierrors.IsNotFound(err) || err == nil && there.UID != t.former.uid:
		t.former.uid = ""
		return nil
	case err != nil:
		return err
	}
	return t.going()
}

// going returns the error about a former object that is being deleted.
func (t *task) going() error {
	err := fmt.Errorf("%s %q %w", t.former.at.resource.Resource, t.former.at.name, errGoing)
	if t.former.why != nil {
		return fmt.Errorf("%w, since it could not be changed: %w", err, t.former.why)
	}
	return err
}

// heldError is the error of a task that cannot be tried before a gate is opened.
type heldError struct{ gate *gate }

func (e *heldError) Error() string { return "the namespace is being created again" }
