package log

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Seq is the number of an entry, from 1, without holes. A later Seq never has an earlier time.
type Seq uint64

// Key identifies an object. Objects of different kinds may share a name.
type Key struct {
	GVK schema.GroupVersionKind
	// Name is "namespace/name", or "name" for a cluster-scoped object.
	Name string
}

// Op is an operation on an object.
type Op uint8

// The values of Op.
const (
	// Applied means that the object was created or changed.
	Applied Op = iota + 1
	// Deleted means that the object was deleted.
	Deleted
	// Forgotten means that the tracer does not follow the object any more. It was not deleted, and its
	// further changes are unknown.
	Forgotten
)

// Change is a change of a tracked object.
type Change struct {
	Op  Op
	Key Key
	// UID is the object's UID in the recorded cluster.
	UID string
	// Hash differs for different contents of an object. It and the following fields are set only if Op
	// is Applied.
	Hash uint64
	// Object is the sanitised manifest without owner references, canonical msgpack; see
	// [trace.ParseObject].
	Object []byte
	// References is metadata.ownerReferences as msgpack, nil if there are none.
	References []byte
	// Ancestors are the tracked objects that own this one directly or indirectly, the nearest first.
	Ancestors []Key
}

// Pod is a pod whose lifecycle is recorded. Appending one replaces the entry with the same UID.
type Pod struct {
	UID, Namespace, Name string
	// Hash is the pod hash, see [trace.HashPodSpec].
	Hash uint64
	// Tracked is whether the pod is also recorded as an object.
	Tracked bool
	// Ancestors are the tracked objects that own the pod, the nearest first.
	Ancestors []Key
	// Lifecycle is in unix seconds, as in a trace.
	Lifecycle trace.Lifecycle
	// Created, Scheduled, Started and Deleted are when it was created, bound to a node, started, and
	// deleted, in unix milliseconds; 0 if it is unknown or has not happened. Created is always set and
	// never changes, since it is part of the pod's key in the log.
	Created, Scheduled, Started, Deleted int64
	// Node is the name of the node that it was bound to.
	Node string
}

// Node is a node in an interval in which it did not change. Appending one replaces the entry with
// the same UID and From: it is first appended without To, and again with To when the node changed
// or was deleted.
type Node struct {
	UID, Name string
	// From and To are the interval in unix milliseconds; To is 0 until it ends.
	From, To int64
	// Shape is a msgpack map of labels, taints, unschedulable, capacity and allocatable.
	Shape []byte
}

// Gap is an interval, in unix milliseconds, from which changes may be missing.
type Gap struct{ From, To int64 }

// Entry is what can be appended: a *Change, *Pod, *Node or *Gap.
type Entry interface{ entry() }

func (*Change) entry() {}
func (*Pod) entry()    {}
func (*Node) entry()   {}
func (*Gap) entry()    {}

// Record is a change in the log.
type Record struct {
	Change
	Seq Seq
	// Time is in unix milliseconds.
	Time int64
}
