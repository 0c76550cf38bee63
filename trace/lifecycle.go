package trace

import "k8s.io/apimachinery/pkg/runtime/schema"

// LifecycleState is how far a pod got.
type LifecycleState uint8

// The states of a pod's lifecycle, in the order in which a pod goes through them.
const (
	// Empty is a pod of which no container was seen running.
	Empty LifecycleState = iota
	// Running is a pod that had started and not finished when the trace was made.
	Running
	// Finished is a pod that started and finished.
	Finished
)

// String gives the name of the state as the format spells it.
func (s LifecycleState) String() string {
	switch s {
	case Empty:
		return "Empty"
	case Running:
		return "Running"
	case Finished:
		return "Finished"
	}
	return "invalid"
}

// Lifecycle is when a pod's containers ran. Start is set unless the state is Empty, End only when it
// is Finished; both are unix seconds.
type Lifecycle struct {
	State      LifecycleState
	Start, End int64
}

// PodOwner is whom pods belong to: the topmost tracked object, or the pod itself when it is bare.
type PodOwner struct {
	GVK schema.GroupVersionKind
	// Name is the owner's namespaced name in the recorded cluster.
	Name string
}

// Lifecycles has the lifecycles of an owner's pods by pod hash (see [HashPodSpec]), in the order the pods were created.
type Lifecycles map[PodOwner]map[uint64][]Lifecycle
