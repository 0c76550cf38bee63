package tracer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"
	"k8s.io/utils/lru"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/internal/tracer/manifest"
	"simkube.io/simkube/trace"
)

const (
	// maxChain limits the number of owners that are followed from one object. Chains in real clusters
	// have three or four.
	maxChain = 16
	// refusedFor is how long the objects of a kind are not requested after the API server refused to
	// return one of them, failedFor after a request failed: while a lookup waits, so do all following
	// events.
	refusedFor = 5 * time.Minute
	failedFor  = 30 * time.Second
	// lookupTries is the number of attempts of a lookup; the waits between them double from
	// lookupWait.
	lookupTries = 5
	lookupWait  = 200 * time.Millisecond
)

// ownerGetter requests the metadata of an object from the API server. If isGone is true for the
// error, there is no such object.
type ownerGetter interface {
	get(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*manifest.Head, error)
}

// owners looks up the owners of objects. It stores the owners of objects that the watches have
// seen, requests others from the API server, and caches the most recently used objects by UID. It
// is safe for concurrent use.
type owners struct {
	cache   *lru.Cache // uid -> ownedBy
	getter  ownerGetter
	clock   clock.WithTicker
	metrics *Metrics

	mu sync.Mutex // guards the following
	// tracked are the kinds that are followed as objects. Owner references may have another version of
	// a kind.
	tracked map[schema.GroupKind]schema.GroupVersionKind
	pauses  map[schema.GroupKind]pause
}

// pause is the time until which a kind is not requested, and the reason: nil if it is forbidden.
type pause struct {
	until time.Time
	err   error
}

// ownedBy is the cached part of an object: its namespace and its owner references.
type ownedBy struct {
	namespace string
	refs      []manifest.OwnerReference
}

func newOwners(size int, getter ownerGetter, c clock.WithTicker, metrics *Metrics) *owners {
	return &owners{cache: lru.New(size), getter: getter, clock: c, metrics: metrics, pauses: map[schema.GroupKind]pause{}}
}

