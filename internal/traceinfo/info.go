// Package traceinfo collects information about a trace, and checks whether its parts are
// consistent.
package traceinfo

import (
	"time"
)

// Info is information about a trace. It has no nil slices and maps, so that its JSON always has the
// same form.
type Info struct {
	// Version is the version of the file.
	Version int `json:"version"`
	// Start and End are the times of the first and the last event, zero if there is none.
	Start           time.Time `json:"start,omitzero"`
	End             time.Time `json:"end,omitzero"`
	DurationSeconds int64     `json:"durationSeconds"`

	Events int `json:"events"`
	// Applied and Deleted count the objects in events, Objects the distinct ones.
	Applied int `json:"applied"`
	Deleted int `json:"deleted"`
	Objects int `json:"objects"`
	// ManifestBytes is the size of the manifests in the file.
	ManifestBytes int64 `json:"manifestBytes"`

	// Kinds and Namespaces are sorted by name. Objects without a namespace are counted in the one with
	// the empty name.
	Kinds      []Kind      `json:"kinds"`
	Namespaces []Namespace `json:"namespaces"`
	Peak       Peak        `json:"peak"`
	Lifecycles Lifecycles  `json:"lifecycles"`
	Config     Config      `json:"config"`
	Extension  *Extension  `json:"x-simkube,omitempty"`
	Checks     Checks      `json:"checks"`
}

// Kind counts the objects of a kind.
type Kind struct {
	Kind          string `json:"kind"`
	Applied       int    `json:"applied"`
	Deleted       int    `json:"deleted"`
	Objects       int    `json:"objects"`
	ManifestBytes int64  `json:"manifestBytes"`
}

// Namespace counts the distinct objects in a namespace.
type Namespace struct {
	Name    string `json:"name"`
	Objects int    `json:"objects"`
}

// Peak is the maximum of the requests of all pods that existed at the same time. It is an upper
// bound. The pods of an object are counted by its replicas, from when it was applied until it was
// deleted; that includes the pods of Jobs and bare pods that had already finished. The pods of
// DaemonSets, whose number depends on the nodes, are not counted, nor are those of objects with a
// controller of a tracked kind.
type Peak struct {
	CPUMillis   int64     `json:"cpuMillis"`
	CPUAt       time.Time `json:"cpuAt,omitzero"`
	MemoryBytes int64     `json:"memoryBytes"`
	MemoryAt    time.Time `json:"memoryAt,omitzero"`
	Pods        int64     `json:"pods"`
	PodsAt      time.Time `json:"podsAt,omitzero"`
	// DaemonSets is the number of DaemonSets, Unreadable the number of manifests whose requests could
	// not be determined.
	DaemonSets int `json:"daemonSets"`
	Unreadable int `json:"unreadable"`
}

// Lifecycles is a summary of how long pods ran.
type Lifecycles struct {
	Owners   int `json:"owners"`
	Pods     int `json:"pods"`
	Finished int `json:"finished"`
	Running  int `json:"running"`
	Empty    int `json:"empty"`
	// Seconds are the run times of the finished pods.
	Seconds *Quantiles `json:"seconds,omitempty"`
}

// Quantiles describe a distribution.
type Quantiles struct {
	Min int64 `json:"min"`
	P50 int64 `json:"p50"`
	P90 int64 `json:"p90"`
	P99 int64 `json:"p99"`
	Max int64 `json:"max"`
}

// Config is the configuration of the tracer that recorded the trace.
type Config struct {
	TrackedObjects map[string]TrackedObject `json:"trackedObjects"`
}

// TrackedObject is the configuration of a kind.
type TrackedObject struct {
	PodSpecTemplatePaths []string `json:"podSpecTemplatePaths,omitempty"`
	TrackLifecycle       bool     `json:"trackLifecycle,omitempty"`
	SkipOwned            bool     `json:"skipOwned,omitempty"`
}

// Extension is a summary of the trace's extension.
type Extension struct {
	Bytes int `json:"bytes"`
	// Problem is the reason why it could not be read, if so. The other fields are then empty.
	Problem string `json:"problem,omitempty"`
	// EventTimes reports whether the milliseconds of events are present and match the events.
	EventTimes bool  `json:"eventTimes"`
	Gaps       int   `json:"gaps"`
	GapMillis  int64 `json:"gapMillis"`
	// Nodes is the number of distinct nodes, NodePeriods the number of periods in which a node did not
	// change.
	Nodes       int `json:"nodes"`
	NodePeriods int `json:"nodePeriods"`
	Pods        int `json:"pods"`
	// Scheduled is the number of pods with a node.
	Scheduled int `json:"scheduled"`
}

// Checks count inconsistencies. All are zero in a trace as it was recorded.
type Checks struct {
	// OutOfOrder is the number of events that are earlier than the previous one.
	OutOfOrder int `json:"outOfOrder"`
	// Index compares the index with the last manifest of each object.
	Index IndexCheck `json:"index"`
	// Lifecycles compares the lifecycles with the objects.
	Lifecycles LifecycleCheck `json:"lifecycles"`
}

// IndexCheck is the comparison of the index with the events.
type IndexCheck struct {
	Entries int `json:"entries"`
	// Differ is the number of entries that differ from the hash of the object's last manifest.
	Differ int `json:"differ"`
	// Missing is the number of objects that are not in the index, Extra the number of entries whose
	// object no event applies.
	Missing int `json:"missing"`
	Extra   int `json:"extra"`
	// Examples are some objects of all these.
	Examples []string `json:"examples"`
}

// LifecycleCheck is the comparison of the lifecycles with the events.
type LifecycleCheck struct {
	// UnknownOwners is the number of owners that no event applies.
	UnknownOwners int `json:"unknownOwners"`
	// OtherPods is the number of pod hashes with lifecycles of bare pods for which no manifest has
	// that hash.
	OtherPods int `json:"otherPods"`
	// Reversed is the number of lifecycles that end before they start.
	Reversed int      `json:"reversed"`
	Examples []string `json:"examples"`
}

// OK reports whether there are no inconsistencies.
func (c *Checks) OK() bool {
	return c.OutOfOrder == 0 && c.Index.Differ+c.Index.Missing+c.Index.Extra == 0 &&
		c.Lifecycles.UnknownOwners+c.Lifecycles.OtherPods+c.Lifecycles.Reversed == 0
}
