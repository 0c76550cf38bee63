package timeline

import (
	"cmp"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// PodLifecycle is when the containers of a pod ran.
type PodLifecycle struct {
	// Hash is the pod hash, see [trace.HashPodSpec].
	Hash uint64
	trace.Lifecycle
}

// Lifecycles returns the lifecycles of an owner's pods, sorted by start. Those with the same start
// are in the order of the recording. There are none until the index is done.
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

// Owners returns the owners that have recorded lifecycles, sorted. There are none until the index
// is done.
func (f *File) Owners() []trace.PodOwner {
	tail, ok := f.Tail()
	if !ok {
		return nil
	}
	return slices.SortedFunc(maps.Keys(tail.Lifecycles), func(a, b trace.PodOwner) int {
		return cmp.Or(cmp.Compare(trace.FormatGVK(a.GVK), trace.FormatGVK(b.GVK)), cmp.Compare(a.Name, b.Name))
	})
}

// maxOwners limits the chain of owners that is followed, in case it is circular. Real chains are
// shorter.
const maxOwners = 16

// Owner returns the owner that the lifecycles of an object's pods are recorded under: the object
// itself, or the nearest of its owners that has lifecycles. ok is false if there is none, and until
// the index is done.
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
		parent, err := f.controller(key, p)
		if err != nil || parent == (Key{}) {
			return trace.PodOwner{}, false, err
		}
		key = parent
		if p, known = f.lastPlace(key); !known {
			p = Place{Event: -1} // without a manifest, only its own lifecycles can be found
		}
	}
	return trace.PodOwner{}, false, nil
}

// lastPlace returns the last place where an object occurs.
func (f *File) lastPlace(key Key) (Place, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	id, ok := f.index.lookup(key)
	if !ok {
		return Place{}, false
	}
	return f.index.place(int(f.index.objects.at(int(id)).last)), true
}

// controller returns the key of the owner of an object, according to its manifest at a place or the
// last one before it. It returns the zero Key if the object has no owner or no manifest.
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
	parent := Key{GVK: schema.FromAPIVersionAndKind(references[i].APIVersion, references[i].Kind), Namespace: key.Namespace, Name: references[i].Name}
	if _, ok := f.Find(parent); !ok {
		clusterScoped := parent
		clusterScoped.Namespace = ""
		if _, ok := f.Find(clusterScoped); ok {
			parent = clusterScoped
		}
	}
	return parent, nil
}
