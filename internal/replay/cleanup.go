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
// What belongs to it is what refers to the root as its owner, and everything with the simulation's
// labels in namespaces that do. Nothing else is deleted, whatever its labels are.
//
// Deleting the root alone would do, by and by: the garbage collector removes what hangs off it. That the
// engine deletes the same objects itself spares the collector's delays.
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
			// What may not be listed was not made either, by an account that may do both or neither.
			if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) || apierrors.IsForbidden(err) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("list %s: %w", kind.resource.Resource, err)
			}
			items = slices.DeleteFunc(items, func(item metav1.PartialObjectMetadata) bool { return !e.mayRemove(kind, &item, spaces) })
			all[i] = found{kind, items}
			return nil
		})
	}
	err = group.Wait()
	return slices.DeleteFunc(all, func(f found) bool { return len(f.items) == 0 }), err
}

// ownNamespaces returns the names of the namespaces that hang off the root.
func (e *Engine) ownNamespaces(ctx context.Context) (map[string]bool, error) {
	items, err := e.target.list(ctx, namespaceResource(), e.selector())
	if err != nil {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	names := map[string]bool{}
	for i := range items {
		if e.mayRemove(kind{resource: namespaceResource()}, &items[i], nil) {
			names[items[i].Name] = true
		}
	}
	return names, nil
}

// mayRemove reports whether an object with the simulation's labels belongs to it. The same labels,
// with another root or with none, may be those of a simulation whose name is as long, of what runs
// this one, or of a copy that somebody made.
func (e *Engine) mayRemove(kind kind, object *metav1.PartialObjectMetadata, spaces map[string]bool) bool {
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
	return !other && spaces[object.Namespace]
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

// places returns what to delete: for pods their namespaces, for all else the objects that are not
// going already, with their UIDs.
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
		// Nothing runs in a simulated pod that would have to be waited for.
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
