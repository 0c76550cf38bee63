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
	// maxChain is how many owners are followed from one object. Chains in real clusters have three or four.
	maxChain = 16
	// refusedFor is how long a kind is left alone after the API server refused to tell of one of its objects, failedFor after it could not be
	// asked for one: whoever waits for the answer waits with everything that follows.
	refusedFor = 5 * time.Minute
	failedFor  = 30 * time.Second
	// lookups are tried so often; the waits between them double from lookupWait.
	lookupTries = 5
	lookupWait  = 200 * time.Millisecond
)

// ownerGetter asks the API server for the metadata of one object. An error for which apierrors.IsNotFound or
// meta.IsNoMatchError holds says that there is no such object.
type ownerGetter interface {
	get(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*manifest.Head, error)
}

// owners knows by whom objects are owned. It learns from what the watches bring, asks for what they did not, and remembers a
// bounded number of objects by their UID, those used last. It is safe for concurrent use.
type owners struct {
	cache   *lru.Cache // uid -> ownedBy
	getter  ownerGetter
	clock   clock.WithTicker
	metrics *Metrics

	mu sync.Mutex // guards the following
	// tracked has the kinds that are followed as objects. Owner references may name another version of a kind.
	tracked map[schema.GroupKind]schema.GroupVersionKind
	pauses  map[schema.GroupKind]pause
}

// pause says until when a kind is not asked for, and why: nil if it may not be read.
type pause struct {
	until time.Time
	err   error
}

// ownedBy is what is remembered of an object: where it is, and its references.
type ownedBy struct {
	namespace string
	refs      []manifest.OwnerReference
}

func newOwners(size int, getter ownerGetter, c clock.WithTicker, metrics *Metrics) *owners {
	return &owners{cache: lru.New(size), getter: getter, clock: c, metrics: metrics, pauses: map[schema.GroupKind]pause{}}
}

// track says which kinds are followed as objects from now on.
func (o *owners) track(config *trace.Config) {
	tracked := make(map[schema.GroupKind]schema.GroupVersionKind, len(config.TrackedObjects))
	for gvk := range config.TrackedObjects {
		tracked[gvk.GroupKind()] = gvk
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tracked = tracked
}

// learn remembers an object and its owners.
func (o *owners) learn(head *manifest.Head) {
	o.remember(head.UID, head.Namespace, head.Owners)
}

// remember keeps what it is given, apart from the larger text that it may be a part of.
func (o *owners) remember(uid, namespace string, refs []manifest.OwnerReference) {
	kept := ownedBy{namespace: strings.Clone(namespace), refs: slices.Clone(refs)}
	for i := range kept.refs {
		r := &kept.refs[i]
		r.APIVersion, r.Kind, r.Name, r.UID = strings.Clone(r.APIVersion), strings.Clone(r.Kind), strings.Clone(r.Name), strings.Clone(r.UID)
	}
	o.cache.Add(strings.Clone(uid), kept)
}

// ancestors gives the tracked objects that own an object in a namespace, through any number of owners, the nearest first. Of what the API server
// does not tell, it is as if it had no owners. The error is that of ctx, or an *ownerError that says what could not be asked for: then there may be
// more ancestors than are given.
func (o *owners) ancestors(ctx context.Context, namespace string, refs []manifest.OwnerReference) ([]log.Key, error) {
	return o.walk(namespace, refs, func(gvk schema.GroupVersionKind, ref manifest.OwnerReference) (ownedBy, error) {
		return o.ask(ctx, gvk, namespace, ref)
	})
}

// recall gives the ancestors if all owners are remembered: nobody is asked.
func (o *owners) recall(namespace string, refs []manifest.OwnerReference) (found []log.Key, ok bool) {
	found, err := o.walk(namespace, refs, func(schema.GroupVersionKind, manifest.OwnerReference) (ownedBy, error) {
		return ownedBy{}, errNotRemembered
	})
	return found, err == nil
}

var errNotRemembered = errors.New("an owner is not remembered")

// walk goes from owner to owner. Those that are not remembered it gets from miss.
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
			continue // nobody can have such a kind
		}
		gvk := gv.WithKind(ref.Kind)
		owner, ok := o.remembered(ref.UID)
		if !ok {
			if owner, err = miss(gvk, ref); err != nil {
				if !errors.As(err, &failed) {
					return nil, err
				}
				owner = ownedBy{namespace: namespace} // as of one that nobody tells of
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

// trackedAs gives the version in which a kind is followed.
func (o *owners) trackedAs(kind schema.GroupKind) (schema.GroupVersionKind, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	tracked, ok := o.tracked[kind]
	return tracked, ok
}

// controllersFirst copies references, the one to the controller in front.
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

func (o *owners) remembered(uid string) (ownedBy, bool) {
	known, ok := o.cache.Get(uid)
	if !ok {
		return ownedBy{}, false
	}
	o.metrics.ownerLookups.WithLabelValues(lookupHit).Inc()
	return known.(ownedBy), true
}

// ask gets an owner from the API server and remembers it. Of one that it does not tell of, all that is known is that it has the namespace of what
// it owns.
func (o *owners) ask(ctx context.Context, gvk schema.GroupVersionKind, namespace string, ref manifest.OwnerReference) (ownedBy, error) {
	unknown := ownedBy{namespace: namespace}
	failed := &ownerError{Owner: gvk.GroupKind().String() + " " + trace.NamespacedName(namespace, ref.Name)}
	if paused, why := o.paused(gvk.GroupKind()); paused {
		if failed.Err = why; why != nil {
			o.metrics.ownerLookups.WithLabelValues(lookupFailed).Inc()
			failed.Told = true
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
			// It was deleted, and maybe another one has its name now.
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

// ownerError says that an owner could not be asked for now; another time it may be.
type ownerError struct {
	Owner string
	Err   error
	// Told says that it was not asked for this time, since one of its kind could not be a moment ago.
	Told bool
}

func (e *ownerError) Error() string { return fmt.Sprintf("look up the owner %s: %v", e.Owner, e.Err) }
func (e *ownerError) Unwrap() error { return e.Err }

// paused tells whether a kind is not to be asked for now, and why: nil if it may not be read.
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

// sleep waits, or until ctx ends, which is its error.
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

// isGone tells whether an error says that there is no such object or kind.
func isGone(err error) bool {
	var noKind *unknownKindError
	var noName *unusableNameError
	return apierrors.IsNotFound(err) || errors.As(err, &noKind) || errors.As(err, &noName)
}

// unusableNameError says that a name is none that the API server could have an object under: asked
// for, it would lead somewhere else.
type unusableNameError struct{ name, reason string }

func (e *unusableNameError) Error() string { return fmt.Sprintf("name %q %s", e.name, e.reason) }

// unknownKindError says that the API server does not serve a kind.
type unknownKindError struct{ gvk schema.GroupVersionKind }

func (e *unknownKindError) Error() string {
	return "the API server does not serve " + trace.FormatGVK(e.gvk)
}
