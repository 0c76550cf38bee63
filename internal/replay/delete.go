package replay

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func (t *task) delete(ctx context.Context, at place) error {
	opts := metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)}
	if at.namespace != "" {
		if err := t.r.spaces.check(ctx, at.namespace); err != nil {
			return t.gone(at, err)
		}
		if t.key.kind == podKind {
			at.name = t.r.pods.deleting(t.key, at.name)
		}
	}
	uid, err := t.uid(ctx, at)
	if err != nil {
		return t.gone(at, err)
	}
	opts.Preconditions = &metav1.Preconditions{UID: &uid}
	if err := t.sending(ctx); err != nil {
		return err
	}
	err = t.remove(ctx, at, opts)
	t.r.made.forget(t.key) // if another object has the name by now, a retry must not delete it
	switch {
	case t.key.kind == namespaceKind:
		t.r.spaces.forget(at.name)
		t.r.made.forgetNamespace(t.key.name)
		if err == nil {
			t.r.remaking.deleted(at.name)
			t.r.pods.forgetNamespace(t.key.name)
		}
	case t.key.kind == podKind && (err == nil || apierrors.IsNotFound(err)):
		t.r.pods.forget(t.key)
	}
	return t.gone(at, err)
}

// remove deletes an object with the UID of the preconditions.
func (t *task) remove(ctx context.Context, at place, opts metav1.DeleteOptions) error {
	err := t.r.target.delete(ctx, at, opts)
	if err == nil && t.r.opts.OnDeleted != nil {
		t.r.opts.OnDeleted(*opts.Preconditions.UID)
	}
	return err
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
// counts as deleted. So does one that an earlier run may have deleted, that the run deleted with
// its namespace, or that the cluster deletes by itself.
func (t *task) gone(at place, err error) error {
	switch {
	case apierrors.IsNotFound(err) && (t.r.inDoubt(t.event) || t.r.remaking.wasDeleted(at.namespace) || t.r.made.expires(t.key)):
		return nil
	case apierrors.IsNotFound(err):
		return &taskError{AbsentOnDelete, err}
	case errors.Is(err, errPassing):
		return nil
	}
	return err
}
