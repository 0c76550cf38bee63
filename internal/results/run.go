package results

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/packing"
)

// Run has all results of one simulation. It is plain data. Rows are in the order that their type
// documents, and a Run that is read from a folder equals the one that was written.
type Run struct {
	Summary  Summary
	Pods     []Pod
	Nodes    []NodeRow
	Timeline []TimelineRow
	Events   []EventRow
	// Decisions are those of an autoscaler; there are none without one.
	Decisions []DecisionRow
}

// Pod is a row of pods.parquet: one pod, from its creation to its end. Rows are ordered by creation
// time, then namespace, name and UID. Times are trace time with the clock's precision
// (microseconds); null (the zero time) means that it did not happen while the simulation was
// observed.
type Pod struct {
	UID       string `parquet:"uid"`
	Namespace string `parquet:"namespace,dict"`
	Name      string `parquet:"name"`
	// OriginalNamespace is the namespace in the recorded cluster, or Namespace if that is not known.
	OriginalNamespace string `parquet:"original_namespace,dict"`
	// OwnerKind and OwnerName name the object that made the pod in the recorded cluster, as far as it
	// is known from the pod: see [OwnerOf].
	OwnerKind string `parquet:"owner_kind,dict"`
	OwnerName string `parquet:"owner_name,dict"`

	Created   time.Time `parquet:"created,timestamp(microsecond),optional"`
	Scheduled time.Time `parquet:"scheduled,timestamp(microsecond),optional"`
	Running   time.Time `parquet:"running,timestamp(microsecond),optional"`
	Finished  time.Time `parquet:"finished,timestamp(microsecond),optional"`
	Deleted   time.Time `parquet:"deleted,timestamp(microsecond),optional"`

	// Phase is the last one seen: Pending, Running, Succeeded or Failed.
	Phase string `parquet:"phase,dict"`
	Node  string `parquet:"node,dict"`
	// Requests are what the scheduler counts: the larger of the containers' sum (with sidecars) and
	// the largest init container, plus overhead.
	CPUMillis   int64 `parquet:"cpu_millis"`
	MemoryBytes int64 `parquet:"memory_bytes"`
	GPUs        int64 `parquet:"gpus"`
	// Resources are the requests of other resources, including GPUs by name; ordered by name.
	Resources     []PodResource `parquet:"resources,list"`
	PriorityClass string        `parquet:"priority_class,dict"`

	// PendingSeconds is how long the pod waited for a node, StartSeconds how long from then until it
	// ran, both in seconds of the clock. A pod without a node waited until it was deleted or the
	// observation ended.
	PendingSeconds float64 `parquet:"pending_seconds"`
	StartSeconds   float64 `parquet:"start_seconds"`
	// FirstWaitReason and LastWaitReason are the first and the last message of the scheduler while the
	// pod waited; WaitReasons counts the changes of the message.
	FirstWaitReason string `parquet:"first_wait_reason,dict"`
	LastWaitReason  string `parquet:"last_wait_reason,dict"`
	WaitReasons     int32  `parquet:"wait_reasons"`
	// WaitClasses are the classes of all messages seen (see [WaitClasses]), joined with "; ".
	WaitClasses string `parquet:"wait_classes,dict"`
	// Disruption is why the pod was evicted or preempted, such as PreemptionByScheduler; empty if it
	// was not.
	Disruption string `parquet:"disruption,dict"`
}

// PodResource is how much a pod requests of a resource, in its base unit: bytes or a count.
type PodResource struct {
	Resource  string `parquet:"resource,dict"`
	Requested int64  `parquet:"requested"`
}

