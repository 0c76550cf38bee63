package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/printable"
)

// How long to wait before retrying if the API server does not respond, and how long a watch may
// stay open: a broken connection may not be noticed before that.
const (
	firstRetry   = time.Second
	longestRetry = 30 * time.Second
	watchTime    = 5 * time.Minute
)

// follower follows one simulation until it is gone.
type follower struct {
	sims *simulations
	name string
	// see is called with the simulation, and again whenever it changes, until it returns true or an
	// error.
	see func(*simkubev1.Simulation) (bool, error)
	// notes receives messages about lost connections and retries.
	notes io.Writer

	// uid is the simulation's, once it was read. It distinguishes it from a later one of the same
	// name.
	uid types.UID
}

// run follows the simulation until see returns true or an error. If the simulation is deleted, run
// returns an error that wraps errGone; if it did not exist, another error. A watch that breaks is
// restarted.
func (f *follower) run(ctx context.Context) error {
	var pause time.Duration
	for {
		begin := f.sims.clock.Now()
		done, err := f.look(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case done:
			return err
		case err != nil:
			fmt.Fprintf(f.notes, "%s; retrying\n", printable.Text(err.Error()))
		}
		// Attempts that end early must not follow each other at once.
		pause = min(max(2*pause, firstRetry), longestRetry)
		if f.sims.clock.Since(begin) > longestRetry {
			pause = firstRetry
		}
		select {
		case <-f.sims.clock.After(pause):
		case <-ctx.Done():
		}
	}
}

// look reads the simulation and watches it for as long as the API server allows. Unless done is
// true, the error may be temporary.
func (f *follower) look(ctx context.Context) (done bool, err error) {
	listing, cancel := context.WithTimeout(ctx, apiTimeout)
	list, err := f.sims.List(listing, metav1.ListOptions{FieldSelector: only(f.name)})
	cancel()
	if err != nil {
		return f.uid == "" || !isTemporary(err), f.sims.explain(ctx, "watch", f.name, err)
	}
	if len(list.Items) == 0 {
		if f.uid == "" {
			return true, f.sims.notFound(ctx, f.name)
		}
		return true, f.gone()
	}
	if done, err := f.saw(&list.Items[0]); done || err != nil {
		return true, err
	}
	events, err := f.sims.Watch(ctx, metav1.ListOptions{
		FieldSelector: only(f.name), ResourceVersion: list.GetResourceVersion(), TimeoutSeconds: ptr.To(int64(watchTime.Seconds())),
	})
	if err != nil {
		return !isTemporary(err), f.sims.explain(ctx, "watch", f.name, err)
	}
	defer events.Stop()
	return f.events(ctx, events)
}

func (f *follower) events(ctx context.Context, events watch.Interface) (done bool, err error) {
	for event := range events.ResultChan() {
		switch object, ok := event.Object.(*unstructured.Unstructured); {
		case event.Type == watch.Error:
			err := apierrors.FromObject(event.Object)
			if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
				return false, nil
			}
			return !isTemporary(err), f.sims.explain(ctx, "watch", f.name, err)
		case !ok || event.Type == watch.Bookmark:
		case event.Type == watch.Deleted:
			return true, f.gone()
		default:
			if done, err := f.saw(object); done || err != nil {
				return true, err
			}
		}
	}
	return false, nil
}

func (f *follower) saw(object *unstructured.Unstructured) (done bool, err error) {
	if f.uid != "" && object.GetUID() != f.uid {
		return true, f.gone()
	}
	f.uid = object.GetUID()
	sim, err := asSimulation(object)
	if err != nil {
		return true, err
	}
	return f.see(sim)
}

func (f *follower) gone() error { return fmt.Errorf("watch simulation %s: %w", f.name, errGone) }

// isTemporary reports whether an API server's error may be temporary.
func isTemporary(err error) bool {
	switch {
	case errors.Is(err, context.Canceled):
		return false
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err), apierrors.IsInvalid(err), apierrors.IsBadRequest(err), isKindMissing(err):
		return false
	}
	return true
}
