package results

import "time"

// SchemaVersion is the version of summary.json that this package writes, and the only one it reads.
const SchemaVersion = 1

// SettingSeed is the setting with the seed of a run. A run without a seed does not have it.
const SettingSeed = "seed"

// Summary is summary.json. docs/results.md describes the file.
type Summary struct {
	SchemaVersion int     `json:"schemaVersion"`
	Run           RunInfo `json:"run"`
	// Notes are the messages to the user before and during the run, each once.
	Notes []Note `json:"notes,omitempty"`
	// Outcome is the same for two runs of the same replay.
	Outcome Outcome `json:"outcome"`
	// Timing may differ between two runs of the same replay.
	Timing Timing `json:"timing"`
	// Measures are the measures of the run by name, see MeasuresOf: most of the above as a flat list.
	Measures map[string]float64 `json:"measures,omitempty"`
}

// RunInfo describes what was run.
type RunInfo struct {
	Simulation string    `json:"simulation"`
	Trace      TraceInfo `json:"trace"`
	// Speed is trace seconds per clock second.
	Speed       float64           `json:"speed"`
	Interrupted bool              `json:"interrupted"`
	Versions    map[string]string `json:"versions,omitempty"`
	Settings    map[string]string `json:"settings,omitempty"`
	// ClockStart is the time on the clock at the start of the window.
	ClockStart time.Time `json:"clockStart"`
	// WindowStart and WindowEnd are the observed window in trace time; averages are over it.
	WindowStart time.Time `json:"windowStart"`
	WindowEnd   time.Time `json:"windowEnd"`
	// ClockSeconds is the length of the window on the clock. WallSeconds is how long the whole
	// simulation took on a real clock, including start and clean-up.
	ClockSeconds float64 `json:"clockSeconds"`
	WallSeconds  float64 `json:"wallSeconds"`
}

// TraceInfo describes a trace.
type TraceInfo struct {
	Path string `json:"path"`
	// SHA256 of the file in hex; empty if not known.
	SHA256 string `json:"sha256,omitempty"`
	// Start and End are the times of the first and the last event.
	Start  time.Time `json:"start,omitzero"`
	End    time.Time `json:"end,omitzero"`
	Events int       `json:"events"`
}

// Outcome is the outcome of the replay, without times.
type Outcome struct {
	Events   EventCounts   `json:"events"`
	Pods     PodCounts     `json:"pods"`
	Nodes    NodeCounts    `json:"nodes"`
	Problems ProblemCounts `json:"problems"`
	// Deviations are all differences from the recording, including the problems. It is nil in a
	// summary that was written before deviations were counted.
	Deviations *Deviations `json:"deviations,omitempty"`
	// ByOwner lists the owners of pods, ordered by namespace, kind and name. If a namespace has more
	// than 100 bare pods, they are one entry named "*".
	ByOwner []OwnerCounts `json:"byOwner"`
}

// EventCounts counts replayed events, and the objects in them.
type EventCounts struct {
	Replayed int `json:"replayed"`
	Applied  int `json:"applied"`
	Deleted  int `json:"deleted"`
}

// PodCounts counts the pods of the whole run. Created counts all of them; the others overlap.
type PodCounts struct {
	Created int `json:"created"`
	// Scheduled counts pods that got a node, Ran pods that were seen running or finished.
	Scheduled int `json:"scheduled"`
	Ran       int `json:"ran"`
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	// Deleted counts pods that were deleted before the end.
	Deleted int `json:"deleted"`
	// NeverScheduled counts pods that never got a node.
	NeverScheduled int `json:"neverScheduled"`
	// Disrupted counts pods that were preempted or evicted.
	Disrupted int `json:"disrupted"`
	// Moved counts pods that ended because their node was drained or removed, and that their owner
	// replaced. Pods of DaemonSets end with their nodes: they are not in Moved, Disrupted and Failed.
	Moved int `json:"moved"`
}

// NodeCounts counts the nodes of the whole run.
type NodeCounts struct {
	// Count is the number of nodes that ever existed. Made counts those that were created after the
	// start of the window, Deleted those that were deleted before the end.
	Count   int `json:"count"`
	Made    int `json:"made"`
	Deleted int `json:"deleted"`
}

// ProblemCounts counts what could not be replayed as recorded.
type ProblemCounts struct {
	Total int `json:"total"`
	// ByCategory is ordered by category.
	ByCategory []CategoryCount `json:"byCategory"`
	// First holds the first 100, in the order of the events.
	First []Problem `json:"first"`
}

// CategoryCount is the number of problems of one category.
type CategoryCount struct {
	Category string `json:"category"`
	Count    int    `json:"count"`
}

// OwnerCounts counts the pods of one owner.
type OwnerCounts struct {
	Owner
	Pods           int `json:"pods"`
	Succeeded      int `json:"succeeded"`
	Failed         int `json:"failed"`
	NeverScheduled int `json:"neverScheduled"`
	// CPUMillis and MemoryBytes are the largest requests of one pod of this owner; Resources has those
	// of other resources by name.
	CPUMillis   int64            `json:"cpuMillis"`
	MemoryBytes int64            `json:"memoryBytes"`
	Resources   map[string]int64 `json:"resources,omitempty"`
}

