package results

import "time"

// SchemaVersion is the version of summary.json that this package writes, and the only one it reads.
const SchemaVersion = 1

// SettingSeed is the name of the setting that holds a run's seed. A run that was left to chance has none.
const SettingSeed = "seed"

// Summary is summary.json; docs/results.md describes it for people who have only the file.
type Summary struct {
	SchemaVersion int     `json:"schemaVersion"`
	Run           RunInfo `json:"run"`
	// Outcome is the same for two runs of the same replay.
	Outcome Outcome `json:"outcome"`
	// Timing holds what two runs of the same replay need not share.
	Timing Timing `json:"timing"`
	// Measures are the measures of the run by name, see MeasuresOf: much of the above in one flat list.
	Measures map[string]float64 `json:"measures,omitempty"`
}

// RunInfo says what was run.
type RunInfo struct {
	Simulation string    `json:"simulation"`
	Trace      TraceInfo `json:"trace"`
	// Speed is trace seconds per clock second.
	Speed       float64           `json:"speed"`
	Interrupted bool              `json:"interrupted"`
	Versions    map[string]string `json:"versions,omitempty"`
	Settings    map[string]string `json:"settings,omitempty"`
	// ClockStart is the clock's instant at the start of the window.
	ClockStart time.Time `json:"clockStart"`
	// WindowStart and WindowEnd are what was observed, in trace time; all averages are over it.
	WindowStart time.Time `json:"windowStart"`
	WindowEnd   time.Time `json:"windowEnd"`
	// ClockSeconds is the length of the window on the clock, WallSeconds what the whole simulation
	// took on a real one, with start and clean-up.
	ClockSeconds float64 `json:"clockSeconds"`
	WallSeconds  float64 `json:"wallSeconds"`
}

// TraceInfo names a trace.
type TraceInfo struct {
	Path string `json:"path"`
	// SHA256 of the file in hex; empty where unknown.
	SHA256 string `json:"sha256,omitempty"`
	// Start and End are the times of the first and the last event.
	Start  time.Time `json:"start,omitzero"`
	End    time.Time `json:"end,omitzero"`
	Events int       `json:"events"`
}

// Outcome is what came of the replay, without any time in it.
type Outcome struct {
	Events   EventCounts   `json:"events"`
	Pods     PodCounts     `json:"pods"`
	Nodes    NodeCounts    `json:"nodes"`
	Problems ProblemCounts `json:"problems"`
	// ByOwner lists what made pods, ordered by namespace, kind and name. Bare pods of a namespace with
	// more than 100 of them are one entry named "*".
	ByOwner []OwnerCounts `json:"byOwner"`
}

// EventCounts counts what was replayed: events, and the objects in them.
type EventCounts struct {
	Replayed int `json:"replayed"`
	Applied  int `json:"applied"`
	Deleted  int `json:"deleted"`
}

// PodCounts counts the pods of the whole run. Created is all of them; the others overlap.
type PodCounts struct {
	Created int `json:"created"`
	// Scheduled got a node, Ran were seen running or finished.
	Scheduled int `json:"scheduled"`
	Ran       int `json:"ran"`
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	// Deleted were gone before the end.
	Deleted int `json:"deleted"`
	// NeverScheduled never got a node.
	NeverScheduled int `json:"neverScheduled"`
	// Disrupted were preempted or evicted.
	Disrupted int `json:"disrupted"`
}

// NodeCounts counts the nodes of the whole run.
type NodeCounts struct {
	// Count is how many there ever were, Deleted how many of them were gone before the end.
	Count   int `json:"count"`
	Deleted int `json:"deleted"`
}

// ProblemCounts counts what did not work as recorded.
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
	// CPUMillis and MemoryBytes are the largest requests of one pod of this owner, Resources those of other
	// resources by name.
	CPUMillis   int64            `json:"cpuMillis"`
	MemoryBytes int64            `json:"memoryBytes"`
	Resources   map[string]int64 `json:"resources,omitempty"`
}

// Timing is what came of the replay in time.
type Timing struct {
	// Pending is the time pods waited for a node, Start the time from there until they ran, in seconds
	// of the clock. Pending counts pods that never got a node with the time they waited; Start only
	// those that ran.
	Pending Waits        `json:"pending"`
	Start   Distribution `json:"start"`
	// ReplayLag is how late events were, in seconds of the clock.
	ReplayLag Distribution `json:"replayLag"`

	Pods  PodPeaks  `json:"pods"`
	Nodes NodeUsage `json:"nodes"`
	// CPU is in cores, Memory in GiB, GPU in devices of all makers.
	CPU    ResourceUsage `json:"cpu"`
	Memory ResourceUsage `json:"memory"`
	GPU    ResourceUsage `json:"gpu"`
	// Resources has all resources that a node has or a pod requests, by name, in the unit that UnitOf returns.
	Resources map[string]ResourceUsage `json:"resources,omitempty"`

	// WorstWaits are the 20 pods that waited longest, longest first; pods that waited no longer than
	// a second are left out.
	WorstWaits []Wait `json:"worstWaits"`
	// WaitReasons count pods by class of what the scheduler said while they waited, what held up most
	// pods first; a pod counts once in every class it saw.
	WaitReasons []ReasonCount `json:"waitReasons"`
	// PendingByOwner is the wait by owner, in the order of Outcome.ByOwner, of owners whose pods waited
	// longer than a second.
	PendingByOwner []OwnerWaits `json:"pendingByOwner"`
}

// Waits is the distribution of the pending time.
type Waits struct {
	Distribution
	// OverSecond counts pods that waited longer than a second; Unschedulable those the scheduler found
	// no node for at least once.
	OverSecond    int `json:"overSecond"`
	Unschedulable int `json:"unschedulable"`
}

// PodPeaks are the most pods at once, in all and by where they stood.
type PodPeaks struct {
	PeakExisting int `json:"peakExisting"`
	PeakRunning  int `json:"peakRunning"`
	PeakPending  int `json:"peakPending"`
}

// NodeUsage is what the nodes come to.
type NodeUsage struct {
	Peak int `json:"peak"`
	// Mean is the average number over the window; NodeHours, the bill, are hours of the trace.
	Mean      float64 `json:"mean"`
	NodeHours float64 `json:"nodeHours"`
}

// ResourceUsage compares what pods asked for with what nodes had. Hours are hours of the trace.
type ResourceUsage struct {
	AllocatableHours float64 `json:"allocatableHours"`
	RequestedHours   float64 `json:"requestedHours"`
	// MeanUtilization is RequestedHours / AllocatableHours, PeakUtilization the highest fraction at
	// any instant; 0 where nothing was allocatable.
	MeanUtilization float64 `json:"meanUtilization"`
	PeakUtilization float64 `json:"peakUtilization"`
	PeakAllocatable float64 `json:"peakAllocatable"`
	PeakRequested   float64 `json:"peakRequested"`
	// PeakDemand is the most that was asked for at once, by pods with and without a node.
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
	// Reason is the scheduler's last message; empty where it gave none, which means that the pod
	// stood in its queue.
	Reason      string `json:"reason"`
	CPUMillis   int64  `json:"cpuMillis"`
	MemoryBytes int64  `json:"memoryBytes"`
	// Resources are its requests of other resources.
	Resources map[string]int64 `json:"resources,omitempty"`
}

// ReasonCount is how many pods saw a class of reason, and how long these pods waited together.
type ReasonCount struct {
	Reason string `json:"reason"`
	// Mainly counts the pods for which this class ruled out the most nodes, by the last message they
	// got; Pods those that ever saw it.
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
