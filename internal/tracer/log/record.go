package log

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Seq numbers what was appended, from 1, without holes. A later Seq never has an earlier time.
type Seq uint64

// Key is what an object is known by. Objects of different kinds may share a name.
type Key struct {
	GVK schema.GroupVersionKind
	// Name is "namespace/name", or "name" for a cluster-scoped object.
	Name string
}

// Op is what happened to an object.
type Op uint8

// The values of Op.
const (
	// Applied: the object was created or changed.
	Applied Op = iota + 1
	// Deleted: the object is gone.
	Deleted
	// Forgotten: the tracer does not follow the object any more. It was not deleted, and nothing is known of it from here on.
	Forgotten
)

// Change is what happened to a tracked object.
type Change struct {
	Op  Op
	Key Key
	// UID is the object's in the recorded cluster.
	UID string
	// Hash tells two contents of an object apart. Only of an Applied one, as are the following.
	Hash uint64
	// Object is the sanitised manifest without owner references, canonical msgpack; see [trace.ParseObject].
	Object []byte
	// References is metadata.ownerReferences as msgpack, nil where there are none.
	References []byte
	// Ancestors are the tracked objects that own this one, through any number of owners, the nearest first.
	Ancestors []Key
}

// Pod is what is known of a pod whose lifecycle is recorded. Appending one replaces what the log has of the same UID.
type Pod struct {
	UID, Namespace, Name string
	// Hash is the pod hash, see [trace.HashPodSpec].
	Hash uint64
	// Tracked says that the pod is recorded as an object, too.
	Tracked bool
	// Ancestors are the tracked objects that own the pod, the nearest first.
	Ancestors []Key
	// Lifecycle is in unix seconds, as in a trace.
	Lifecycle trace.Lifecycle
	// When it was created, bound to a node, started, and deleted, in unix milliseconds; 0 where that is not known, or has not happened. Created is always known
	// and never changes: it is part of what the log keeps the pod under.
	Created, Scheduled, Started, Deleted int64
	// Node is the node it was bound to.
	Node string
}

// Node is a node as it was for a while. Appending one replaces what the log has of the same UID and From: first
// the node as it came, without To, then the same with To when it changed or went.
type Node struct {
	UID, Name string
	// From and To bound the time in unix milliseconds; To is 0 while it lasts.
	From, To int64
	// Shape is a msgpack map of labels, taints, unschedulable, capacity and allocatable.
	Shape []byte
}

// Gap is a time of which changes may be missing, in unix milliseconds.
type Gap struct{ From, To int64 }

// Entry is something to append: a *Change, *Pod, *Node or *Gap.
type Entry interface{ entry() }

func (*Change) entry() {}
func (*Pod) entry()    {}
func (*Node) entry()   {}
func (*Gap) entry()    {}

// Record is a change as it stands in the log.
type Record struct {
	Change
	Seq Seq
	// Time is in unix milliseconds.
	Time int64
}
