package trace

import (
	"bytes"
)

// ExtensionVersion is the version of the value of x-simkube that is written, and the newest that can be read.
const ExtensionVersion = 1

// Extension is what SimKube records beyond the format, under the key x-simkube: what a replay can be compared with. All times are in unix
// milliseconds; 0 stands for one that is not known or has not come, and is not written.
type Extension struct {
	// EventTimes has, for each event of the trace, the milliseconds within its second at which its objects were recorded: first those of the applied
	// objects, then those of the deleted ones. Who changed the events without it leaves other numbers than the events have; then it says nothing.
	EventTimes [][]uint16
	// Gaps are the times of which changes may be missing, in order.
	Gaps []Gap
	// Nodes are the nodes there were, in the order in which they came. One that changed is there once for each shape it had.
	Nodes []NodePeriod
	// Pods are the pods whose lifecycles were recorded, in the order in which they were created.
	Pods []PodTimes
}

// Gap is a time of which changes may be missing.
type Gap struct{ From, To int64 }

// NodePeriod is a node while it stayed the same.
type NodePeriod struct {
	Name string
	// From and To bound the time; To is 0 while it lasts.
	From, To int64
	NodeShape
}

// NodeShape is what of a node matters to the scheduler.
type NodeShape struct {
	Labels        map[string]string
	Taints        []Taint
	Unschedulable bool
	// Capacity and Allocatable are quantities by resource, as Kubernetes writes them.
	Capacity, Allocatable map[string]string
}

// Taint keeps pods off a node.
type Taint struct{ Key, Value, Effect string }

// PodTimes is when things happened to a pod.
type PodTimes struct {
	// Owner is whom the pod's lifecycle is recorded for.
	Owner           PodOwner
	Namespace, Name string
	// Hash is the pod hash, see [HashPodSpec].
	Hash uint64
	// Finished is when its last container ended. Started and Finished may be known in seconds only.
	Created, Scheduled, Started, Finished, Deleted int64
	// Node is where it ran, empty for a pod that was not scheduled.
	Node string
}

// Encode gives the value of x-simkube. The same content gives the same bytes. It fails with an ErrValue for what cannot be written.
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