// NodeRow is a row of nodes.parquet: what was requested of a node from Time until the node's next
// row. Rows are ordered by node, then time. A node has a row when it appears, one at each time of
// the timeline at which its allocation differs from the row before, and one when it is deleted
// (Deleted is set and equal to Time). The columns about its life are the same in every row.
type NodeRow struct {
	Node string    `parquet:"node,dict"`
	Time time.Time `parquet:"time,timestamp(microsecond)"`

	Pods        int32 `parquet:"pods"`
	CPUMillis   int64 `parquet:"cpu_requested_millis"`
	MemoryBytes int64 `parquet:"memory_requested_bytes"`
	GPUs        int64 `parquet:"gpus_requested"`
	// Resources are the other resources, including GPUs by name; ordered by name.
	Resources []NodeResource `parquet:"resources,list"`

	Created                time.Time `parquet:"created,timestamp(microsecond),optional"`
	Ready                  time.Time `parquet:"ready,timestamp(microsecond),optional"`
	Deleted                time.Time `parquet:"deleted,timestamp(microsecond),optional"`
	CPUAllocatableMillis   int64     `parquet:"cpu_allocatable_millis"`
	MemoryAllocatableBytes int64     `parquet:"memory_allocatable_bytes"`
	GPUsAllocatable        int64     `parquet:"gpus_allocatable"`
	PodsAllocatable        int64     `parquet:"pods_allocatable"`
	InstanceType           string    `parquet:"instance_type,dict"`
	Zone                   string    `parquet:"zone,dict"`
	// CapacityType and NodePool are labels of Karpenter. PricePerHour is in US dollars, 0 if the node
	// has no price.
	CapacityType string  `parquet:"capacity_type,dict"`
	NodePool     string  `parquet:"node_pool,dict"`
	PricePerHour float64 `parquet:"price_per_hour"`
	// LaunchReason and RemovalReason are why the autoscaler launched and removed the node, such as
	// Provisioned and Underutilized. ReplacedBy are the nodes that replaced it, and SavedPerHour is
	// what that saved in US dollars per hour, by the autoscaler's estimate.
	LaunchReason  string   `parquet:"launch_reason,dict"`
	RemovalReason string   `parquet:"removal_reason,dict"`
	ReplacedBy    []string `parquet:"replaced_by,list"`
	SavedPerHour  float64  `parquet:"saved_per_hour"`
}

// NodeResource is how much a node has of a resource, and how much of it is requested.
type NodeResource struct {
	Resource    string `parquet:"resource,dict"`
	Requested   int64  `parquet:"requested"`
	Allocatable int64  `parquet:"allocatable"`
}

// TimelineRow is a row of timeline.parquet: the state at Time, after everything that happened at
// that time. Rows are evenly spaced in trace time, at most about 2,000, the last one at the end.
type TimelineRow struct {
	Time time.Time `parquet:"time,timestamp(microsecond)"`

	// Pods that exist, by state: without a node, on a node but not running yet, running, finished.
	Pending   int32 `parquet:"pods_pending"`
	Starting  int32 `parquet:"pods_starting"`
	Running   int32 `parquet:"pods_running"`
	Succeeded int32 `parquet:"pods_succeeded"`
	Failed    int32 `parquet:"pods_failed"`
	// PendingMax is the most pods that were pending at once since the row before.
	PendingMax int32 `parquet:"pods_pending_max"`
	// CreatedTotal and DeletedTotal count from the start.
	CreatedTotal int32 `parquet:"pods_created_total"`
	DeletedTotal int32 `parquet:"pods_deleted_total"`

	Nodes      int32 `parquet:"nodes"`
	NodesReady int32 `parquet:"nodes_ready"`

	// Requested is for pods that have a node and are not finished, Pending for pods without a node,
	// Allocatable for all ready nodes.
	CPURequestedMillis     int64 `parquet:"cpu_requested_millis"`
	CPUPendingMillis       int64 `parquet:"cpu_pending_millis"`
	CPUAllocatableMillis   int64 `parquet:"cpu_allocatable_millis"`
	MemoryRequestedBytes   int64 `parquet:"memory_requested_bytes"`
	MemoryPendingBytes     int64 `parquet:"memory_pending_bytes"`
	MemoryAllocatableBytes int64 `parquet:"memory_allocatable_bytes"`
	GPUsRequested          int64 `parquet:"gpus_requested"`
	GPUsPending            int64 `parquet:"gpus_pending"`
	GPUsAllocatable        int64 `parquet:"gpus_allocatable"`
	// Resources are the other resources: the number of pods, then others by name, including GPUs.
	Resources []TimelineResource `parquet:"resources,list"`

	// Costs are what the nodes with a price cost, of each node pool and capacity type that has any;
	// ordered by them. LowerBoundPerHour is [Cost.LowerBound] per hour, for the pods at this time.
	Costs             []TimelineCost `parquet:"costs,list"`
	LowerBoundPerHour float64        `parquet:"lower_bound_per_hour"`

	// Events were replayed since the row before; the lags, in seconds of the clock, are theirs.
	Events        int32   `parquet:"events"`
	LagP99Seconds float64 `parquet:"lag_p99_seconds"`
	LagMaxSeconds float64 `parquet:"lag_max_seconds"`
}

