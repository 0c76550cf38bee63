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

// How long to wait before asking again an API server that did not answer, and how long it may leave a watch open: a connection
// that died without a word is noticed then.
const (
	firstRetry   = time.Second
	longestRetry = 30 * time.Second
	watchTime    = 5 * time.Minute
)

// follower follows one simulation until it is gone.
type follower struct {
	sims *simulations
	name string
	// see is told of the simulation as it is, and whenever it changes, until it returns true or an error.
	see func(*simkubev1.Simulation) (bool, error)
	// notes is told when the cluster cannot be reached and that it is tried again.
	notes io.Writer

	// uid is the simulation's, once it was seen: one of the same name is another one.
	uid types.UID
}

// run follows until see has seen enough. When the simulation is gone it returns an error that wraps errGone; when there was none
// from the beginning, another. A watch that breaks is taken up again.
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
			fmt.Fprintf(f.notes, "%s; trying again\n", printable.Text(err.Error()))
		}
		// What ends soon again and again must not be begun again at once.
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

// look sees how the simulation is, and watches it as long as the API server lets it. When not done, an error may mend itself.
func (f *follower) look(ctx context.Context) (done bool, err error) {
	listing, cancel := context.WithTimeout(ctx, apiTimeout)
	list, err := f.sims.List(listing, metav1.ListOptions{FieldSelector: only(f.name)})
	cancel()
	if err != nil {
		return f.uid == "" || !mayMend(err), f.sims.explain(ctx, "watch", f.name, err)
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
		return !mayMend(err), f.sims.explain(ctx, "watch", f.name, err)
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
			return !mayMend(err), f.sims.explain(ctx, "watch", f.name, err)
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

// mayMend tells whether an error of the API server may go away by itself.
func mayMend(err error) bool {
	switch {
	case errors.Is(err, context.Canceled):
		return false
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err), apierrors.IsInvalid(err), apierrors.IsBadRequest(err), isKindMissing(err):
		return false
	}
	return true
}