// track sets the kinds that are followed as objects.
func (o *owners) track(config *trace.Config) {
	tracked := make(map[schema.GroupKind]schema.GroupVersionKind, len(config.TrackedObjects))
	for gvk := range config.TrackedObjects {
		tracked[gvk.GroupKind()] = gvk
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tracked = tracked
}

// learn caches an object and its owners.
func (o *owners) learn(head *manifest.Head) {
	o.remember(head.UID, head.Namespace, head.Owners)
}

// remember caches copies of its arguments, which may be parts of larger strings.
func (o *owners) remember(uid, namespace string, refs []manifest.OwnerReference) {
	kept := ownedBy{namespace: strings.Clone(namespace), refs: slices.Clone(refs)}
	for i := range kept.refs {
		r := &kept.refs[i]
		r.APIVersion, r.Kind, r.Name, r.UID = strings.Clone(r.APIVersion), strings.Clone(r.Kind), strings.Clone(r.Name), strings.Clone(r.UID)
	}
	o.cache.Add(strings.Clone(uid), kept)
}

// ancestors returns the tracked objects that own an object in a namespace directly or indirectly,
// the nearest first. Objects that the API server does not return count as having no owners. The
// error is that of ctx, or an *ownerError if an owner could not be looked up: then there may be
// more ancestors than the returned ones.
func (o *owners) ancestors(ctx context.Context, namespace string, refs []manifest.OwnerReference) ([]log.Key, error) {
	return o.walk(namespace, refs, func(gvk schema.GroupVersionKind, ref manifest.OwnerReference) (ownedBy, error) {
		return o.ask(ctx, gvk, namespace, ref)
	})
}

// recall returns the ancestors if all owners are cached. It requests nothing.
func (o *owners) recall(namespace string, refs []manifest.OwnerReference) (found []log.Key, ok bool) {
	found, err := o.walk(namespace, refs, func(schema.GroupVersionKind, manifest.OwnerReference) (ownedBy, error) {
		return ownedBy{}, errNotCached
	})
	return found, err == nil
}

var errNotCached = errors.New("an owner is not cached")

// walk follows the owners. It calls miss for those that are not cached.
func (o *owners) walk(
	namespace string, refs []manifest.OwnerReference, miss func(schema.GroupVersionKind, manifest.OwnerReference) (ownedBy, error),
) ([]log.Key, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	var found []log.Key
	var failed *ownerError
	seen := make([]string, 0, 4)
	queue := controllersFirst(refs)
	for ; len(queue) > 0 && len(seen) < maxChain; queue = queue[1:] {
		ref := queue[0]
		if slices.Contains(seen, ref.UID) {
			continue
		}
		seen = append(seen, ref.UID)
		gv, err := schema.ParseGroupVersion(ref.APIVersion)
		if err != nil {
			continue // there is no such kind
		}
		gvk := gv.WithKind(ref.Kind)
		owner, ok := o.cached(ref.UID)
		if !ok {
			if owner, err = miss(gvk, ref); err != nil {
				if !errors.As(err, &failed) {
					return nil, err
				}
				owner = ownedBy{namespace: namespace} // like one that the API server does not return
			}
		}
		if tracked, ok := o.trackedAs(gvk.GroupKind()); ok {
			key := log.Key{GVK: tracked, Name: trace.NamespacedName(owner.namespace, ref.Name)}
			if !slices.Contains(found, key) {
				found = append(found, key)
			}
		}
		queue = append(queue, controllersFirst(owner.refs)...)
	}
	if failed != nil {
		return found, failed
	}
	return found, nil
}

// trackedAs returns the version in which a kind is followed.
func (o *owners) trackedAs(kind schema.GroupKind) (schema.GroupVersionKind, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	tracked, ok := o.tracked[kind]
	return tracked, ok
}

// controllersFirst returns a copy of the references with the controller first.
func controllersFirst(refs []manifest.OwnerReference) []manifest.OwnerReference {
	sorted := slices.Clone(refs)
	slices.SortStableFunc(sorted, func(a, b manifest.OwnerReference) int {
		switch {
		case a.Controller == b.Controller:
			return 0
		case a.Controller:
			return -1
		default:
			return 1
		}
	})
	return sorted
}

func (o *owners) cached(uid string) (ownedBy, bool) {
	known, ok := o.cache.Get(uid)
	if !ok {
		return ownedBy{}, false
	}
	o.metrics.ownerLookups.WithLabelValues(lookupHit).Inc()
	return known.(ownedBy), true
}

// ask requests an owner from the API server and caches it. An owner that the API server does not
// return is assumed to be in the namespace of the object it owns.
func (o *owners) ask(ctx context.Context, gvk schema.GroupVersionKind, namespace string, ref manifest.OwnerReference) (ownedBy, error) {
	unknown := ownedBy{namespace: namespace}
	failed := &ownerError{Owner: gvk.GroupKind().String() + " " + trace.NamespacedName(namespace, ref.Name)}
	if paused, why := o.paused(gvk.GroupKind()); paused {
		if failed.Err = why; why != nil {
			o.metrics.ownerLookups.WithLabelValues(lookupFailed).Inc()
			failed.Repeated = true
			return ownedBy{}, failed
		}
		o.metrics.ownerLookups.WithLabelValues(lookupRefused).Inc()
		return unknown, nil
	}
	var err error
	wait := lookupWait
	for range lookupTries {
		var head *manifest.Head
		head, err = o.getter.get(ctx, gvk, namespace, ref.Name)
		switch {
		case err == nil && head.UID == ref.UID:
			o.metrics.ownerLookups.WithLabelValues(lookupGot).Inc()
			o.learn(head)
			return ownedBy{namespace: head.Namespace, refs: head.Owners}, nil
		case err == nil, isGone(err):
			// It was deleted, and another object may have its name now.
			o.metrics.ownerLookups.WithLabelValues(lookupMissing).Inc()
			o.remember(ref.UID, namespace, nil)
			return unknown, nil
		case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
			o.metrics.ownerLookups.WithLabelValues(lookupRefused).Inc()
			o.pause(gvk.GroupKind(), refusedFor, nil)
			return unknown, nil
		}
		if sleepErr := sleep(ctx, o.clock, wait); sleepErr != nil {
			return ownedBy{}, sleepErr
		}
		wait *= 2
	}
	o.metrics.ownerLookups.WithLabelValues(lookupFailed).Inc()
	o.pause(gvk.GroupKind(), failedFor, err)
	failed.Err = err
	return ownedBy{}, failed
}

// ownerError is returned if an owner could not be looked up temporarily.
type ownerError struct {
	Owner string
	Err   error
	// Repeated is whether it was not requested this time, because a previous request for its kind
	// failed.
	Repeated bool
}

func (e *ownerError) Error() string { return fmt.Sprintf("look up the owner %s: %v", e.Owner, e.Err) }
func (e *ownerError) Unwrap() error { return e.Err }

// paused reports whether a kind must not be requested now, and the reason: nil if it is forbidden.
func (o *owners) paused(kind schema.GroupKind) (yes bool, why error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r, ok := o.pauses[kind]
	if ok && !o.clock.Now().Before(r.until) {
		delete(o.pauses, kind)
		return false, nil
	}
	return ok, r.err
}

func (o *owners) pause(kind schema.GroupKind, d time.Duration, why error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pauses[kind] = pause{until: o.clock.Now().Add(d), err: why}
}

// sleep waits, or returns the cause of ctx when it ends.
func sleep(ctx context.Context, c clock.WithTicker, d time.Duration) error {
	timer := c.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C():
		return nil
	}
}

// isGone reports whether an error means that there is no such object or kind.
func isGone(err error) bool {
	var noKind *unknownKindError
	var noName *unusableNameError
	return apierrors.IsNotFound(err) || errors.As(err, &noKind) || errors.As(err, &noName)
}

// unusableNameError is returned for a name that no object can have, and with which the path of the
// request would lead elsewhere.
type unusableNameError struct{ name, reason string }

func (e *unusableNameError) Error() string { return fmt.Sprintf("name %q %s", e.name, e.reason) }

// unknownKindError is returned if the API server does not serve a kind.
type unknownKindError struct{ gvk schema.GroupVersionKind }

func (e *unknownKindError) Error() string {
	return "the API server does not serve " + trace.FormatGVK(e.gvk)
}
