package manifest

import "simkube.io/simkube/trace"

// Pod is what is known of a pod's life.
type Pod struct {
	Head Head
	// NodeName is the node it is bound to, empty while it is not.
	NodeName string
	// Scheduled is when the pod was bound to its node, Started when the node took it up (status.startTime), in unix seconds; 0 while it was not.
	Scheduled, Started int64
	// Lifecycle is when its containers ran.
	Lifecycle trace.Lifecycle
}

// ParsePod reads a pod's life off its JSON. Its Lifecycle is what lifecycle.Observe gives for the decoded pod.
func ParsePod(json []byte) (Pod, error) { panic("to do") }

// ObserveDeleted gives the lifecycle of the pod if it was deleted at a time in unix seconds: if it was still running, it finished then.
func (p *Pod) ObserveDeleted(at int64) trace.Lifecycle { panic("to do") }

// PodHash gives the pod hash (see [trace.HashPodSpec]) of a pod's JSON, as it is after redaction; nil redacts nothing.
func PodHash(json []byte, r *Redactor) (uint64, error) { panic("to do") }
