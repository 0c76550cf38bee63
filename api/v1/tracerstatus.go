package v1

import "time"

// TracerStatus is the status of a tracer.
//
// +kubebuilder:object:generate=false
type TracerStatus struct {
	// Version is the version of the tracer.
	Version string `json:"version"`
	// Started is when the tracer started.
	Started time.Time `json:"started"`
	// Ready is true if all configured kinds that can be recorded are being recorded.
	Ready bool `json:"ready"`
	// Kinds are the kinds that the tracer follows, by name.
	Kinds []TracerKind `json:"kinds"`
	// Log is the state of the event log.
	Log TracerLog `json:"log"`
	// Config is the error of the last attempt to read the configuration. Absent: it succeeded.
	// +optional
	Config string `json:"config,omitempty"`
	// Exports counts the running exports.
	Exports TracerExports `json:"exports"`
}

// TracerKind is the status of one kind that a tracer follows.
//
// +kubebuilder:object:generate=false
type TracerKind struct {
	// Kind is the group, version and kind, such as apps/v1.Deployment.
	Kind string `json:"kind"`
	// State is the state of the kind.
	State TracerKindState `json:"state"`
	// Detail says why the kind is not followed, if so.
	// +optional
	Detail string `json:"detail,omitempty"`
	// Since is when the kind entered this state.
	// +optional
	Since time.Time `json:"since,omitzero"`
	// Objects is the number of objects that exist. It is 0 for kinds that are only used to find
	// owners.
	Objects int64 `json:"objects"`
}

// TracerKindState is the state of a kind that a tracer follows.
type TracerKindState string

// The states of a kind.
const (
	// KindPending: the first list has not been requested yet.
	KindPending TracerKindState = "Pending"
	// KindListing: the existing objects are being listed.
	KindListing TracerKindState = "Listing"
	// KindSynced: the existing objects are known, and changes are watched.
	KindSynced TracerKindState = "Synced"
	// KindMissing: the cluster has no such kind. The tracer keeps retrying.
	KindMissing TracerKindState = "Missing"
	// KindForbidden: the tracer is not authorized to read the kind. It keeps retrying.
	KindForbidden TracerKindState = "Forbidden"
	// KindFailing: the API server cannot be read for another reason. The tracer keeps retrying.
	KindFailing TracerKindState = "Failing"
)

// TracerLog is the state of a tracer's event log.
//
// +kubebuilder:object:generate=false
type TracerLog struct {
	// Bytes is the size on disk.
	Bytes int64 `json:"bytes"`
	// Events is the number of changes that can be exported individually.
	Events int64 `json:"events"`
	// Pending is the number of changes that are not on disk yet.
	Pending int64 `json:"pending"`
	// Begin is the earliest possible start of an export.
	// +optional
	Begin time.Time `json:"begin,omitzero"`
	// Last is when the last change was recorded.
	// +optional
	Last time.Time `json:"last,omitzero"`
	// Retention is how long changes are kept, in seconds. Absent: without limit.
	// +optional
	Retention int64 `json:"retentionSeconds,omitempty"`
	// MaxBytes is the maximum size of the log. Absent: no limit.
	// +optional
	MaxBytes int64 `json:"maxBytes,omitempty"`
}

// TracerExports counts exports.
//
// +kubebuilder:object:generate=false
type TracerExports struct {
	// Running is the number of running exports.
	Running int `json:"running"`
	// Max is the maximum number of concurrent exports.
	Max int `json:"max"`
}
