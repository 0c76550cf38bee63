package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"golang.org/x/sync/errgroup"

	"simkube.io/simkube/trace"
)

const (
	cleanupPoll     = 200 * time.Millisecond
	cleanupProgress = time.Second
	// cleanupParallel bounds the requests under way.
	cleanupParallel = 16
	// settledPasses is how often nothing must be found in the whole cluster: the last write of a
	// controller may come after the first look.
	settledPasses = 2
)

// Remaining is what Cleanup still waits for: numbers of objects by kind, "v1.Pod".
type Remaining map[string]int

// String lists the kinds, "2 v1.Namespace, 31 v1.Pod".
func (r Remaining) String() string {
	parts := make([]string, 0, len(r))
	for _, kind := range slices.Sorted(maps.Keys(r)) {
		parts = append(parts, fmt.Sprint(r[kind], " ", kind))
	}
	return strings.Join(parts, ", ")
}

// Cleanup deletes the root object and everything that belongs to the simulation, and returns when all of it is
// gone. It works after any of the other methods, however they ended, and in an engine made anew. progress,
// if not nil, is told what remains, about once per second. When ctx ends first, the error names what is left.
//
// Deleting the root alone would do, by and by: the garbage collector removes what hangs off it. That the
// engine deletes the same objects itself spares the collector's delays, and reaches those that never got
// their owner.
func (e *Engine) Cleanup(ctx context.Context, progress func(Remaining)) error {
	c := &cleanup{engine: e, progress: progress}
	err := c.run(ctx)
	if err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	e.root.UID = ""
	return nil
}

// cleanup is the state of one Cleanup.
type cleanup struct {
	engine   *Engine
	progress func(Remaining)
	told     time.Time
	// complaint is the last failure that was logged.
	complaint string
}

func (c *cleanup) run(ctx context.Context) error {
	e := c.engine
	kinds, err := e.target.kinds()
	if len(kinds) == 0 {
		return fmt.Errorf("find out what kinds there are: %w", err)
	}
	look := kinds
	var found []found
	var failure error
	for settled := 0; settled < settledPasses; {
		if err := e.deleteRoot(ctx); err != nil {
			failure = err
		} else if found, err = e.survey(ctx, look); err != nil {
			failure = err
		} else {
			failure = e.remove(ctx, found)
			settled = c.next(len(found) == 0 && failure == nil, len(look) == len(kinds), settled)
			if look = kindsOf(found); len(look) == 0 {
				look = kinds
			}
			c.tell(found)
		}
		c.complain(ctx, failure)
		if settled < settledPasses {
			if err := sleepUntil(ctx, e.opts.Clock, e.opts.Clock.Now().Add(cleanupPoll)); err != nil {
				return errors.Join(fmt.Errorf("%w; left: %s", err, remaining(found)), failure)
			}
		}
	}
	return nil
}

// next counts the passes over all kinds in a row that found nothing.
func (c *cleanup) next(nothing, all bool, settled int) int {
	switch {
	case !nothing:
		return 0
	case all:
		return settled + 1
	default:
		return settled
	}
}

func (c *cleanup) tell(found []found) {
	now := c.engine.opts.Clock.Now()
	if c.progress == nil || now.Sub(c.told) < cleanupProgress && !c.told.IsZero() {
		return
	}
	c.told = now
	c.progress(remaining(found))
}

// complain logs a failure once: the same is tried again and again.
func (c *cleanup) complain(ctx context.Context, failure error) {
	if failure == nil || ctx.Err() != nil || failure.Error() == c.complaint {
		return
	}
	c.complaint = failure.Error()
	c.engine.opts.Logger.WarnContext(ctx, "clean-up tries again", "error", failure)
}

func (e *Engine) deleteRoot(ctx context.Context) error {
	err := e.target.delete(ctx, e.rootPlace(), metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete root %s: %w", e.opts.RootName, err)
	}
	return nil
}

// found are the simulation's objects of one kind.
type found struct {
	kind  kind
	items []metav1.PartialObjectMetadata
}

func remaining(found []found) Remaining {
	r := Remaining{}
	for _, f := range found {
		r[trace.FormatGVK(f.kind.gvk)] = len(f.items)
	}
	return r
}

func kindsOf(found []found) []kind {
	kinds := make([]kind, 0, len(found))
	for _, f := range found {
		kinds = append(kinds, f.kind)
	}
	return kinds
}

// survey finds the simulation's objects. A kind that went away meanwhile, or that this account may not list, has none.
func (e *Engine) survey(ctx context.Context, kinds []kind) ([]found, error) {
	all := make([]found, len(kinds))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cleanupParallel)
	for i, kind := range kinds {
		group.Go(func() error {
			items, err := e.target.list(ctx, kind.resource, e.selector())
			// What may not be listed was not made either, by an account that may do both or neither.
			if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) || apierrors.IsForbidden(err) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("list %s: %w", kind.resource.Resource, err)
			}
			items = slices.DeleteFunc(items, func(item metav1.PartialObjectMetadata) bool { return !e.mayRemove(kind, &item) })
			all[i] = found{kind, items}
			return nil
		})
	}
	err := group.Wait()
	return slices.DeleteFunc(all, func(f found) bool { return len(f.items) == 0 }), err
}

// mayRemove tells an object of this simulation from one that has the same label and another root: that of a
// simulation whose name is as long, or of what runs this one.
func (e *Engine) mayRemove(kind kind, object *metav1.PartialObjectMetadata) bool {
	if kind.resource == rootResource() {
		return object.Name == e.opts.RootName
	}
	other := false
	for _, ref := range object.OwnerReferences {
		if isRoot(ref) {
			if ref.Name == e.opts.RootName {
				return true
			}
			other = true
		}
	}
	return !other
}

// remove deletes what was found: pods after what might make new ones, namespaces last.
func (e *Engine) remove(ctx context.Context, all []found) error {
	rank := func(f found) int {
		switch f.kind.gvk.GroupKind() {
		case podKind:
			return 1
		case namespaceKind:
			return 2
		default:
			return 0
		}
	}
	for turn := range 3 {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(cleanupParallel)
		for _, f := range all {
			if rank(f) != turn {
				continue
			}
			for _, at := range f.places() {
				group.Go(func() error { return e.removeOne(ctx, f.kind, at) })
			}
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// places gives what to delete: for pods their namespaces, for all else the objects that are not going
// already.
func (f found) places() []place {
	places := map[place]bool{}
	for _, item := range f.items {
		at := place{resource: f.kind.resource, namespace: item.Namespace, name: item.Name}
		switch {
		case f.kind.gvk.GroupKind() == podKind:
			at.name = ""
		case item.DeletionTimestamp != nil:
			continue
		}
		places[at] = true
	}
	return slices.Collect(maps.Keys(places))
}

func (e *Engine) removeOne(ctx context.Context, kind kind, at place) error {
	opts := metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)}
	var err error
	if at.name == "" {
		// Nothing runs in a simulated pod that would have to be waited for.
		opts.GracePeriodSeconds = new(int64(0))
		err = e.target.deleteCollection(ctx, at, opts, e.selector())
	} else {
		err = e.target.delete(ctx, at, opts)
	}
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) ||
		apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	return fmt.Errorf("delete %s %s: %w", kind.gvk.Kind, trace.NamespacedName(at.namespace, at.name), err)
}
