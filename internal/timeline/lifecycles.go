package timeline

import (
	"cmp"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// PodLifecycle is when a pod's containers ran.
type PodLifecycle struct {
	// Hash is the pod hash, see [trace.HashPodSpec].
	Hash uint64
	trace.Lifecycle
}

// Lifecycles gives the lifecycles of an owner's pods by their start, those of the same start in the order they were recorded in.
// There are none before the index is done.
func (f *File) Lifecycles(owner trace.PodOwner) []PodLifecycle {
	tail, ok := f.Tail()
	if !ok {
		return nil
	}
	hashes := tail.Lifecycles[owner]
	var pods []PodLifecycle
	for _, hash := range slices.Sorted(maps.Keys(hashes)) {
		for _, l := range hashes[hash] {
			pods = append(pods, PodLifecycle{Hash: hash, Lifecycle: l})
		}
	}
	slices.SortStableFunc(pods, func(a, b PodLifecycle) int { return cmp.Compare(a.Start, b.Start) })
	return pods
}

// Owners gives whom lifecycles are recorded of, sorted. There are none before the index is done.
func (f *File) Owners() []trace.PodOwner {
	tail, ok := f.Tail()
	if !ok {
		return nil
	}
	return slices.SortedFunc(maps.Keys(tail.Lifecycles), func(a, b trace.PodOwner) int {
		return cmp.Or(cmp.Compare(trace.FormatGVK(a.GVK), trace.FormatGVK(b.GVK)), cmp.Compare(a.Name, b.Name))
	})
}

// maxOwners is how many owners above an object are looked at: more than Kubernetes has, and an end where they go in circles.
const maxOwners = 16

// Owner gives whom the lifecycles of an object's pods are recorded of: the object itself, or else the nearest of its owners that has
// lifecycles. ok is false where there is none, and before the index is done.
func (f *File) Owner(p Place) (owner trace.PodOwner, ok bool, err error) {
	tail, done := f.Tail()
	info, known := f.ObjectAt(p)
	if !done || !known {
		return trace.PodOwner{}, false, nil
	}
	key := f.Object(info.Object)
	for range maxOwners {
		owner = trace.PodOwner{GVK: key.GVK, Name: trace.NamespacedName(key.Namespace, key.Name)}
		if len(tail.Lifecycles[owner]) > 0 {
			return owner, true, nil
		}
		above, err := f.controller(key, p)
		if err != nil || above == (Key{}) {
			return trace.PodOwner{}, false, err
		}
		key = above
		if p, known = f.lastPlace(key); !known {
			p = Place{Event: -1} // it has lifecycles, or that is the end
		}
	}
	return trace.PodOwner{}, false, nil
}

// lastPlace gives where an object occurs last.
func (f *File) lastPlace(key Key) (Place, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	id, ok := f.index.lookup(key)
	if !ok {
		return Place{}, false
	}
	return f.index.place(int(f.index.objects.at(int(id)).last)), true
}

// controller gives the object that owns the one of a key, by its manifest in a place, or the last one before it; the zero Key
// where it has no owner or no manifest.
func (f *File) controller(key Key, p Place) (Key, error) {
	for p.Deleted {
		var ok bool
		if p, ok = f.Previous(p); !ok {
			return Key{}, nil
		}
	}
	if p.Event < 0 {
		return Key{}, nil
	}
	obj, err := f.ObjectManifest(p)
	if err != nil {
		return Key{}, err
	}
	u, err := obj.Unstructured()
	if err != nil {
		return Key{}, err
	}
	references := u.GetOwnerReferences()
	if len(references) == 0 {
		return Key{}, nil
	}
	i := max(0, slices.IndexFunc(references, func(r metav1.OwnerReference) bool { return r.Controller != nil && *r.Controller }))
	above := Key{GVK: schema.FromAPIVersionAndKind(references[i].APIVersion, references[i].Kind), Namespace: key.Namespace, Name: references[i].Name}
	if _, ok := f.Find(above); !ok {
		clusterScoped := above
		clusterScoped.Namespace = ""
		if _, ok := f.Find(clusterScoped); ok {
			above = clusterScoped
		}
	}
	return above, nil
}
