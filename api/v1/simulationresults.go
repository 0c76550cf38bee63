package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SimulationResults says where the driver keeps what each repetition came to, in a folder run-N.
//
// +kubebuilder:validation:XValidation:rule="[has(self.url), has(self.configMap), has(self.persistentVolumeClaim)].filter(x, x).size() == 1",message="results needs exactly one of url, configMap and persistentVolumeClaim"
type SimulationResults struct {
	// URL is a folder in a storage (s3://bucket/folder, gs://..., azure://...), reached with the driver's secrets or its
	// workload identity.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	// +kubebuilder:validation:XValidation:rule="self.matches('^(s3|gs|azure|az|azblob)://[^/]+')",message="results.url must be a folder in a bucket: s3://, gs://, azure://, az:// or azblob://"
	URL string `json:"url,omitempty"`
	// ConfigMap is the name of a ConfigMap in the driver's namespace that gets the summaries. It is made, or changed, and
	// stays when the simulation is deleted.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:MinLength=1
	ConfigMap string `json:"configMap,omitempty"`
	// PersistentVolumeClaim is the name of a claim in the driver's namespace; the results are in the folder that is
	// named for the simulation.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:MinLength=1
	PersistentVolumeClaim string `json:"persistentVolumeClaim,omitempty"`
}

// DriverPhase is what a driver does at the moment.
//
// +kubebuilder:validation:Enum=Preparing;Replaying;Settling;Reporting;Cleaning;Finished;Failed
type DriverPhase string

// The phases of a driver. Finished and Failed are final.
const (
	DriverPreparing DriverPhase = "Preparing"
	DriverReplaying DriverPhase = "Replaying"
	DriverSettling  DriverPhase = "Settling"
	DriverReporting DriverPhase = "Reporting"
	DriverCleaning  DriverPhase = "Cleaning"
	DriverFinished  DriverPhase = "Finished"
	DriverFailed    DriverPhase = "Failed"
)

// DriverStatus is how far the driver is.
type DriverStatus struct {
	// Pod is the driver's pod.
	// +optional
	Pod string `json:"pod,omitempty"`
	// Phase is what it does.
	// +optional
	Phase DriverPhase `json:"phase,omitempty"`
	// Run is the repetition under way, from 1.
	// +optional
	Run int32 `json:"run,omitempty"`
	// Paused tells that the replay stands still.
	// +optional
	Paused bool `json:"paused,omitempty"`
	// TraceStart, TraceTime and TraceEnd are the bounds of the replay and where it is, in the trace's time.
	// +optional
	TraceStart *metav1.Time `json:"traceStart,omitempty"`
	// +optional
	TraceTime *metav1.Time `json:"traceTime,omitempty"`
	// +optional
	TraceEnd *metav1.Time `json:"traceEnd,omitempty"`
	// Events of EventsTotal were replayed.
	// +optional
	Events int32 `json:"events,omitempty"`
	// +optional
	EventsTotal int32 `json:"eventsTotal,omitempty"`
	// Problems is how many objects could not be applied or deleted.
	// +optional
	Problems int32 `json:"problems,omitempty"`
	// Restarts is how often the replay was taken up again by a driver that was started anew.
	// +optional
	Restarts int32 `json:"restarts,omitempty"`
	// Reason and Message say why it Failed; Reason is one word.
	// +optional
	Reason string `json:"reason,omitempty"`
	// +optional
	Message string `json:"message,omitempty"`
	// Hooks are the preRun and postRun hooks that were begun.
	// +optional
	// +listType=atomic
	Hooks []HookRecord `json:"hooks,omitempty"`
	// Summaries say what each repetition came to.
	// +optional
	// +listType=atomic
	Summaries []RunSummary `json:"summaries,omitempty"`
}

// RunSummary is what one repetition came to, in a few figures.
type RunSummary struct {
	// Run is the repetition, from 1.
	Run int32 `json:"run"`
	// Events, Applied and Deleted are the numbers of events and objects replayed, Problems that of objects with which it
	// did not succeed.
	// +optional
	Events int32 `json:"events,omitempty"`
	// +optional
	Applied int32 `json:"applied,omitempty"`
	// +optional
	Deleted int32 `json:"deleted,omitempty"`
	// +optional
	Problems int32 `json:"problems,omitempty"`
	// Pods is how many were simulated, of which Scheduled got a node.
	// +optional
	Pods int32 `json:"pods,omitempty"`
	// +optional
	Scheduled int32 `json:"scheduled,omitempty"`
	// PendingP50, PendingP99 and PendingMax say how long pods waited for a node, on the clock.
	// +optional
	PendingP50 *metav1.Duration `json:"pendingP50,omitempty"`
	// +optional
	PendingP99 *metav1.Duration `json:"pendingP99,omitempty"`
	// +optional
	PendingMax *metav1.Duration `json:"pendingMax,omitempty"`
	// LagMax is how late the latest event was.
	// +optional
	LagMax *metav1.Duration `json:"lagMax,omitempty"`
	// Results is where the results are kept.
	// +optional
	Results string `json:"results,omitempty"`
}
