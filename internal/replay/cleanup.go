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
	"k8s.io/apimachinery/pkg/types"

	"golang.org/x/sync/errgroup"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/trace"
)

const (
	cleanupPoll     = 200 * time.Millisecond
	cleanupProgress = time.Second
	// cleanupParallel is the maximum number of concurrent requests.
	cleanupParallel = 16
	// settledPasses is how many passes over the whole cluster must find nothing: a controller may
	// write after the first.
	settledPasses = 2
)

// Remaining is what Cleanup waits for: the number of objects by kind, such as "v1.Pod".
type Remaining map[string]int

// String returns the kinds, as in "2 v1.Namespace, 31 v1.Pod".
func (r Remaining) String() string {
	parts := make([]string, 0, len(r))
	for _, kind := range slices.Sorted(maps.Keys(r)) {
		parts = append(parts, fmt.Sprint(r[kind], " ", kind))
	}
	return strings.Join(parts, ", ")
}

// Cleanup deletes the root object and everything that belongs to the simulation, and returns when
// all of it is gone. It may be called after any other method, whether that succeeded or not, and on
// a new engine. If progress is not nil, it is called about once per second with what remains. If
// ctx ends first, the error names what is left.
//
// These objects belong to the simulation: those with an owner reference to the root, and those with
// the labels of the simulation in namespaces with one, or in any if the cluster is not shared.
// Nothing else is deleted.
//
// Deleting the root is enough for the garbage collector to delete the rest. The engine deletes the
// objects itself to avoid the delays of the collector.
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
	reported time.Time
	// lastFailure is the last failure that was logged.
	lastFailure string
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
			c.report(found)
		}
		c.logFailure(ctx, failure)
		if settled < settledPasses {
			if err := sleepUntil(ctx, e.opts.Clock, e.opts.Clock.Now().Add(cleanupPoll)); err != nil {
				return errors.Join(fmt.Errorf("%w; left: %s", err, remaining(found)), failure)
			}
		}
	}
	return nil
}

// next returns how many consecutive passes over all kinds have found nothing.
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

func (c *cleanup) report(found []found) {
	now := c.engine.opts.Clock.Now()
	if c.progress == nil || now.Sub(c.reported) < cleanupProgress && !c.reported.IsZero() {
		return
	}
	c.reported = now
	c.progress(remaining(found))
}

// logFailure logs a failure, unless it is the same as the last one.
func (c *cleanup) logFailure(ctx context.Context, failure error) {
	if failure == nil || ctx.Err() != nil || failure.Error() == c.lastFailure {
		return
	}
	c.lastFailure = failure.Error()
	c.engine.opts.Logger.WarnContext(ctx, "clean-up tries again", "error", failure)
}

func (e *Engine) deleteRoot(ctx context.Context) error {
	root, err := e.target.get(ctx, e.rootPlace())
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("look up root %s: %w", e.opts.RootName, err)
	case root.Labels[simkubev1.LabelSimulation] != simkubev1.LabelValue(e.opts.Simulation):
		return fmt.Errorf("root %s %w", e.opts.RootName, errNotOurs)
	}
	opts := metav1.DeleteOptions{
		PropagationPolicy: new(metav1.DeletePropagationBackground),
		Preconditions:     &metav1.Preconditions{UID: &root.UID},
	}
	if err := e.target.delete(ctx, e.rootPlace(), opts); err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("delete root %s: %w", e.opts.RootName, err)
	}
	return nil
}

// found are the objects of the simulation of one kind.
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

// survey returns the simulation's objects. A kind that is no longer served, or that this account is
// not allowed to list, has none.
func (e *Engine) survey(ctx context.Context, kinds []kind) ([]found, error) {
	spaces, err := e.ownNamespaces(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]found, len(kinds))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cleanupParallel)
	for i, kind := range kinds {
		group.Go(func() error {
			items, err := e.target.list(ctx, kind.resource, e.selector())
			// An account that is not allowed to list a kind is not allowed to create it either.
			if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) || apierrors.IsForbidden(err) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("list %s: %w", kind.resource.Resource, err)
			}
			items = slices.DeleteFunc(items, func(item metav1.PartialObjectMetadata) bool { return !e.belongs(kind, &item, spaces) })
			all[i] = found{kind, items}
			return nil
		})
	}
	err = group.Wait()
	return slices.DeleteFunc(all, func(f found) bool { return len(f.items) == 0 }), err
}

// ownNamespaces returns the names of the namespaces with an owner reference to the root.
func (e *Engine) ownNamespaces(ctx context.Context) (map[string]bool, error) {
	items, err := e.target.list(ctx, namespaceResource(), e.selector())
	if err != nil {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	names := map[string]bool{}
	for i := range items {
		if e.belongs(kind{resource: namespaceResource()}, &items[i], nil) {
			names[items[i].Name] = true
		}
	}
	return names, nil
}

// belongs reports whether an object with the labels of the simulation belongs to it. The labels
// alone are not enough: with the reference to another root or with none, the object may belong to a
// simulation with a similar name, to what runs this one, or be a copy that a user made.
func (e *Engine) belongs(kind kind, object *metav1.PartialObjectMetadata, spaces map[string]bool) bool {
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
	return !other && (spaces[object.Namespace] || !e.opts.Shared)
}

// remove deletes the objects: pods after what may create new ones, namespaces last.
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
			for at, uid := range f.places() {
				group.Go(func() error { return e.removeOne(ctx, f.kind, at, uid) })
			}
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// places returns what to delete, with UIDs: the namespaces of pods, and all other objects that are
// not being deleted.
func (f found) places() map[place]types.UID {
	places := map[place]types.UID{}
	for _, item := range f.items {
		at, uid := place{resource: f.kind.resource, namespace: item.Namespace, name: item.Name}, item.UID
		switch {
		case f.kind.gvk.GroupKind() == podKind:
			at.name, uid = "", ""
		case item.DeletionTimestamp != nil:
			continue
		}
		places[at] = uid
	}
	return places
}

func (e *Engine) removeOne(ctx context.Context, kind kind, at place, uid types.UID) error {
	opts := metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)}
	var err error
	if at.name == "" {
		// Nothing runs in a simulated pod, so there is nothing to wait for.
		opts.GracePeriodSeconds = new(int64(0))
		err = e.target.deleteCollection(ctx, at, opts, e.selector())
	} else {
		opts.Preconditions = &metav1.Preconditions{UID: &uid}
		err = e.target.delete(ctx, at, opts)
	}
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) ||
		apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	return fmt.Errorf("delete %s %s: %w", kind.gvk.Kind, trace.NamespacedName(at.namespace, at.name), err)
}
