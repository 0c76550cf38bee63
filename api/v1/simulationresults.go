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
	// TraceStart is when the replay begins, in the trace's time.
	// +optional
	TraceStart *metav1.Time `json:"traceStart,omitempty"`
	// TraceTime is where the replay is, in the trace's time.
	// +optional
	TraceTime *metav1.Time `json:"traceTime,omitempty"`
	// TraceEnd is when the replay ends, in the trace's time.
	// +optional
	TraceEnd *metav1.Time `json:"traceEnd,omitempty"`
	// Events is how many of the trace's events were replayed in this run.
	// +optional
	Events int32 `json:"events,omitempty"`
	// EventsTotal is how many events a run has.
	// +optional
	EventsTotal int32 `json:"eventsTotal,omitempty"`
	// Problems is how many objects could not be applied or deleted.
	// +optional
	Problems int32 `json:"problems,omitempty"`
	// Restarts is how often the replay was taken up again by a driver that was started anew.
	// +optional
	Restarts int32 `json:"restarts,omitempty"`
	// Reason says in one word why it Failed.
	// +optional
	Reason string `json:"reason,omitempty"`
	// Message says why it Failed, or why the driver before this one ended early.
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
	// Events is how many events were replayed.
	// +optional
	Events int32 `json:"events,omitempty"`
	// Applied is how often an object was applied.
	// +optional
	Applied int32 `json:"applied,omitempty"`
	// Deleted is how often an object was deleted.
	// +optional
	Deleted int32 `json:"deleted,omitempty"`
	// Problems is how often an object could not be applied or deleted.
	// +optional
	Problems int32 `json:"problems,omitempty"`
	// Pods is how many were simulated. After a restart of the driver, those that were gone by then are not counted.
	// +optional
	Pods int32 `json:"pods,omitempty"`
	// Scheduled is how many of the pods got a node.
	// +optional
	Scheduled int32 `json:"scheduled,omitempty"`
	// PendingP50 is how long half of the pods waited for a node at most, on the clock.
	// +optional
	PendingP50 *metav1.Duration `json:"pendingP50,omitempty"`
	// PendingP99 is how long 99 of 100 pods waited for a node at most, on the clock.
	// +optional
	PendingP99 *metav1.Duration `json:"pendingP99,omitempty"`
	// PendingMax is how long the pod waited that waited longest, on the clock.
	// +optional
	PendingMax *metav1.Duration `json:"pendingMax,omitempty"`
	// LagMax is how late the latest event was.
	// +optional
	LagMax *metav1.Duration `json:"lagMax,omitempty"`
	// Results is where the results are kept.
	// +optional
	Results string `json:"results,omitempty"`
}
