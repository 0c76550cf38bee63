package trace

import (
	"bytes"
)

// ExtensionVersion is the version of the value of x-simkube that is written, and the newest version
// that can be read.
const ExtensionVersion = 1

// Extension holds what SimKube records in addition to the format, under the key x-simkube; replays
// are compared with it. All times are in unix milliseconds. A time that is not known, or that has
// not come, is 0 and is not written.
type Extension struct {
	// EventTimes holds, for each event of the trace, the milliseconds within its second at which its
	// objects were recorded: first the applied objects, then the deleted ones. It says in which order
	// an object was applied and deleted that an event does both with. If its lengths do not match the
	// events, because a program changed the events without it, it has no meaning.
	EventTimes [][]uint16
	// Gaps are the periods whose changes may be missing, in order.
	Gaps []Gap
	// Nodes are the nodes of the cluster, in the order in which they appeared. A node that changed is
	// listed once for each of its shapes.
	Nodes []NodePeriod
	// Pods are the pods whose lifecycles were recorded, in order of creation.
	Pods []PodTimes
}

// Gap is a period whose changes may be missing.
type Gap struct{ From, To int64 }

// NodePeriod is a node over a period in which it did not change.
type NodePeriod struct {
	Name string
	// From and To are the bounds of the period. To is 0 if it has not ended.
	From, To int64
	NodeShape
}

// NodeShape holds the properties of a node that matter to the scheduler.
type NodeShape struct {
	Labels        map[string]string
	Taints        []Taint
	Unschedulable bool
	// Capacity and Allocatable are quantities by resource, as Kubernetes writes them.
	Capacity, Allocatable map[string]string
}

// Taint is a taint of a node.
type Taint struct{ Key, Value, Effect string }

// PodTimes holds the times of a pod.
type PodTimes struct {
	// Owner is the owner under which the pod's lifecycle is recorded.
	Owner           PodOwner
	Namespace, Name string
	// Hash is the pod hash, see [HashPodSpec].
	Hash uint64
	// Finished is when its last container ended. Started and Finished may have a resolution of
	// seconds.
	Created, Scheduled, Started, Finished, Deleted int64
	// Node is the node on which it ran, empty if it was not scheduled.
	Node string
}

// Encode returns the value of x-simkube. The same content results in the same bytes. The error is
// an ErrValue if the extension holds something that cannot be written.
func (x *Extension) Encode() ([]byte, error) {
	stream := ExtensionStream{
		EventTimes: sequence(x.EventTimes),
		Gaps:       sequence(x.Gaps),
		Nodes:      sequence(x.Nodes),
		Pods:       sequence(x.Pods),
	}
	var b bytes.Buffer
	if err := stream.Write(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
