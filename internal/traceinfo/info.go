// Package traceinfo finds out what is in a trace, and whether its parts agree with each other.
package traceinfo

import (
	"time"
)

// Info is what is in a trace. It has no nil slices and maps, so that its JSON always has the same form.
type Info struct {
	// Version is that of the file.
	Version int `json:"version"`
	// Start and End are the times of the first and the last event, zero where there is none.
	Start           time.Time `json:"start,omitzero"`
	End             time.Time `json:"end,omitzero"`
	DurationSeconds int64     `json:"durationSeconds"`

	Events int `json:"events"`
	// Applied and Deleted count the objects in events, Objects the distinct ones.
	Applied int `json:"applied"`
	Deleted int `json:"deleted"`
	Objects int `json:"objects"`
	// ManifestBytes are those of the manifests in the file.
	ManifestBytes int64 `json:"manifestBytes"`

	// Kinds and Namespaces are sorted by name. An object without a namespace is in the one with the empty name.
	Kinds      []Kind      `json:"kinds"`
	Namespaces []Namespace `json:"namespaces"`
	Peak       Peak        `json:"peak"`
	Lifecycles Lifecycles  `json:"lifecycles"`
	Config     Config      `json:"config"`
	Extension  *Extension  `json:"x-simkube,omitempty"`
	Checks     Checks      `json:"checks"`
}

// Kind is what is in a trace of one kind of objects.
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

// Peak is the most that the pods of the objects that existed at one time asked for. It is an upper estimate: the pods are counted that the objects
// call for, as many as there are replicas, from when they were applied until they were deleted, also those of Jobs and bare pods that had ended
// before. The pods of DaemonSets, of which every node has one, are left out, and so are those of objects whose controller is of a kind that is tracked
// itself.
type Peak struct {
	CPUMillis   int64     `json:"cpuMillis"`
	CPUAt       time.Time `json:"cpuAt,omitzero"`
	MemoryBytes int64     `json:"memoryBytes"`
	MemoryAt    time.Time `json:"memoryAt,omitzero"`
	Pods        int64     `json:"pods"`
	PodsAt      time.Time `json:"podsAt,omitzero"`
	// DaemonSets is how many there were, Unreadable how many manifests whose pods could not be told.
	DaemonSets int `json:"daemonSets"`
	Unreadable int `json:"unreadable"`
}

// Lifecycles is what is known of how long pods ran.
type Lifecycles struct {
	Owners   int `json:"owners"`
	Pods     int `json:"pods"`
	Finished int `json:"finished"`
	Running  int `json:"running"`
	Empty    int `json:"empty"`
	// Seconds are those that the finished pods ran.
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

// Config is the configuration of the tracer that made the trace.
type Config struct {
	TrackedObjects map[string]TrackedObject `json:"trackedObjects"`
}

// TrackedObject says how a kind was followed.
type TrackedObject struct {
	PodSpecTemplatePaths []string `json:"podSpecTemplatePaths,omitempty"`
	TrackLifecycle       bool     `json:"trackLifecycle,omitempty"`
	SkipOwned            bool     `json:"skipOwned,omitempty"`
}

// Extension is what SimKube recorded beyond the format.
type Extension struct {
	Bytes int `json:"bytes"`
	// Problem is why it could not be read, if so. Then the rest says nothing.
	Problem string `json:"problem,omitempty"`
	// EventTimes tells whether the milliseconds of events are there and fit the events.
	EventTimes bool  `json:"eventTimes"`
	Gaps       int   `json:"gaps"`
	GapMillis  int64 `json:"gapMillis"`
	// Nodes are the distinct ones, NodePeriods those in which one did not change.
	Nodes       int `json:"nodes"`
	NodePeriods int `json:"nodePeriods"`
	Pods        int `json:"pods"`
	// Scheduled is how many of the pods had a node.
	Scheduled int `json:"scheduled"`
}

// Checks count what does not agree with the events. All are zero in a trace as it was recorded.
type Checks struct {
	// OutOfOrder are events that are earlier than the one before.
	OutOfOrder int `json:"outOfOrder"`
	// Index compares the index with the last manifest of each object.
	Index IndexCheck `json:"index"`
	// Lifecycles compares the lifecycles with the objects.
	Lifecycles LifecycleCheck `json:"lifecycles"`
}

// IndexCheck is how the index agrees with the events.
type IndexCheck struct {
	Entries int `json:"entries"`
	// Differ are those with another hash than the object's last manifest.
	Differ int `json:"differ"`
	// Missing are objects that the index lacks, Extra those that no event applies.
	Missing int `json:"missing"`
	Extra   int `json:"extra"`
	// Examples are a few of all these.
	Examples []string `json:"examples"`
}

// LifecycleCheck is how the lifecycles agree with the events.
type LifecycleCheck struct {
	// UnknownOwners are those that no event has.
	UnknownOwners int `json:"unknownOwners"`
	// OtherPods are pod hashes with lifecycles of bare pods of which no manifest has that hash.
	OtherPods int `json:"otherPods"`
	// Reversed are lifecycles that end before they start.
	Reversed int      `json:"reversed"`
	Examples []string `json:"examples"`
}

// OK tells whether everything agrees.
func (c *Checks) OK() bool {
	return c.OutOfOrder == 0 && c.Index.Differ+c.Index.Missing+c.Index.Extra == 0 &&
		c.Lifecycles.UnknownOwners+c.Lifecycles.OtherPods+c.Lifecycles.Reversed == 0
}