// Timing is the part of the results that depends on time.
type Timing struct {
	// Pending is how long pods waited for a node, Start how long from then until they ran, in seconds
	// of the clock. Pending includes pods that never got a node, with the time they waited; Start only
	// includes pods that ran.
	Pending Waits        `json:"pending"`
	Start   Distribution `json:"start"`
	// ReplayLag is how late events were, in seconds of the clock.
	ReplayLag Distribution `json:"replayLag"`

	Pods  PodPeaks  `json:"pods"`
	Nodes NodeUsage `json:"nodes"`
	// Cost is nil if no node has a price.
	Cost *Cost `json:"cost,omitempty"`
	// Decisions counts the decisions of an autoscaler; it is empty without one.
	Decisions []DecisionCount `json:"decisions,omitempty"`
	// CPU is in cores, Memory in GiB, GPU in devices of all vendors.
	CPU    ResourceUsage `json:"cpu"`
	Memory ResourceUsage `json:"memory"`
	GPU    ResourceUsage `json:"gpu"`
	// Resources has all resources that a node had or a pod requested, by name, in the units of UnitOf.
	Resources map[string]ResourceUsage `json:"resources,omitempty"`

	// WorstWaits are the 20 pods that waited longest, longest first, without pods that waited no
	// longer than a second.
	WorstWaits []Wait `json:"worstWaits"`
	// WaitReasons counts pods that waited longer than a second by class of the scheduler's messages
	// while they waited, the class that was the main reason for most pods first. A pod counts once in
	// every class that it saw.
	WaitReasons []ReasonCount `json:"waitReasons"`
	// PendingByOwner is the wait by owner, in the order of Outcome.ByOwner, for owners with pods that
	// waited longer than a second.
	PendingByOwner []OwnerWaits `json:"pendingByOwner"`
}

// Waits is the distribution of the pending time.
type Waits struct {
	Distribution
	// OverSecond counts pods that waited longer than a second; Unschedulable those for which the
	// scheduler found no node at least once.
	OverSecond    int `json:"overSecond"`
	Unschedulable int `json:"unschedulable"`
}

// PodPeaks are the most pods at once, in total and by state.
type PodPeaks struct {
	PeakExisting int `json:"peakExisting"`
	PeakRunning  int `json:"peakRunning"`
	PeakPending  int `json:"peakPending"`
}

// NodeUsage describes the number of nodes.
type NodeUsage struct {
	Peak int `json:"peak"`
	// Mean is the average number over the window. NodeHours are hours of the trace.
	Mean      float64 `json:"mean"`
	NodeHours float64 `json:"nodeHours"`
	// Lifetime is nil if no node was removed.
	Lifetime *NodeLifetimes `json:"lifetime,omitempty"`
}

// ResourceUsage compares what pods requested with what nodes had. Hours are hours of the trace.
type ResourceUsage struct {
	AllocatableHours float64 `json:"allocatableHours"`
	RequestedHours   float64 `json:"requestedHours"`
	// MeanUtilization is RequestedHours / AllocatableHours, PeakUtilization the highest fraction at
	// any time; 0 if nothing was allocatable.
	MeanUtilization float64 `json:"meanUtilization"`
	PeakUtilization float64 `json:"peakUtilization"`
	PeakAllocatable float64 `json:"peakAllocatable"`
	PeakRequested   float64 `json:"peakRequested"`
	// PeakDemand is the most that pods with and without a node requested at once.
	PeakDemand float64 `json:"peakDemand"`
}

// Wait is one pod that waited for a node.
type Wait struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Owner     Owner  `json:"owner"`
	// Created is trace time, Seconds are of the clock.
	Created time.Time `json:"created"`
	Seconds float64   `json:"seconds"`
	// Scheduled is false for a pod that never got a node.
	Scheduled bool   `json:"scheduled"`
	Node      string `json:"node,omitempty"`
	// Reason is the scheduler's last message. It is empty if there was none: the pod was in the
	// scheduler's queue.
	Reason      string `json:"reason"`
	CPUMillis   int64  `json:"cpuMillis"`
	MemoryBytes int64  `json:"memoryBytes"`
	// Resources are its requests of other resources.
	Resources map[string]int64 `json:"resources,omitempty"`
}

// ReasonCount is how many pods saw a class of reason, and how long these pods waited in total.
type ReasonCount struct {
	Reason string `json:"reason"`
	// Mainly counts the pods for which this class ruled out the most nodes, by their last message;
	// Pods those that ever saw it.
	Mainly  int     `json:"mainly"`
	Pods    int     `json:"pods"`
	Seconds float64 `json:"seconds"`
}

// OwnerWaits is how the pods of one owner waited, in seconds of the clock.
type OwnerWaits struct {
	Owner
	OverSecond int     `json:"overSecond"`
	Mean       float64 `json:"mean"`
	P99        float64 `json:"p99"`
	Max        float64 `json:"max"`
}
