package v1

import "time"

// TracerStatus is what a tracer is doing.
//
// +kubebuilder:object:generate=false
type TracerStatus struct {
	// Version is the tracer's.
	Version string `json:"version"`
	// Started is when the tracer started.
	Started time.Time `json:"started"`
	// Ready says whether everything that can be recorded is being recorded.
	Ready bool `json:"ready"`
	// Kinds are those the tracer follows, by name.
	Kinds []TracerKind `json:"kinds"`
	// Log is the state of the event log.
	Log TracerLog `json:"log"`
	// Config says how the last reading of the configuration went. Absent: well.
	// +optional
	Config string `json:"config,omitempty"`
	// Exports are those that are running.
	Exports TracerExports `json:"exports"`
}

// TracerKind is what a tracer knows of one kind it follows.
//
// +kubebuilder:object:generate=false
type TracerKind struct {
	// Kind is the group, version and kind, such as apps/v1.Deployment.
	Kind string `json:"kind"`
	// State is how it is followed.
	State TracerKindState `json:"state"`
	// Detail says why, where it is not followed as it should be.
	// +optional
	Detail string `json:"detail,omitempty"`
	// Since is when it came to be in this state.
	// +optional
	Since time.Time `json:"since,omitzero"`
	// Objects is how many of its objects exist. 0 where they are only used to find owners.
	Objects int64 `json:"objects"`
}

// TracerKindState is how a kind is followed.
type TracerKindState string

// The states of a kind.
const (
	// KindPending: the first list has not been asked for yet.
	KindPending TracerKindState = "Pending"
	// KindListing: what exists is being read.
	KindListing TracerKindState = "Listing"
	// KindSynced: what exists is known, and changes are watched.
	KindSynced TracerKindState = "Synced"
	// KindMissing: the cluster has no such kind. It is looked for again and again.
	KindMissing TracerKindState = "Missing"
	// KindForbidden: the tracer may not read it. It is tried again and again.
	KindForbidden TracerKindState = "Forbidden"
	// KindFailing: the API server cannot be read for another reason. It is tried again and again.
	KindFailing TracerKindState = "Failing"
)

// TracerLog is the state of a tracer's event log.
//
// +kubebuilder:object:generate=false
type TracerLog struct {
	// Bytes are those on disk.
	Bytes int64 `json:"bytes"`
	// Events is how many changes can be exported one by one.
	Events int64 `json:"events"`
	// Pending is how many changes are not on disk yet.
	Pending int64 `json:"pending"`
	// Begin is the time that exports can reach back to.
	// +optional
	Begin time.Time `json:"begin,omitzero"`
	// Last is when the last change was recorded.
	// +optional
	Last time.Time `json:"last,omitzero"`
	// Retention is how long changes are kept, in seconds. Absent: for ever.
	// +optional
	Retention int64 `json:"retentionSeconds,omitempty"`
	// MaxBytes is how many bytes the log may have. Absent: any.
	// +optional
	MaxBytes int64 `json:"maxBytes,omitempty"`
}

// TracerExports counts exports.
//
// +kubebuilder:object:generate=false
type TracerExports struct {
	// Running is how many exports there are at this moment.
	Running int `json:"running"`
	// Max is how many there may be at once.
	Max int `json:"max"`
}
