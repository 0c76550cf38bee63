package mutate

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"

	"golang.org/x/sync/singleflight"
)

const (
	// cachedOwners is the size of the cache: a week of CronJobs creates hundreds of thousands of
	// owners, each with a few pods that are created within seconds of each other.
	cachedOwners = 8192
	// maxOwners limits the number of owners of a pod that are followed.
	maxOwners = 64
	// ownerTimeout is the timeout of a lookup, which several pods may be waiting for.
	ownerTimeout = 10 * time.Second
)

// OwnerGetter looks up owners. GetOwner returns the metadata of the object that ref refers to, in
// namespace unless its kind is cluster-scoped. If it does not exist, or has another UID,
// apierrors.IsNotFound must be true for the error. It is called concurrently.
type OwnerGetter interface {
	GetOwner(ctx context.Context, ref metav1.OwnerReference, namespace string) (*metav1.PartialObjectMetadata, error)
}

// chain is the owners between a pod and the root.
type chain struct {
	// ours is whether the root was reached.
	ours bool
	// bare is whether the pod itself is owned by the root.
	bare bool
	// members are the owners, nearest first, without the root.
	members []member
	// top is the index of the first member that is owned by the root.
	top int
}

// member is one owner. It may be cached, because an owner below the root was created for the
// simulation, and changes of its references do not matter.
type member struct {
	gvk             schema.GroupVersionKind
	namespace, name string
	owners          []metav1.OwnerReference
}

// ownerChains finds the chains from pods to the root. Owners below the root are cached by UID.
// Owners of other pods are not, since they may be adopted later. Nor are owners that the simulation
// has deleted: a controller that has not seen that yet may still create pods for them.
type ownerChains struct {
	getter OwnerGetter
	root   types.UID

	known    *lru.Cache // types.UID -> member
	deleted  *lru.Cache // types.UID -> struct{}
	inFlight singleflight.Group
}

func newOwnerChains(getter OwnerGetter, root types.UID) *ownerChains {
	return &ownerChains{getter: getter, root: root, known: lru.New(cachedOwners), deleted: lru.New(cachedOwners)}
}

// resolve follows references, breadth first, until all owners are visited.
func (o *ownerChains) resolve(ctx context.Context, refs []metav1.OwnerReference, namespace string) (chain, error) {
	c := chain{top: -1}
	seen := map[types.UID]bool{}
	passed := map[types.UID]member{}
	c.bare = o.pointsToRoot(refs)
	c.ours = c.bare
	queue := refs
	for len(queue) > 0 {
		ref := queue[0]
		queue = queue[1:]
		if ref.UID == o.root || seen[ref.UID] {
			continue
		}
		if seen[ref.UID] = true; len(seen) > maxOwners {
			return chain{}, fmt.Errorf("more than %d owners", maxOwners)
		}
		m, err := o.get(ctx, ref, namespace)
		if err != nil {
			return chain{}, err
		}
		passed[ref.UID] = m
		if o.pointsToRoot(m.owners) {
			c.ours = true
			if c.top < 0 {
				c.top = len(c.members)
			}
		}
		c.members = append(c.members, m)
		queue = append(queue[:len(queue):len(queue)], m.owners...)
	}
	if c.ours {
		o.remember(passed)
	}
	return c, nil
}

func (o *ownerChains) pointsToRoot(refs []metav1.OwnerReference) bool {
	for _, ref := range refs {
		if ref.UID == o.root {
			return true
		}
	}
	return false
}

func (o *ownerChains) remember(passed map[types.UID]member) {
	for uid, m := range passed {
		o.known.Add(uid, m)
	}
}

// forget causes an owner to be looked up whenever it is needed.
func (o *ownerChains) forget(uid types.UID) {
	o.deleted.Add(uid, struct{}{})
	o.known.Remove(uid)
}

// get looks up an owner, once for concurrent callers. If the context of one caller ends, the lookup
// continues for the others.
func (o *ownerChains) get(ctx context.Context, ref metav1.OwnerReference, namespace string) (member, error) {
	if m, ok := o.known.Get(ref.UID); ok {
		if _, deleted := o.deleted.Get(ref.UID); !deleted {
			return m.(member), nil
		}
	}
	results := o.inFlight.DoChan(string(ref.UID), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ownerTimeout)
		defer cancel()
		return o.fetch(ctx, ref, namespace)
	})
	select {
	case result := <-results:
		if result.Err != nil {
			return member{}, result.Err
		}
		return result.Val.(member), nil
	case <-ctx.Done():
		return member{}, fmt.Errorf("look up %s %s: %w", ref.Kind, ref.Name, context.Cause(ctx))
	}
}

func (o *ownerChains) fetch(ctx context.Context, ref metav1.OwnerReference, namespace string) (member, error) {
	group, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return member{}, fmt.Errorf("owner %s %s: %w", ref.Kind, ref.Name, err)
	}
	object, err := o.getter.GetOwner(ctx, ref, namespace)
	if err != nil {
		return member{}, fmt.Errorf("look up %s %s: %w", ref.Kind, ref.Name, err)
	}
	return member{
		gvk:       group.WithKind(ref.Kind),
		namespace: object.Namespace,
		name:      object.Name,
		owners:    object.OwnerReferences,
	}, nil
}
