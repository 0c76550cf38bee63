package mutate

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"

	"simkube.io/simkube/trace"
)

// recordedOwners are the owners under which the trace has the lifecycles of pods, of the pods that
// were admitted last. It is safe for concurrent use.
type recordedOwners struct{ cache *lru.Cache }

// recordedKey is what the pods of an owner have in common: what created them, and their hash.
type recordedKey struct {
	creator types.UID
	hash    uint64
}

func newRecordedOwners() recordedOwners { return recordedOwners{lru.New(cachedOwners)} }

func (r recordedOwners) add(pod *corev1.Pod, hash uint64, owner trace.PodOwner) {
	creator := creatorOf(pod)
	if creator == "" {
		return
	}
	key := recordedKey{creator, hash}
	if _, ok := r.cache.Get(key); !ok {
		r.cache.Add(key, owner)
	}
}

// creatorOf returns the UID of the pod's controller or, if it has none, of its first owner.
func creatorOf(pod *corev1.Pod) types.UID {
	for i := range pod.OwnerReferences {
		if ref := &pod.OwnerReferences[i]; ref.Controller != nil && *ref.Controller {
			return ref.UID
		}
	}
	if len(pod.OwnerReferences) == 0 {
		return ""
	}
	return pod.OwnerReferences[0].UID
}

// RecordedOwner returns the owner under which the trace has the lifecycles of a pod of the
// simulation, and false if it is not known. It must be called soon after the pod was created.
func (m *Mutator) RecordedOwner(pod *corev1.Pod) (trace.PodOwner, bool) {
	hash, _, tracked := trackingOf(pod)
	if !tracked {
		return trace.PodOwner{}, false
	}
	if creator := creatorOf(pod); creator != m.cfg.Root.UID {
		owner, ok := m.recorded.cache.Get(recordedKey{creator, hash})
		if !ok {
			return trace.PodOwner{}, false
		}
		return owner.(trace.PodOwner), true
	}
	return barePod(pod, m.originalNamespace(pod)), true
}