// TimelineResource is how much of a resource is requested by pods on nodes and by pods without a
// node, and how much all ready nodes have.
type TimelineResource struct {
	Resource    string `parquet:"resource,dict"`
	Requested   int64  `parquet:"requested"`
	Pending     int64  `parquet:"pending"`
	Allocatable int64  `parquet:"allocatable"`
}

// TimelineCost is what the nodes of a node pool and a capacity type cost, in US dollars per hour.
type TimelineCost struct {
	NodePool     string  `parquet:"node_pool,dict"`
	CapacityType string  `parquet:"capacity_type,dict"`
	PricePerHour float64 `parquet:"price_per_hour"`
}

// Amounts returns a row's amounts of a resource: millicores of CPU, bytes, or a count. They are
// zero for a resource that the run does not have.
func (r *TimelineRow) Amounts(resource string) TimelineResource {
	switch resource {
	case string(corev1.ResourceCPU):
		return TimelineResource{resource, r.CPURequestedMillis, r.CPUPendingMillis, r.CPUAllocatableMillis}
	case string(corev1.ResourceMemory):
		return TimelineResource{resource, r.MemoryRequestedBytes, r.MemoryPendingBytes, r.MemoryAllocatableBytes}
	case AllGPUs:
		return TimelineResource{resource, r.GPUsRequested, r.GPUsPending, r.GPUsAllocatable}
	}
	for _, a := range r.Resources {
		if a.Resource == resource {
			return a
		}
	}
	return TimelineResource{Resource: resource}
}

// EventRow is a row of events.parquet: one replayed event of the trace. Rows are ordered by Index.
type EventRow struct {
	Index int64 `parquet:"index"`
	// Time is the time of the event in the trace.
	Time time.Time `parquet:"time,timestamp(microsecond)"`
	// LagSeconds is how late the event was, DurationSeconds how long applying it took, in seconds of
	// the clock.
	LagSeconds      float64 `parquet:"lag_seconds"`
	DurationSeconds float64 `parquet:"duration_seconds"`
	Applied         int32   `parquet:"applied"`
	Deleted         int32   `parquet:"deleted"`
	Problems        int32   `parquet:"problems"`
}

// Event is the report of one replayed event. Due, Started and Done are times on the clock.
type Event struct {
	Index     int
	TraceTime time.Time
	Due       time.Time
	Started   time.Time
	Done      time.Time
	// Lag is how late the event was.
	Lag              time.Duration
	Applied, Deleted int
	Problems         []Problem
}

// Problem is something that could not be replayed as recorded: an object that the API server
// rejected, an unknown kind, an object to delete that did not exist.
type Problem struct {
	// Category groups problems in the summary: a short stable word such as "rejected".
	Category string `json:"category"`
	// Object names the object: kind and namespaced name.
	Object  string `json:"object"`
	Message string `json:"message"`
	// Time is trace time; zero if the problem has none.
	Time time.Time `json:"time,omitzero"`
}

// Info is what the recorder cannot observe.
type Info struct {
	Simulation string
	Trace      TraceInfo
	Times      TimeMap
	// End is the end of the observation, on the clock. What was recorded later, such as deletions in a
	// clean-up, is left out.
	End time.Time
	// Wall is how long the whole simulation took on a real clock.
	Wall        time.Duration
	Interrupted bool
	// Versions name the parts: "simkube", "kubernetes", "kwok".
	Versions map[string]string
	// Settings are what the run was started with, for people to read: "nodes", "time", "scheduler".
	Settings map[string]string
	// Problems that belong to no event.
	Problems []Problem
	// Notes are the messages to the user before and during the run. Repeated ones are kept once.
	Notes []Note
	// Deviations that the recorder cannot know. It adds those of problems, and those of pods that
	// differ from Recording.
	Deviations []Deviation
	// Offers are the instances that nodes could be, with their prices; nil if there is no price list.
	Offers []packing.Offer
	// Recording is what pods are compared with; nil if nothing was recorded of any.
	Recording *Recording
}
