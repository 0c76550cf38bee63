package tracediff

// Report says in what two traces differ. Times are in unix seconds.
type Report struct {
	A    Side `json:"a"`
	B    Side `json:"b"`
	Same bool `json:"same"`
	// Config has the kinds that are followed in different ways, by name.
	Config []ConfigDifference `json:"config,omitempty"`
	// Objects has the objects that differ, by kind and name.
	Objects []ObjectDifference `json:"objects,omitempty"`
	// Index has the entries of the index that differ though the objects are the same.
	Index []IndexDifference `json:"index,omitempty"`
	// Lifecycles has the pods whose lifecycles differ, by owner.
	Lifecycles []LifecycleDifference `json:"lifecycles,omitempty"`
	// Extension has what differs under x-simkube: "event_times", "gaps", "nodes", "pods", or "x-simkube" where one trace has none or it is of a version
	// that is not known here.
	Extension []string `json:"extension,omitempty"`
	// Seconds is how many seconds there are in which something else happens.
	Seconds int64 `json:"seconds"`
	// Shift is how far the second trace was moved in time, in seconds.
	Shift int64 `json:"shift,omitempty"`
}

// Side is what one trace has.
type Side struct {
	Name    string `json:"name"`
	Start   int64  `json:"start"`
	End     int64  `json:"end"`
	Events  int64  `json:"events"`
	Applied int64  `json:"applied"`
	Deleted int64  `json:"deleted"`
}

// ConfigDifference is a kind that is followed in another way. A and B are YAML, empty where it is not followed.
type ConfigDifference struct {
	Kind string `json:"kind"`
	A    string `json:"a,omitempty"`
	B    string `json:"b,omitempty"`
}

// Change is in what an object differs.
type Change string

// The changes.
const (
	// Added is an object that only the second trace has, Removed one that only the first has.
	Added   Change = "added"
	Removed Change = "removed"
	// Changed is an object whose last manifest is another.
	Changed Change = "changed"
	// Moved is an object with the same last manifest, to which something else happened or at other times.
	Moved Change = "moved"
)

// ObjectDifference is an object that differs.
type ObjectDifference struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Change Change `json:"change"`
	// Seconds is in how many seconds something else happens to it, First and Last are the first and the last of these.
	Seconds int64 `json:"seconds"`
	First   int64 `json:"first"`
	Last    int64 `json:"last"`
	// A and B are what happens to it.
	A ObjectSide `json:"a"`
	B ObjectSide `json:"b"`
	// Diff has the lines of the last manifest as YAML that differ, in the unified format; AddedLines and RemovedLines count them.
	Diff         string `json:"diff,omitempty"`
	AddedLines   int    `json:"addedLines"`
	RemovedLines int    `json:"removedLines"`
}

// ObjectSide is what happens to an object in one trace.
type ObjectSide struct {
	// Applied and Deleted are how often it is.
	Applied int64 `json:"applied"`
	Deleted int64 `json:"deleted"`
	// Exists says that it does so when the trace ends.
	Exists bool `json:"exists"`
}

// IndexDifference is an entry of the index that differs. 0 stands for none.
type IndexDifference struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	A    uint64 `json:"a"`
	B    uint64 `json:"b"`
}

// LifecycleDifference is the pods of an owner, of one hash, whose lifecycles differ.
type LifecycleDifference struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	Hash uint64 `json:"hash"`
	// A and B are the lifecycles, in words.
	A []string `json:"a"`
	B []string `json:"b"`
}
