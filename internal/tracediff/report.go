package tracediff

// Report lists the differences between two traces. Times are in unix seconds.
type Report struct {
	A    Side `json:"a"`
	B    Side `json:"b"`
	Same bool `json:"same"`
	// Config lists the kinds whose configuration differs, by name.
	Config []ConfigDifference `json:"config,omitempty"`
	// Objects lists the objects that differ, by kind and name.
	Objects []ObjectDifference `json:"objects,omitempty"`
	// Index lists the entries of the index that differ although the objects are the same.
	Index []IndexDifference `json:"index,omitempty"`
	// Lifecycles lists the pods whose lifecycles differ, by owner.
	Lifecycles []LifecycleDifference `json:"lifecycles,omitempty"`
	// Extension lists the differing parts of x-simkube: "event_times", "gaps", "nodes", "pods", or
	// "x-simkube" if only one trace has it or its version is unknown.
	Extension []string `json:"extension,omitempty"`
	// Seconds is the number of seconds in which the operations differ.
	Seconds int64 `json:"seconds"`
	// Shift is the number of seconds by which the second trace was moved in time.
	Shift int64 `json:"shift,omitempty"`
}

// Side is a summary of one trace.
type Side struct {
	Name    string `json:"name"`
	Start   int64  `json:"start"`
	End     int64  `json:"end"`
	Events  int64  `json:"events"`
	Applied int64  `json:"applied"`
	Deleted int64  `json:"deleted"`
}

// ConfigDifference is a kind whose configuration differs. A and B are YAML, empty if the kind is
// not tracked.
type ConfigDifference struct {
	Kind string `json:"kind"`
	A    string `json:"a,omitempty"`
	B    string `json:"b,omitempty"`
}

// Change is the kind of a difference.
type Change string

// The kinds of differences.
const (
	// Added is an object that only the second trace has, Removed one that only the first has.
	Added   Change = "added"
	Removed Change = "removed"
	// Changed is an object whose last manifest differs.
	Changed Change = "changed"
	// Moved is an object with the same last manifest, but other operations or other times.
	Moved Change = "moved"
)

// ObjectDifference is an object that differs.
type ObjectDifference struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Change Change `json:"change"`
	// Seconds is the number of seconds in which its operations differ, First and Last are the first
	// and the last of these.
	Seconds int64 `json:"seconds"`
	First   int64 `json:"first"`
	Last    int64 `json:"last"`
	// A and B are the object in each trace.
	A ObjectSide `json:"a"`
	B ObjectSide `json:"b"`
	// Diff holds the differing lines of the last manifest as YAML in the unified format; AddedLines
	// and RemovedLines count them.
	Diff         string `json:"diff,omitempty"`
	AddedLines   int    `json:"addedLines"`
	RemovedLines int    `json:"removedLines"`
}

// ObjectSide is a summary of an object in one trace.
type ObjectSide struct {
	// Applied and Deleted are the numbers of these operations.
	Applied int64 `json:"applied"`
	Deleted int64 `json:"deleted"`
	// Exists is true if the object exists at the end of the trace.
	Exists bool `json:"exists"`
}

// IndexDifference is an entry of the index that differs. A hash of 0 means that there is no entry.
type IndexDifference struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	A    uint64 `json:"a"`
	B    uint64 `json:"b"`
}

// LifecycleDifference lists the lifecycles of the pods of an owner with one hash, if they differ.
type LifecycleDifference struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	Hash uint64 `json:"hash"`
	// A and B are the lifecycles as text.
	A []string `json:"a"`
	B []string `json:"b"`
}
